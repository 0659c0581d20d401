"""What forges have been seen to answer, and what the gate makes of each: the incidents behind its rows, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.merge.decide import decide
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import (
    Conclusion,
    Mergeable,
    MergeState,
    PullState,
    RequiredCheck,
    Review,
    ReviewDecision,
)
from ops_orchestrate.core.merge.pull import ReviewState as Said
from ops_orchestrate.core.merge.snapshot import Act
from ops_orchestrate.core.names import short
from tests.core.merge.seen import ACTIONS_APP, HEAD, NOW, OTHER, check, review, rules, seen, status

C = Conclusion
FREE = rules(required_checks=())
YOUNG = {"created_at": NOW - 60, "head_at": NOW - 60}
CODE, INFRA = FailureClass.CODE, FailureClass.INFRASTRUCTURE
CANCELLED = check(conclusion=C.CANCELLED, id=1, run=100, started_at=NOW - 3000, completed_at=NOW - 2900)
PASSED = check(id=2, run=101, started_at=NOW - 2950, completed_at=NOW - 2000)

CASES: list[tuple[str, dict[str, Any], Act]] = [
    ("an empty rollup, young", {"rules": FREE, "pull": {"checks": (), **YOUNG}}, Act.WAIT),
    ("an empty rollup, old", {"rules": FREE, "pull": {"checks": ()}}, Act.FLAG),
    (
        "every check that is there is done, and not all are there",
        {"rules": FREE, "policy": {"expected_checks": ("tests", "e2e")}, "pull": {"checks": (check(),)}},
        Act.WAIT,
    ),
    (
        "a check run and a commit status of one name, one of them red",
        {"pull": {"checks": (check(), status("tests", C.FAILURE))}, "failures": {50: CODE}},
        Act.FIX,
    ),
    (
        "and the other way round",
        {"pull": {"checks": (check(conclusion=C.FAILURE), status("tests", C.SUCCESS))}, "failures": {1: CODE}},
        Act.FIX,
    ),
    ("a cancelled duplicate first in the list", {"pull": {"checks": (CANCELLED, PASSED)}}, Act.MERGE),
    ("a cancelled duplicate last in the list", {"pull": {"checks": (PASSED, CANCELLED)}}, Act.MERGE),
    (
        "twins side by side, one red",
        {
            "pull": {"checks": (check(conclusion=C.FAILURE), check(id=2, run=101))},
            "failures": {1: CODE},
        },
        Act.FIX,
    ),
    (
        "red, and nobody requires it",
        {"pull": {"checks": (check(), check("lint", C.FAILURE, id=2))}, "failures": {2: CODE}},
        Act.FIX,
    ),
    (
        "a required one skipped because what it needs failed",
        {"pull": {"checks": (check(conclusion=C.SKIPPED), check("build", C.FAILURE, id=2))}, "failures": {2: CODE}},
        Act.FIX,
    ),
    (
        "skipped behind an outage that was run again, and not run again itself",
        {
            "pull": {
                "checks": (
                    check(conclusion=C.SKIPPED),
                    check("build", C.CANCELLED, id=2),
                    check("build", id=3, attempt=2),
                )
            },
        },
        Act.WAIT,
    ),
    ("a hundred and twenty checks, the first page only", {"pull": {"complete": False}}, Act.WAIT),
    (
        "a hundred and twenty checks, red on page two",
        {
            "pull": {"checks": (*(check(f"c{n}", id=n) for n in range(1, 120)), check(conclusion=C.FAILURE, id=120))},
            "failures": {120: CODE},
        },
        Act.FIX,
    ),
    (
        "a startup failure",
        {"pull": {"checks": (check(conclusion=C.STARTUP_FAILURE),)}, "failures": {1: FailureClass.NEVER_STARTED}},
        Act.RERUN,
    ),
    ("a conclusion that nobody knows", {"pull": {"checks": (check(), check("x", C.UNKNOWN, id=2))}}, Act.WAIT),
    ("mergeable not computed", {"pull": {"mergeable": Mergeable.UNKNOWN}}, Act.WAIT),
    (
        "mergeable never computed",
        {"pull": {"mergeable": Mergeable.UNKNOWN}, "waited": "not-computed", "waits": 40},
        Act.FLAG,
    ),
    ("conflicting, by a copy that lags", {"pull": {"mergeable": Mergeable.CONFLICTING}}, Act.WAIT),
    ("and mergeable when read again", {"waited": "conflict", "waits": 1}, Act.MERGE),
    ("pushed between the read and the merge", {"pull": {"head": OTHER}}, Act.REVERIFY),
    (
        "run again on the same commit between the read and the merge",
        {"pull": {"checks": (check(), check(id=2, run=101, conclusion=C.PENDING))}},
        Act.WAIT,
    ),
    ("refused as merged already", {"pull": {"state": PullState.MERGED}, "intended_at": NOW - 5}, Act.RECONCILE),
    ("an error after the base had moved", {"landed": True, "intended_at": NOW - 5}, Act.RECONCILE),
    ("an error, and nothing known", {"intended_at": NOW - 5}, Act.RECONCILE),
    ("a partial answer", {"pull": {"complete": False, "problem": "errors beside the data"}}, Act.WAIT),
    ("a head of nothing but zeroes", {"pull": {"head": "0" * 40, "checks_of": "0" * 40}}, Act.WAIT),
    ("archived", {"may_write": "o/r is archived"}, Act.FLAG),
    ("approved at an older commit", {"pull": {"reviews": (review(Said.APPROVED, commit=OTHER),)}}, Act.WAIT),
    (
        "an approval dismissed",
        {"pull": {"reviews": (review(Said.APPROVED), review(Said.DISMISSED, at=NOW - 5))}},
        Act.WAIT,
    ),
    (
        "a comment after the approval",
        {"pull": {"reviews": (review(Said.APPROVED), review(Said.COMMENTED, at=NOW - 5))}},
        Act.MERGE,
    ),
    (
        "a comment after a demand for changes",
        {"pull": {"reviews": (review(Said.CHANGES_REQUESTED), review(Said.COMMENTED, at=NOW - 5))}},
        Act.FIX,
    ),
    ("retargeted to main after it was verified", {"pull": {"base_ref": "main"}}, Act.BLOCK),
    ("auto-merge switched on by somebody", {"pull": {"auto_merge": "mallory"}}, Act.FLAG),
    (
        "auto-merge while it is still red",
        {"pull": {"auto_merge": "m", "checks": (check(conclusion=C.FAILURE),)}},
        Act.FLAG,
    ),
    (
        "a status by a third party under the required name",
        {
            "rules": rules(required_checks=(RequiredCheck(name="tests", app=ACTIONS_APP),)),
            "pull": {"checks": (status("tests", C.SUCCESS), check("lint", id=2))},
        },
        Act.WAIT,
    ),
    ("green, says everybody, and unstable, says the forge", {"pull": {"merge_state": MergeState.UNSTABLE}}, Act.WAIT),
]


@pytest.mark.parametrize(("answer", "act"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_the_gate_makes_of_it(answer: dict[str, Any], act: Act) -> None:
    assert decide(seen(**answer)).act is act


def test_the_newest_review_of_each_person_counts_in_whatever_order_they_are_listed() -> None:
    """Two reviewers; one takes a demand back by approving, the other never had one."""
    story: tuple[Review, ...] = (
        review(Said.CHANGES_REQUESTED, "Ann", at=NOW - 500),
        review(Said.APPROVED, "ann", at=NOW - 400),
        review(Said.APPROVED, "bob", at=NOW - 300),
    )
    for reviews in (story, story[::-1]):
        assert decide(seen(pull={"reviews": reviews}, rules=rules(required_approvals=2))).act is Act.MERGE
    again = (*story, review(Said.CHANGES_REQUESTED, "bob", at=NOW - 200))
    assert decide(seen(pull={"reviews": again})).act is Act.FIX


def test_what_a_stranger_says_counts_neither_for_nor_against() -> None:
    stranger = review(Said.APPROVED, "mallory", trusted=False)
    assert decide(seen(pull={"reviews": (stranger,)})).row == "approved-earlier"
    demand = review(Said.CHANGES_REQUESTED, "mallory", trusted=False)
    assert decide(seen(pull={"reviews": (review(Said.APPROVED), demand)})).act is Act.MERGE


def test_the_yes_of_a_person_is_for_one_commit() -> None:
    asked = decide(seen(force=False))
    assert asked.act is Act.ASK and short(HEAD) in asked.reason
    assert decide(seen(force=False, approved=HEAD)).act is Act.MERGE
    moved = {"head": OTHER, "reviews": (review(Said.APPROVED, commit=OTHER),)}
    verified = {"verified_head": OTHER, "pull": moved}
    assert decide(seen(force=False, approved=HEAD, **verified)).act is Act.ASK
    assert decide(seen(pull={"review_decision": ReviewDecision.NONE, "reviews": ()})).act is Act.MERGE
