"""A bounded slice of `make simulate`: worlds that must go well, and mutants that must be noticed."""

from __future__ import annotations

import pytest

from tests.simulate.figures import kill, survey, table
from tests.simulate.ledger import CRASH_POINTS, Defect
from tests.simulate.mutants import MUTANTS
from tests.simulate.world import play

#: Worlds that a mutant may live; `make simulate` prints how many each one takes.
BUDGET = 600
#: Where the mutants that live longest die, to begin a little before; from wherever one begins it has the whole budget.
NEAR = {
    "no sha with the merge": 1100,
    "an approval of any commit": 1050,
    "mergeable unknown is yes": 1150,
    "whatever base it is for": 1095,
}
#: What nobody can prevent but a ruleset: something changed between the last look and the merge that it led to.
RACES = {
    "not green",
    "not approved",
    "into another base",
    "a base that was not verified",
    "an open conversation",
}


def test_behind_a_ruleset_nothing_goes_wrong() -> None:
    figures = survey(1, 80, ruleset=True)
    assert figures.violations == {}
    assert figures.merges > 70  # and most of it is merged


@pytest.mark.parametrize("ruleset", [True, False])
def test_while_nothing_changes_between_a_look_and_its_act_nothing_goes_wrong_with_or_without_one(ruleset: bool) -> None:
    for seed in range(1, 60):
        assert play(seed, ruleset=ruleset, still=True).violations == [], seed


def test_without_a_ruleset_only_such_races_are_lost() -> None:
    figures = survey(1, 80, ruleset=False)
    assert set(figures.violations) <= RACES
    assert figures.merges > 70


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda d: d.name)
def test_every_mutant_is_noticed(mutant: Defect) -> None:
    worlds, what = kill(mutant, NEAR.get(mutant.name, 1001), BUDGET)
    assert worlds is not None and what


def test_the_same_seed_is_the_same_world() -> None:
    assert play(7, ruleset=True) == play(7, ruleset=True)
    assert play(7, ruleset=True) != play(8, ruleset=True)


def test_every_crash_point_is_reached() -> None:
    missed = set(CRASH_POINTS)
    for seed in range(1, BUDGET):
        missed -= set(play(seed, ruleset=bool(seed % 2)).crashes)
        if not missed:
            break
    assert not missed


def test_the_table_names_what_went_wrong_and_from_which_seed() -> None:
    figures = survey(1, 3, ruleset=False)
    figures.violations["not green"], figures.seeds["not green"], figures.bad_worlds = 1, [2], 1
    lines = list(table([figures], []))
    assert lines[0].startswith("3 worlds without a ruleset: 1 with a violation")
    assert lines[1].split() == ["not", "green", "1", "seeds", "2"]
