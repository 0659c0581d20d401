"""What makes large plans cheap changes nothing: slim values are the same, and the collector is left as it was."""

from __future__ import annotations

import gc

import pytest

from ops_orchestrate.core.rest import collector_rests
from ops_orchestrate.core.value import slim
from tests.builders import make_task


def test_a_slim_value_is_the_same_and_shares_what_it_was_given() -> None:
    one, other, more = slim(make_task("a")), slim(make_task("b")), slim(make_task("c", label="P1"))
    assert (one, one.model_dump_json()) == (make_task("a"), make_task("a").model_dump_json())
    assert one.model_fields_set is other.model_fields_set
    assert more.model_fields_set == one.model_fields_set | {"label"}
    assert one.model_dump(exclude_unset=True) == make_task("a").model_dump(exclude_unset=True)


def test_a_copy_of_a_slim_value_changes_no_other_one() -> None:
    one, other = slim(make_task("a")), slim(make_task("b"))
    copy = one.model_copy(update={"label": "P1"})
    assert "label" in copy.model_fields_set
    assert "label" not in one.model_fields_set | other.model_fields_set


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_as_it_was_also_after_an_error(on: bool) -> None:
    was_on = gc.isenabled()
    try:
        gc.enable() if on else gc.disable()
        with pytest.raises(ValueError), collector_rests():
            assert not gc.isenabled()
            raise ValueError
        assert gc.isenabled() is on
    finally:
        gc.enable() if was_on else gc.disable()
