"""What the soak calls growth: the last third of the nights above the middle one, beyond a bound."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from tests.chaos.growth import BOUNDS, Figures, grown, table

STEADY = Figures(
    keys=300, server_kb=1400, workers_mb=380, handles=150, threads=21, files=60, disk_kb=20, objects=90, refs=36
)


def test_nights_that_are_alike_have_not_grown_and_the_first_may_be_small() -> None:
    small = Figures(*[1] * len(fields(Figures)))
    assert grown([small] * 10 + [STEADY] * 20) == []


@pytest.mark.parametrize("name", [field.name for field in fields(Figures)])
def test_what_grows_from_night_to_night_is_named(name: str) -> None:
    factor, more = BOUNDS[name]
    was = getattr(STEADY, name)
    nights = [STEADY] * 20 + [replace(STEADY, **{name: int(was * factor + more) + 1})] * 10
    assert [said.partition(" ")[0] for said in grown(nights)] == [name]


def test_the_table_has_the_first_a_middle_and_the_last_night() -> None:
    assert "| keys of the server | 7 | 300 | 300 |" in table([replace(STEADY, keys=7), STEADY, STEADY])
