"""Phase 4's conclusion, row by row and over the whole product of what can be seen."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.change import Collected, GateEnd, GateResult, Preview
from ops_orchestrate.core.refusal import Consequence
from ops_orchestrate.core.verdict import verify_verdict
from tests.builders import make_task
from tests.core.changes import BASE, HEAD, make_refusal

TREE = "c" * 40
PASSED = GateResult(end=GateEnd.PASSED, exit_code=0)
BLOCK, RETRY, ASK = (make_refusal(c) for c in (Consequence.BLOCK, Consequence.RETRY, Consequence.ASK))


def verdict(**kw: Any) -> Outcome:
    values: dict[str, Any] = {
        "spec": make_task(),
        "collected": Collected(head=HEAD),
        "preview": Preview(base=BASE, head=HEAD, tree=TREE, commit="d" * 40),
        "refusals": (),
        "gate": PASSED,
        "base_gate": None,
        "approved_head": "",
    }
    return verify_verdict(**(values | kw))


def preview(**kw: Any) -> Preview:
    return Preview(**({"base": BASE, "head": HEAD} | kw))


def test_a_good_change_is_verified_for_exactly_this_head_base_and_tree() -> None:
    outcome = verdict()
    assert (outcome.kind, outcome.head, outcome.base, outcome.tree) == (OutcomeKind.VERIFIED, HEAD, BASE, TREE)


ROWS = [
    ("no commit", {"collected": Collected(head=None)}, OutcomeKind.EMPTY, ""),
    ("an import refused", {"collected": Collected(head=None, problem="fsck: bad")}, OutcomeKind.EMPTY, ""),
    ("an empty commit", {"changed": False, "preview": preview(empty=True)}, OutcomeKind.EMPTY, ""),
    ("a conflict", {"preview": preview(conflicts=("a.py",))}, OutcomeKind.CONFLICT, ""),
    ("in the base already", {"preview": preview(empty=True, tree=TREE)}, OutcomeKind.ALREADY_DONE, ""),
    ("a guard's last word", {"refusals": (ASK, RETRY, BLOCK)}, OutcomeKind.REFUSED, "retry"),
    ("a guard, repairable", {"refusals": (ASK, RETRY)}, OutcomeKind.REFUSED, ""),
    ("a guard that asks", {"refusals": (ASK,)}, OutcomeKind.WAITING, "approve-change"),
    (
        "approved for another head",
        {"refusals": (ASK,), "approved_head": "f" * 40},
        OutcomeKind.WAITING,
        "approve-change",
    ),
    ("approved", {"refusals": (ASK,), "approved_head": HEAD}, OutcomeKind.VERIFIED, ""),
    ("approval lifts no other guard", {"refusals": (RETRY,), "approved_head": HEAD}, OutcomeKind.REFUSED, ""),
    ("nor the last word", {"refusals": (BLOCK,), "approved_head": HEAD}, OutcomeKind.REFUSED, "retry"),
    ("red", {"gate": GateResult(end=GateEnd.FAILED, exit_code=1)}, OutcomeKind.REJECTED, ""),
    ("out of time", {"gate": GateResult(end=GateEnd.TIMED_OUT)}, OutcomeKind.REJECTED, ""),
    ("no tests", {"gate": GateResult(end=GateEnd.NO_TESTS)}, OutcomeKind.WAITING, "verify"),
    ("not runnable", {"gate": GateResult(end=GateEnd.UNAVAILABLE)}, OutcomeKind.WAITING, "verify"),
    ("no gate", {"gate": GateResult(end=GateEnd.NO_GATE)}, OutcomeKind.WAITING, "verify"),
    (
        "a red gate is not asked about",
        {"refusals": (ASK,), "gate": GateResult(end=GateEnd.FAILED)},
        OutcomeKind.REJECTED,
        "",
    ),
]


@pytest.mark.parametrize(("kw", "kind", "ask"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_first_match_wins(kw: dict[str, Any], kind: OutcomeKind, ask: str) -> None:
    outcome = verdict(**kw)
    assert (outcome.kind, outcome.ask) == (kind, ask)
    assert outcome.summary or kind is OutcomeKind.VERIFIED


def test_a_refusal_names_its_rule_and_files() -> None:
    outcome = verdict(refusals=(RETRY,))
    assert (outcome.rule, outcome.files) == (RETRY.rule, RETRY.files)
    assert RETRY.detail in outcome.summary


def test_a_conflict_names_its_files() -> None:
    assert verdict(preview=preview(conflicts=("a.py", "b.py"))).files == ("a.py", "b.py")


def test_a_red_gate_keeps_the_part_of_the_log_that_matters() -> None:
    log = "\n".join([*(f"noise {at}" for at in range(500)), "E  assert 1 == 2", "1 failed"])
    outcome = verdict(gate=GateResult(end=GateEnd.FAILED, exit_code=1, log_tail=log))
    assert "E  assert 1 == 2" in outcome.log_tail
    assert "noise 3\n" not in outcome.log_tail


@pytest.mark.parametrize("base", [GateEnd.FAILED, GateEnd.TIMED_OUT])
def test_a_red_base_excuses_nothing_and_is_said(base: GateEnd) -> None:
    outcome = verdict(gate=GateResult(end=GateEnd.FAILED, exit_code=1), base_gate=GateResult(end=base))
    assert outcome.kind is OutcomeKind.REJECTED
    assert "base without the change fails too" in outcome.summary


def test_a_green_change_on_a_red_base_is_the_fix() -> None:
    assert verdict(base_gate=GateResult(end=GateEnd.FAILED)).kind is OutcomeKind.VERIFIED


@pytest.mark.parametrize("end", [GateEnd.NO_GATE, GateEnd.NO_TESTS, GateEnd.UNAVAILABLE])
def test_no_evidence_says_what_to_do(end: GateEnd) -> None:
    assert any(word in verdict(gate=GateResult(end=end)).summary for word in ("registry", "doctor"))


def test_it_is_said_when_there_was_no_sandbox() -> None:
    assert verdict(gate=PASSED.model_copy(update={"unsandboxed": True})).unsandboxed


PRODUCT = list(
    product(
        (None, HEAD),
        (True, False),
        ((), ("a",)),
        (True, False),
        [(), (ASK,), (RETRY,), (BLOCK,), (ASK, RETRY), (ASK, BLOCK)],
        GateEnd,
        [None, GateEnd.PASSED, GateEnd.FAILED],
        ("", HEAD, "f" * 40),
    )
)


def test_verified_implies_everything_and_nothing_else_names_a_tree() -> None:
    seen = set()
    for head, changed, conflicts, empty, refusals, end, base_end, approved in PRODUCT:
        outcome = verdict(
            collected=Collected(head=head),
            changed=changed,
            preview=preview(conflicts=conflicts, empty=empty, tree=TREE),
            refusals=refusals,
            gate=GateResult(end=end),
            base_gate=GateResult(end=base_end) if base_end else None,
            approved_head=approved,
        )
        allowed = (
            head == HEAD
            and changed
            and not conflicts
            and not empty
            and end is GateEnd.PASSED
            and (not refusals or (refusals == (ASK,) and approved == HEAD))
        )
        seen.add(outcome.kind)
        assert (outcome.kind is OutcomeKind.VERIFIED) is allowed
        assert bool(outcome.tree) is allowed
        assert (outcome.kind is OutcomeKind.WAITING) <= bool(outcome.ask)
    assert seen == {
        OutcomeKind.EMPTY,
        OutcomeKind.CONFLICT,
        OutcomeKind.ALREADY_DONE,
        OutcomeKind.REFUSED,
        OutcomeKind.REJECTED,
        OutcomeKind.WAITING,
        OutcomeKind.VERIFIED,
    }


def log(*failing: str) -> str:
    return "\n".join(f"FAIL: {name} (tests.test_app)" for name in failing) + "\nFAILED (failures=1)\n"


@pytest.mark.parametrize(
    ("mine", "base", "fixes", "kind"),
    [
        (log("test_a"), log("test_a"), False, OutcomeKind.WAITING),
        (log("test_a"), log("test_a", "test_b"), False, OutcomeKind.WAITING),
        (log("test_a", "test_c"), log("test_a"), False, OutcomeKind.REJECTED),
        (log("test_a"), log("test_a"), True, OutcomeKind.REJECTED),
        ("no words at all\n", "no words at all\n", False, OutcomeKind.REJECTED),
    ],
)
def test_a_change_that_is_only_as_red_as_its_base_waits_for_the_base(
    mine: str, base: str, fixes: bool, kind: OutcomeKind
) -> None:
    outcome = verdict(
        spec=make_task(fixes_base=fixes),
        gate=GateResult(end=GateEnd.FAILED, exit_code=1, log_tail=mine),
        base_gate=GateResult(end=GateEnd.FAILED, exit_code=1, log_tail=base),
    )
    assert (outcome.kind, outcome.ask) == (kind, "base" if kind is OutcomeKind.WAITING else "")
    assert outcome.tree == ""
