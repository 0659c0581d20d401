"""docs/pull-requests.md has the rows of the gate in their order, with what each may do; and every kind of failure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops_orchestrate.core.merge.decide import ROWS
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.snapshot import Act
from tests.core.merge.test_decide import TABLE
from tests.pages import rows

PAGE = (Path(__file__).parents[1] / "docs" / "pull-requests.md").read_text(encoding="utf-8")


def test_the_table_is_the_one_of_the_code() -> None:
    assert [row[0] for row in rows(PAGE, "The table")] == [row.name for row in ROWS]


@pytest.mark.parametrize("row", rows(PAGE, "The table"), ids=lambda row: row[0])
def test_a_row_says_what_the_gate_does(row: list[str]) -> None:
    """What the gate's own tests show of a row is on the page, and nothing else but a person at the end of the waits."""
    said = {word for word in re.findall(r"`([a-z]+)`", row[2]) if word in set(Act)}
    shown = {str(act) for _, _, name, act in TABLE if name == row[0]}
    assert shown <= said <= shown | {"flag"}
    assert row[1]


def test_each_act_of_a_row_is_one_of_the_gates() -> None:
    words = {word for row in rows(PAGE, "The table") for word in re.findall(r"`([a-z]+)`", row[2])}
    assert words == {str(act) for act in Act}


def test_every_kind_of_failure_has_its_row() -> None:
    assert {row[0].strip("`") for row in rows(PAGE, "Kinds of failure")} == set(FailureClass)
