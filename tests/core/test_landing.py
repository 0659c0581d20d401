"""The merge decision: its rows, and the whole product of its inputs against predicates written apart from it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from ops_orchestrate.core.ask import ANSWERS
from ops_orchestrate.core.landing import Action, LandingSnapshot, Step, decide_landing, is_main
from ops_orchestrate.core.names import short

HEAD, BASE, TREE = "a" * 40, "b" * 40, "c" * 40
READY: dict[str, Any] = {
    "run": "r1",
    "task": "t1",
    "verified_head": HEAD,
    "verified_base": BASE,
    "verified_tree": TREE,
    "head": HEAD,
    "base": BASE,
    "approved": HEAD,
}


def decide(**kw: Any) -> Action:
    return decide_landing(LandingSnapshot(**(READY | kw)))


ROWS = [
    ("everything fits", {}, Step.MERGE),
    ("forced", {"approved": "", "force": True}, Step.MERGE),
    ("main is to be left alone", {"approved": "", "force": True, "spared": True}, Step.ASK),
    ("main is to be left alone, and a yes to this head", {"spared": True}, Step.MERGE),
    ("nobody said yes", {"approved": ""}, Step.ASK),
    ("a yes to another head", {"approved": "f" * 40}, Step.ASK),
    ("the base moved", {"base": "e" * 40}, Step.REVERIFY),
    ("the base moved, forced", {"base": "e" * 40, "force": True}, Step.REVERIFY),
    ("the head moved", {"head": "e" * 40, "approved": "e" * 40}, Step.REVERIFY),
    ("no verdict", {"verified_tree": ""}, Step.REVERIFY),
    ("the base is gone", {"base": ""}, Step.WAIT),
    ("the forge does not ship", {"may_ship": "main is checked out", "force": True}, Step.BLOCK),
    ("a dry run", {"dry_run": True, "force": True}, Step.BLOCK),
    ("a stop", {"stopping": True, "force": True}, Step.WAIT),
    ("a stop after it has landed", {"stopping": True, "intended": True, "landed": True}, Step.DONE),
    ("merged before the answer was lost", {"intended": True, "landed": True, "base": "e" * 40}, Step.DONE),
    ("announced, but not on the base", {"intended": True}, Step.MERGE),
    ("on the base by chance", {"landed": True}, Step.MERGE),
]


@pytest.mark.parametrize(("kw", "step"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_first_match_wins(kw: dict[str, Any], step: Step) -> None:
    action = decide(**kw)
    assert action.step is step
    assert action.reason


def test_a_question_comes_with_its_command() -> None:
    action = decide(approved="")
    assert action.command == "ops-orchestrate answer r1 t1 yes"
    assert short(HEAD) in action.reason


@pytest.mark.parametrize(
    ("branch", "named", "main"),
    [
        ("main", None, True),
        ("master", None, True),
        ("dev", None, False),
        ("trunk", "trunk", True),
        ("main", "trunk", False),
    ],
)
def test_which_branch_is_main(branch: str, named: str | None, main: bool) -> None:
    assert is_main(branch, named) is main


FIELDS: dict[str, tuple[Any, ...]] = {
    "may_ship": ("", "no"),
    "verified_head": ("", HEAD, "x"),
    "verified_base": ("", BASE, "x"),
    "verified_tree": ("", TREE),
    "head": (HEAD, "x"),
    "base": ("", BASE, "x"),
    "approved": ("", HEAD, "x"),
    "force": (False, True),
    "spared": (False, True),
    "dry_run": (False, True),
    "stopping": (False, True),
    "intended": (False, True),
    "landed": (False, True),
}
#: For each input the value that speaks least against a merge, where the others speak against it.
BEST = {"may_ship": "", "dry_run": False, "stopping": False, "spared": False, "force": True}


def test_over_the_whole_product_a_merge_implies_all_of_its_conditions() -> None:
    steps: dict[Step, int] = dict.fromkeys(Step, 0)
    for values in product(*FIELDS.values()):
        seen = READY | dict(zip(FIELDS, values, strict=True))
        action = decide_landing(LandingSnapshot(**seen))
        steps[action.step] += 1
        valid = (
            not seen["dry_run"]
            and not seen["stopping"]
            and not seen["may_ship"]
            and seen["verified_tree"] == TREE
            and seen["head"] == seen["verified_head"] != ""
            and seen["base"] == seen["verified_base"] != ""
        )
        answered = (seen["force"] and not seen["spared"]) or seen["approved"] == seen["head"]
        done = seen["intended"] and seen["landed"] and not seen["dry_run"]
        assert (action.step is Step.DONE) is done
        assert (action.step is Step.MERGE) is (valid and answered and not done)
        assert (action.step is Step.ASK) is (valid and not answered and not done)
        # A question has answers; so has what blocks.
        assert (action.step in {Step.ASK, Step.BLOCK}) is (action.ask in ANSWERS)
    assert all(steps.values())


def test_making_an_input_worse_never_turns_another_step_into_a_merge() -> None:
    for values in product(*FIELDS.values()):
        seen = READY | dict(zip(FIELDS, values, strict=True))
        if decide_landing(LandingSnapshot(**seen)).step is not Step.MERGE:
            continue
        for name, best in BEST.items():
            better = decide_landing(LandingSnapshot(**(seen | {name: best})))
            assert better.step is Step.MERGE, (name, seen)
