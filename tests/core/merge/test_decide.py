"""The merge gate's truth table. Each line spoils one thing of a snapshot in which everything is in favour."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.merge.decide import ROWS, decide
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import Conclusion, Mergeable, MergeState, PullState, RequiredCheck, ReviewDecision
from ops_orchestrate.core.merge.pull import ReviewState as Said
from ops_orchestrate.core.merge.snapshot import Act
from tests.core.merge.seen import BASE, BASE2, HEAD, NOW, OTHER, check, review, rules, seen, status, thread

C = Conclusion
RED = check("tests", C.FAILURE)
GONE = check("tests", C.CANCELLED)
INFRA, CODE, FLAKY = FailureClass.INFRASTRUCTURE, FailureClass.CODE, FailureClass.FLAKY
FRESH = {"created_at": NOW - 30, "head_at": NOW - 30}
OLD = {"created_at": NOW - 20_000, "head_at": NOW - 20_000}
OPEN_RULES = rules(protected=False, required_checks=())
UNSEEN = {"now": NOW + 3 * 3600, "pull": {"checks": (check("tests", C.PENDING),)}}


def after(row: str, times: int) -> dict[str, Any]:
    return {"waited": row, "waits": times}


# (what is wrong, the row that says so, the act)
TABLE: list[tuple[str, dict[str, Any], str, Act]] = [
    ("nothing", {}, "merge", Act.MERGE),
    # 1, 2: over, or not now
    ("dry run", {"dry_run": True}, "dry-run", Act.WAIT),
    ("merged", {"pull": {"state": PullState.MERGED}}, "merged", Act.RECONCILE),
    ("merged, in a stopping run", {"pull": {"state": PullState.MERGED}, "stopping": True}, "merged", Act.RECONCILE),
    ("merged, the answer cut", {"pull": {"state": PullState.MERGED, "complete": False}}, "merged", Act.RECONCILE),
    ("merged, never on the base", {"pull": {"state": PullState.MERGED}} | after("merged", 40), "merged", Act.FLAG),
    ("on the base, reads as open", {"landed": True, "intended_at": NOW - 9}, "landed", Act.RECONCILE),
    ("the intent was lost", {"landed": True}, "landed", Act.RECONCILE),
    ("merged into main, in between", {"landed_elsewhere": "main"}, "landed-elsewhere", Act.FLAG),
    ("no answer to the merge", {"intended_at": NOW - 119}, "unknown-outcome", Act.RECONCILE),
    ("no answer and nothing came of it", {"intended_at": NOW - 120}, "merge", Act.MERGE),
    ("no answer, then another head", {"intended_at": NOW - 120, "pull": {"head": OTHER}}, "not-verified", Act.REVERIFY),
    ("stopping", {"stopping": True}, "stopping", Act.WAIT),
    ("a blocker issue on the base", {"held": "o/r#3 blocks dev"}, "held", Act.WAIT),
    ("no right to write", {"may_write": "o/r is archived"}, "may-not-write", Act.FLAG),
    # 17 and the snapshot's own faults: nothing is concluded
    ("answer cut", {"pull": {"complete": False}}, "unreadable", Act.WAIT),
    ("answer cut for hours", {"pull": {"complete": False}} | after("unreadable", 40), "unreadable", Act.FLAG),
    ("unknown state", {"pull": {"state": PullState.UNKNOWN}}, "unreadable", Act.WAIT),
    ("no head", {"pull": {"head": "0" * 40}}, "unreadable", Act.WAIT),
    ("half a head", {"pull": {"head": "1" * 39}}, "unreadable", Act.WAIT),
    ("checks of another commit", {"pull": {"checks_of": OTHER}}, "unreadable", Act.WAIT),
    ("unknown review decision", {"pull": {"review_decision": ReviewDecision.UNKNOWN}}, "unreadable", Act.WAIT),
    ("unknown review", {"pull": {"reviews": (review(Said.UNKNOWN),)}}, "unreadable", Act.WAIT),
    # 3 to 12: not the change that was verified
    ("closed", {"pull": {"state": PullState.CLOSED}}, "closed", Act.FLAG),
    ("retargeted to main", {"pull": {"base_ref": "main"}}, "other-base", Act.BLOCK),
    ("a fork", {"pull": {"cross_repository": True}}, "foreign", Act.BLOCK),
    ("somebody else's", {"pull": {"ours": False}}, "foreign", Act.BLOCK),
    ("not among merge_authors", {"policy": {"merge_authors": ("ann",)}}, "foreign", Act.BLOCK),
    ("among merge_authors", {"policy": {"merge_authors": ("Ops-Bot",)}}, "merge", Act.MERGE),
    ("auto-merge by somebody", {"pull": {"auto_merge": "ann"}}, "merges-by-itself", Act.FLAG),
    ("queued by somebody", {"force": False, "pull": {"in_merge_queue": True}}, "merges-by-itself", Act.FLAG),
    ("pushed since", {"pull": {"head": OTHER}}, "not-verified", Act.REVERIFY),
    ("no verdict", {"verified_head": ""}, "not-verified", Act.REVERIFY),
    ("a verdict without a tree", {"verified_tree": ""}, "not-verified", Act.REVERIFY),
    # 13 to 16
    ("draft", {"pull": {"draft": True}}, "draft", Act.WAIT),
    ("label", {"pull": {"labels": ("bug", "do-not-merge")}}, "work-in-progress", Act.WAIT),
    ("title", {"pull": {"title": "[WIP] Mend the clock"}}, "work-in-progress", Act.WAIT),
    ("a title about drafts", {"pull": {"title": "Draft mails lose wipes"}}, "merge", Act.MERGE),
    ("mergeability unknown", {"pull": {"mergeable": Mergeable.UNKNOWN}}, "not-computed", Act.WAIT),
    ("merge state unknown", {"pull": {"merge_state": MergeState.UNKNOWN}}, "not-computed", Act.WAIT),
    (
        "unknown for ever",
        {"pull": {"mergeable": Mergeable.UNKNOWN}} | after("not-computed", 40),
        "not-computed",
        Act.FLAG,
    ),
    ("conflict, first read", {"pull": {"mergeable": Mergeable.CONFLICTING}}, "conflict", Act.WAIT),
    (
        "conflict, read twice",
        {"pull": {"mergeable": Mergeable.CONFLICTING}} | after("conflict", 1),
        "conflict",
        Act.FIX,
    ),
    ("dirty, read twice", {"pull": {"merge_state": MergeState.DIRTY}} | after("conflict", 1), "conflict", Act.FIX),
    (
        "conflict, attempts spent",
        {"fixes": 2, "pull": {"mergeable": Mergeable.CONFLICTING}} | after("conflict", 1),
        "conflict",
        Act.FLAG,
    ),
    # 18 to 20: no evidence
    ("no check, young", {"pull": {"checks": ()} | FRESH}, "no-checks-yet", Act.WAIT),
    ("no check, old", {"rules": OPEN_RULES, "pull": {"checks": ()}}, "no-evidence", Act.FLAG),
    (
        "no check, no workflow, nothing said",
        {"rules": OPEN_RULES, "policy": {"has_workflows": False}, "pull": {"checks": ()}},
        "no-evidence",
        Act.FLAG,
    ),
    (
        "`ci: none`",
        {"rules": rules(required_checks=()), "policy": {"ci": "none"}, "pull": {"checks": ()}},
        "merge",
        Act.MERGE,
    ),
    (
        "`ci: none`, but a check is required",
        {"policy": {"ci": "none"}, "pull": {"checks": ()}},
        "pending",
        Act.WAIT,
    ),
    (
        "`ci: none`, and red all the same",
        {"policy": {"ci": "none"}, "pull": {"checks": (RED,)}, "failures": {1: CODE}},
        "red-code",
        Act.FIX,
    ),
    (
        "`ci: none` into main",
        {"rules": rules(required_checks=()), "policy": {"ci": "none", "promotes": True}, "pull": {"checks": ()}},
        "no-ci-to-main",
        Act.FLAG,
    ),
    ("only our own status", {"rules": OPEN_RULES, "pull": {"checks": (check(ours=True),)}}, "no-evidence", Act.FLAG),
    # 21, 22: red
    ("red, not looked at", {"pull": {"checks": (RED,)}}, "red-not-looked-at", Act.LOOK),
    ("red, code", {"pull": {"checks": (RED,)}, "failures": {1: CODE}}, "red-code", Act.FIX),
    ("red, attempts spent", {"pull": {"checks": (RED,)}, "failures": {1: CODE}, "fixes": 2}, "red-code", Act.FLAG),
    ("cancelled", {"pull": {"checks": (GONE,)}, "failures": {1: INFRA}}, "red-elsewhere", Act.RERUN),
    (
        "cancelled, and another job of its run goes on: the forge would not run it again yet",
        {"pull": {"checks": (GONE, check("lint", C.PENDING, id=2))}, "failures": {1: INFRA}},
        "red-elsewhere",
        Act.WAIT,
    ),
    (
        "cancelled, and another job of its run never ends",
        {
            "pull": {
                "checks": tuple(
                    check(name, end, id=id, started_at=NOW - 20_000)
                    for id, (name, end) in enumerate((("tests", C.CANCELLED), ("lint", C.PENDING)), 1)
                )
            }
            | OLD,
            "failures": {1: INFRA},
        },
        "red-elsewhere",
        Act.FLAG,
    ),
    (
        "cancelled, and another run goes on",
        {"pull": {"checks": (GONE, check("lint", C.PENDING, id=2, workflow=2, run=101))}, "failures": {1: INFRA}},
        "red-elsewhere",
        Act.RERUN,
    ),
    (
        "cancelled just now: the run that did it may not be listed yet",
        {"pull": {"checks": (check("tests", C.CANCELLED, completed_at=NOW - 59),)}, "failures": {1: INFRA}},
        "red-elsewhere",
        Act.WAIT,
    ),
    (
        "flaky just now",
        {"pull": {"checks": (check("tests", C.FAILURE, completed_at=NOW - 1),)}, "failures": {1: FLAKY}},
        "red-elsewhere",
        Act.RERUN,
    ),
    ("flaky", {"pull": {"checks": (RED,)}, "failures": {1: FLAKY}}, "red-elsewhere", Act.RERUN),
    (
        "its rerun not seen yet",
        {"pull": {"checks": (GONE,)}, "failures": {1: INFRA}, "reruns": (100,)},
        "red-elsewhere",
        Act.WAIT,
    ),
    (
        "its rerun never seen",
        {"pull": {"checks": (GONE,)}, "failures": {1: INFRA}, "reruns": (100,)} | after("red-elsewhere", 20),
        "red-elsewhere",
        Act.RERUN,
    ),
    (
        "nor when it was asked for again",
        {"pull": {"checks": (GONE,)}, "failures": {1: INFRA}, "reruns": (100, 100)} | after("red-elsewhere", 20),
        "red-elsewhere",
        Act.FLAG,
    ),
    (
        "red again",
        {"pull": {"checks": (check("tests", C.CANCELLED, attempt=2),)}, "failures": {1: INFRA}},
        "red-elsewhere",
        Act.FLAG,
    ),
    (
        "one outage, one failure",
        {"pull": {"checks": (GONE, check("lint", C.FAILURE, id=2))}, "failures": {1: INFRA, 2: CODE}},
        "red-code",
        Act.FIX,
    ),
    ("billing", {"pull": {"checks": (RED,)}, "failures": {1: FailureClass.BILLING}}, "red-billing", Act.FLAG),
    (
        "never started",
        {"pull": {"checks": (RED,)}, "failures": {1: FailureClass.NEVER_STARTED}},
        "red-elsewhere",
        Act.RERUN,
    ),
    (
        "a status has no rerun",
        {"pull": {"checks": (check(), status("ext", C.FAILURE))}, "failures": {50: FLAKY}},
        "red-elsewhere",
        Act.FLAG,
    ),
    ("waits for a click", {"pull": {"checks": (check("tests", C.ACTION_REQUIRED),)}}, "needs-approval", Act.FLAG),
    (
        "red, not required",
        {"pull": {"checks": (check(), check("docs", C.FAILURE, id=2))}, "failures": {2: CODE}},
        "red-code",
        Act.FIX,
    ),
    # 23, 24: not complete, or no evidence
    ("pending", {"pull": {"checks": (check("tests", C.PENDING),)}}, "pending", Act.WAIT),
    ("pending for hours", UNSEEN, "pending", Act.FLAG),
    ("unknown conclusion", {"pull": {"checks": (check("tests", C.UNKNOWN),)}}, "pending", Act.WAIT),
    ("required, missing", {"pull": {"checks": (check("lint"),)}}, "pending", Act.WAIT),
    (
        "required, missing for hours",
        {"pull": {"checks": (check("lint", started_at=NOW - 15_000, completed_at=NOW - 14_000),)} | OLD},
        "pending",
        Act.FLAG,
    ),
    ("expected, missing", {"policy": {"expected_checks": ("e2e",)}}, "pending", Act.WAIT),
    ("usual, missing", {"usual_checks": ("e2e",)}, "pending", Act.WAIT),
    (
        "required from another app",
        {"rules": rules(required_checks=(RequiredCheck(name="tests", app=7),))},
        "pending",
        Act.WAIT,
    ),
    ("required, skipped", {"pull": {"checks": (check("tests", C.SKIPPED), check("lint", id=2))}}, "unproved", Act.FLAG),
    ("required, neutral", {"pull": {"checks": (check("tests", C.NEUTRAL), check("lint", id=2))}}, "unproved", Act.FLAG),
    (
        "required, skippable",
        {"policy": {"skippable_checks": ("tests",)}, "pull": {"checks": (check("tests", C.SKIPPED),)}},
        "merge",
        Act.MERGE,
    ),
    ("not required, skipped", {"pull": {"checks": (check(), check("deploy", C.SKIPPED, id=2))}}, "merge", Act.MERGE),
    (
        "all skipped",
        {"rules": OPEN_RULES, "pull": {"checks": (check("deploy", C.SKIPPED),)}},
        "nothing-passed",
        Act.FLAG,
    ),
    # settled
    ("a check joined just now", {"new_check_at": NOW - 59}, "settling", Act.WAIT),
    ("one ended just now", {"pull": {"checks": (check(completed_at=NOW - 59),)}}, "settling", Act.WAIT),
    ("nobody looked for new ones", {"new_check_at": 0.0}, "settling", Act.WAIT),
    ("green too soon", {"policy": {"min_ci": 4000.0}}, "settling", Act.WAIT),
    # 25 to 28: people
    (
        "changes requested",
        {"pull": {"reviews": (review(Said.CHANGES_REQUESTED),)}},
        "changes-requested",
        Act.FIX,
    ),
    (
        "changes requested, attempts spent",
        {"fixes": 2, "pull": {"reviews": (review(Said.CHANGES_REQUESTED),)}},
        "changes-requested",
        Act.FLAG,
    ),
    (
        "changes requested and made",
        {"fixed_at": NOW - 60, "pull": {"reviews": (review(Said.CHANGES_REQUESTED),)}},
        "changes-requested",
        Act.WAIT,
    ),
    ("thread", {"pull": {"threads": (thread(),)}}, "threads-to-mend", Act.FIX),
    ("thread, attempts spent", {"fixes": 2, "pull": {"threads": (thread(),)}}, "threads-to-mend", Act.FLAG),
    ("a stranger's thread", {"pull": {"threads": (thread(trusted=False),)}}, "threads-to-mend", Act.FLAG),
    ("thread, dealt with", {"fixed_at": NOW - 60, "pull": {"threads": (thread(),)}}, "threads-to-answer", Act.ANSWER),
    ("thread, answered", {"pull": {"threads": (thread(ours=True),)}}, "threads-to-answer", Act.ANSWER),
    (
        "thread, opened again",
        {"closed_threads": ("T1",), "pull": {"threads": (thread(ours=True),)}},
        "threads-opened-again",
        Act.WAIT,
    ),
    ("thread, resolved", {"pull": {"threads": (thread(resolved=True),)}}, "merge", Act.MERGE),
    (
        "no review yet",
        {"pull": {"reviews": (), "review_decision": ReviewDecision.REVIEW_REQUIRED}},
        "review-required",
        Act.WAIT,
    ),
    (
        "a code owner is asked",
        {"pull": {"review_decision": ReviewDecision.NONE, "review_requests": ("team/owners",)}},
        "review-required",
        Act.WAIT,
    ),
    (
        "approvals are required, and the forge says none are",
        {"rules": rules(required_approvals=1), "pull": {"review_decision": ReviewDecision.NONE}},
        "review-required",
        Act.WAIT,
    ),
    ("no review needed", {"pull": {"reviews": (), "review_decision": ReviewDecision.NONE}}, "merge", Act.MERGE),
    (
        "approved at another commit",
        {"pull": {"reviews": (review(Said.APPROVED, commit=OTHER),)}},
        "approved-earlier",
        Act.WAIT,
    ),
    ("one approval of two", {"rules": rules(required_approvals=2)}, "approved-earlier", Act.WAIT),
    # 29 to 34: the base
    ("in the queue", {"pull": {"in_merge_queue": True}}, "queued", Act.WAIT),
    ("base not seen", {"base": ""}, "base-unseen", Act.WAIT),
    ("behind", {"pull": {"merge_state": MergeState.BEHIND}}, "behind", Act.UPDATE),
    ("base moved", {"base": BASE2}, "behind", Act.UPDATE),
    (
        "verified anew, checks are of the old base",
        {"base": BASE2, "verified_base": BASE2, "checks_base": BASE},
        "behind",
        Act.UPDATE,
    ),
    (
        "base moved, no CI",
        {"base": BASE2, "rules": rules(required_checks=()), "policy": {"ci": "none"}, "pull": {"checks": ()}},
        "base-moved",
        Act.REVERIFY,
    ),
    (
        "base moved, no CI, and the base wants it up to date",
        {
            "base": BASE2,
            "rules": rules(required_checks=(), strict=True),
            "policy": {"ci": "none"},
            "pull": {"checks": ()},
        },
        "behind",
        Act.UPDATE,
    ),
    ("base moved, with a queue", {"base": BASE2, "rules": rules(merge_queue=True)}, "base-moved", Act.REVERIFY),
    ("unstable", {"pull": {"merge_state": MergeState.UNSTABLE}}, "contradiction", Act.WAIT),
    (
        "unstable again",
        {"pull": {"merge_state": MergeState.UNSTABLE}} | after("contradiction", 3),
        "contradiction",
        Act.FLAG,
    ),
    ("a draft that is none", {"pull": {"merge_state": MergeState.DRAFT}}, "contradiction", Act.WAIT),
    ("blocked", {"pull": {"merge_state": MergeState.BLOCKED}}, "blocked", Act.WAIT),
    ("blocked for good", {"pull": {"merge_state": MergeState.BLOCKED}} | after("blocked", 5), "blocked", Act.FLAG),
    ("base red", {"base_checks": (check("push-tests", C.FAILURE),)}, "base-red", Act.WAIT),
    (
        "base red, it mends it",
        {"fixes_base": True, "base_checks": (check("push-tests", C.FAILURE),)},
        "merge",
        Act.MERGE,
    ),
    ("base still running", {"base_checks": (check("push-tests", C.PENDING),)}, "merge", Act.MERGE),
    ("hooks", {"pull": {"merge_state": MergeState.HAS_HOOKS}}, "merge", Act.MERGE),
    ("no squash", {"rules": rules(methods=frozenset({"merge"}))}, "method-not-allowed", Act.FLAG),
    # 35, 36
    ("not confirmed", {"force": False}, "unconfirmed", Act.ASK),
    ("confirmed for another head", {"force": False, "approved": OTHER}, "unconfirmed", Act.ASK),
    ("confirmed", {"force": False, "approved": HEAD}, "merge", Act.MERGE),
    ("no protection", {"rules": OPEN_RULES}, "unprotected", Act.ASK),
    ("rules not readable", {"rules": rules(known=False)}, "unprotected", Act.ASK),
    ("no protection, accepted", {"rules": OPEN_RULES, "policy": {"unprotected_ok": True}}, "merge", Act.MERGE),
    ("no protection, confirmed", {"rules": OPEN_RULES, "approved": HEAD}, "merge", Act.MERGE),
    (
        "no protection, accepted, not confirmed",
        {"rules": OPEN_RULES, "policy": {"unprotected_ok": True}, "force": False},
        "unconfirmed",
        Act.ASK,
    ),
    ("a queue", {"rules": rules(merge_queue=True)}, "queue", Act.ENQUEUE),
    ("thrown out once", {"rules": rules(merge_queue=True), "queued": 1}, "queue", Act.ENQUEUE),
    ("thrown out of a queue twice", {"rules": rules(merge_queue=True), "queued": 2}, "queue", Act.FLAG),
    ("a queue, not confirmed", {"rules": rules(merge_queue=True), "force": False}, "unconfirmed", Act.ASK),
]


@pytest.mark.parametrize(("wrong", "row", "act"), [line[1:] for line in TABLE], ids=[line[0] for line in TABLE])
def test_the_truth_table(wrong: dict[str, Any], row: str, act: Act) -> None:
    decision = decide(seen(**wrong))
    assert (decision.row, decision.act) == (row, act)
    assert decision.reason


def test_every_row_of_the_gate_has_a_line_in_the_table() -> None:
    assert {line[2] for line in TABLE} == {row.name for row in ROWS}


def test_the_names_of_rows_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


FIRST = [
    ("merged in a dry run", {"dry_run": True, "pull": {"state": PullState.MERGED}}, "dry-run"),
    ("cut and retargeted", {"pull": {"complete": False, "base_ref": "main"}}, "unreadable"),
    ("a new head and a conflict", {"pull": {"head": OTHER, "mergeable": Mergeable.CONFLICTING}}, "not-verified"),
    ("red and pending", {"pull": {"checks": (RED, check("lint", C.PENDING, id=2))}}, "red-not-looked-at"),
    ("red and changes requested", {"failures": {1: CODE}, "pull": {"checks": (RED,), "reviews": ()}}, "red-code"),
    (
        "an open thread and no review: the reviewer may wait for the answer",
        {"pull": {"threads": (thread(),), "review_decision": ReviewDecision.REVIEW_REQUIRED}},
        "threads-to-mend",
    ),
    ("base moved and no yes", {"base": BASE2, "force": False}, "behind"),
    (
        "base moved and no review",
        {"base": BASE2, "pull": {"review_decision": ReviewDecision.REVIEW_REQUIRED}},
        "review-required",
    ),
]


@pytest.mark.parametrize(("wrong", "row"), [line[1:] for line in FIRST], ids=[line[0] for line in FIRST])
def test_of_two_things_the_first_row_speaks(wrong: dict[str, Any], row: str) -> None:
    assert decide(seen(**wrong)).row == row


@pytest.mark.parametrize(
    "wrong",
    [line for line in TABLE if line[2] not in ("merge", "queue", "queued", "unconfirmed")],
    ids=lambda line: line[0],
)
def test_force_skips_the_question_and_nothing_else(wrong: tuple[str, dict[str, Any], str, Act]) -> None:
    """The table runs with `--force`; without it every line but the last ones says the same."""
    plain = decide(seen(**(wrong[1] | {"force": False})))
    assert plain.act is wrong[3]


def test_a_decision_names_what_it_is_about() -> None:
    two = (check("tests", C.FAILURE), check("lint", C.FAILURE, id=2), check("docs", C.FAILURE, id=3, run=101))
    assert decide(seen(pull={"checks": two})).checks == (1, 2, 3)
    assert decide(seen(pull={"checks": two}, failures={1: CODE, 2: INFRA, 3: CODE})).checks == (1, 3)
    # One rerun for each workflow run.
    assert decide(seen(pull={"checks": two}, failures={1: INFRA, 2: INFRA, 3: INFRA})).checks == (1, 3)
    assert decide(seen(pull={"threads": (thread(), thread(id="T2", resolved=True))})).threads == ("T1",)


def test_a_wait_for_a_person_says_so() -> None:
    """So that a step ends as blocked instead of looking again every minute."""
    people = {
        "draft",
        "work-in-progress",
        "changes-requested",
        "threads-opened-again",
        "review-required",
        "approved-earlier",
    }
    for _, wrong, row, act in TABLE:
        if act is Act.WAIT:
            assert decide(seen(**wrong)).person == (row in people), row


def test_reads_back_off_and_a_settling_set_says_when() -> None:
    lazy = {"pull": {"mergeable": Mergeable.UNKNOWN}}
    assert [decide(seen(**lazy, **after("not-computed", n))).after for n in (0, 1, 2, 30)] == [5, 10, 15, 300]
    assert decide(seen(**lazy, **after("pending", 30))).after == 5
    assert decide(seen(new_check_at=NOW - 45)).after == 15


@pytest.mark.parametrize(
    ("more", "after"),
    [
        ({"new_check_at": NOW - 45}, 15),  # another check may yet join
        ({"pull": {"checks": (check(conclusion=C.PENDING),)}}, 30),
        ({"pull": {"checks": (check(conclusion=C.FAILURE),)}}, 5),  # what is red is looked into soon
        ({}, 5),
    ],
)
def test_what_is_not_computed_is_not_asked_for_before_the_checks_let_it_in(more: dict[str, Any], after: float) -> None:
    pull = {**more.get("pull", {}), "mergeable": Mergeable.UNKNOWN}
    found = decide(seen(**more | {"pull": pull, "policy": {"poll": 30.0}}))
    assert (found.row, found.after) == ("not-computed", after)


def test_waits_of_another_row_do_not_count() -> None:
    assert decide(seen(pull={"merge_state": MergeState.BLOCKED}, **after("pending", 99))).act is Act.WAIT


def test_hostile_words_stay_on_one_line() -> None:
    for name in ("base_ref", "title", "author", "auto_merge"):
        text = "WIP\n\x1b[2Jmerged ✓ " + "x" * 500
        said = decide(seen(pull={name: text, "ours": name != "author"})).reason
        assert "\n" not in said and "\x1b" not in said and len(said) < 300


@pytest.mark.parametrize(
    ("usual", "age", "pause"),
    [
        (0.0, 10.0, 0.0),  # nobody knows: the usual time between two looks
        (60.0, 0.0, 75.0),  # green at 48 at the soonest, it goes in at 108
        (60.0, 50.0, 0.0),  # sooner than a look would be anyway
        (300.0, 40.0, 260.0),
        (300.0, 265.0, 35.0),
        (300.0, 500.0, 0.0),  # late: looked at as often as ever
        (500.0, 0.0, 460.0),  # never later than what is green would have settled
        (9000.0, 40.0, 600.0),  # it may be red long before
    ],
)
def test_ci_is_not_looked_at_long_before_it_has_ever_ended(usual: float, age: float, pause: float) -> None:
    pull = {"checks": (check(conclusion=C.PENDING),), "head_at": NOW - age, "created_at": NOW - age}
    found = decide(seen(pull=pull, ci_seconds=usual, policy={"poll": 30.0, "settle": 60.0}))
    assert (found.row, found.act, found.after) == ("pending", Act.WAIT, pause)
