"""docs/reliability.md names what is simulated as the simulation does, and its figures are about the same things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.chaos.points import EFFECTS
from tests.pages import rows
from tests.simulate.ledger import CRASH_POINTS
from tests.simulate.mutants import MUTANTS
from tests.simulate.test_simulation import RACES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
TABLES = ("Bad answers, one by one", "Servers and workers, one by one")
NAMED = [(row[0], re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[1])) for name in TABLES for row in rows(PAGE, name)]


def test_every_mutant_has_its_row_and_was_killed() -> None:
    table = rows(PAGE, "The mutants")
    assert {row[0] for row in table} == {mutant.name for mutant in MUTANTS}
    assert len(table) == len(MUTANTS)
    assert all(0 < int(row[1]) <= int(row[2]) for row in table)
    assert f"{len(MUTANTS)}/{len(MUTANTS)}" in PAGE


def test_where_the_figures_name_a_violation_it_is_one_that_only_a_ruleset_prevents() -> None:
    table = {row[0]: row[1:] for row in rows(PAGE, "The figures")}
    with_one, without = table.pop("worlds with a violation")
    assert with_one == "0"
    assert int(without.replace(" ", "")) > 0
    counts = {name: cells for name, cells in table.items() if name not in ("worlds", "pull requests", "merged by us")}
    counts.pop("decisions")
    assert set(counts) == RACES | {"forgotten", "merged twice"}
    assert {cells[0] for cells in counts.values()} == {"0"}


def test_the_places_where_a_worker_dies_are_all_named() -> None:
    assert f"{len(CRASH_POINTS)}/{len(CRASH_POINTS)}" in PAGE
    assert all(f"`{point}`" in PAGE for point in CRASH_POINTS)


@pytest.mark.parametrize(("what", "named"), NAMED, ids=[what for what, _ in NAMED])
def test_everything_bad_names_a_test_that_exists(what: str, named: list[tuple[str, str]]) -> None:
    assert named
    for file, name in named:
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), name


def test_the_effects_that_crash_points_stand_beside_are_all_named() -> None:
    told = " ".join(PAGE[PAGE.index("## Crash points") :].split())
    assert [point.name for point in EFFECTS if point.name not in told] == []
