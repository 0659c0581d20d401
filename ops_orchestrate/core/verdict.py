"""Phase 4's conclusion: what the evidence about one change on one base amounts to. Never the agent's word.

First match wins: nothing made, nothing left to do, a conflict, a guard's no, the gate, then a person's yes where a
guard asks for one. A red gate is never merged, also on a red base: only the change that turns it green passes.
"""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.change import Collected, GateEnd, GateResult, Preview
from ops_orchestrate.core.guard import strictest
from ops_orchestrate.core.refusal import Consequence, Refusal, named
from ops_orchestrate.core.review import Policy, Review, lifted, objection
from ops_orchestrate.core.tail import failure_lines, relevant_tail
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.core.value import Value


class Reviewing(Value):
    """What there is of a security review, and the owner's rule about it."""

    review: Review | None = None
    """Of this very head; None where there is none yet."""
    policy: Policy = "person"
    rounds: int = 0
    """How often a reviewer has sent the task back before."""
    most_rounds: int = 0


#: Gate ends that are no evidence of anything, and what a person can do about each.
_NO_EVIDENCE: dict[GateEnd, str] = {
    GateEnd.NO_GATE: "it has no quality gate, so nothing can prove its work; give its registry entry an `ops.gate` and "
    "answer yes: the gate is read from there then",
    GateEnd.NO_TESTS: "its gate passed without running a test, which proves nothing; mend `ops.gate` in the registry "
    "and answer yes: it is read from there then",
    GateEnd.UNAVAILABLE: "its gate could not be run; `ops-orchestrate doctor` says what is missing; answer yes then",
}


def verify_verdict(
    *,
    spec: TaskSpec,
    collected: Collected,
    preview: Preview,
    refusals: Sequence[Refusal],
    gate: GateResult,
    base_gate: GateResult | None,
    approved_head: str,
    changed: bool = True,
    reviewing: Reviewing | None = None,
) -> Outcome:
    """The outcome of the verify stage. `base_gate` is the base's own result, looked at only where the gate failed.

    `changed` is whether the diff from the merge base holds anything: an empty commit is no work, and never "done
    already". Only VERIFIED names a tree, so that nothing else can be taken for a verdict when it lands.
    """
    found = _unfit(collected, preview, changed) or _refused(refusals) or _gate(spec, gate, base_gate)
    approved = bool(approved_head) and approved_head == collected.head
    found = found or (None if approved else _asked(refusals, reviewing or Reviewing()))
    outcome = found or Outcome(kind=OutcomeKind.VERIFIED)
    review = reviewing.review if reviewing else None
    return outcome.model_copy(
        update={
            "review": review.sentence if review else "",
            "head": collected.head or "",
            "base": preview.base,
            "tree": preview.tree if outcome.kind is OutcomeKind.VERIFIED else "",
            "unsandboxed": gate.unsandboxed,
        }
    )


def _unfit(collected: Collected, preview: Preview, changed: bool) -> Outcome | None:
    if collected.head is None:
        return Outcome(kind=OutcomeKind.EMPTY, summary=collected.problem or "There is no commit to judge.")
    if not changed:
        return Outcome(kind=OutcomeKind.EMPTY, summary="Its commits change nothing.")
    if preview.conflicts:
        words = f"It conflicts with the base in {named(preview.conflicts)}."
        return Outcome(kind=OutcomeKind.CONFLICT, summary=words, files=preview.conflicts)
    if preview.empty:
        return Outcome(kind=OutcomeKind.ALREADY_DONE, summary="The base has all of it already.")
    return None


def _refused(refusals: Sequence[Refusal]) -> Outcome | None:
    """What no approval lifts: another attempt can repair it, or only a person's own hand."""
    refusal = strictest(refusals)
    if refusal is None or refusal.consequence is Consequence.ASK:
        return None
    return Outcome(
        kind=OutcomeKind.REFUSED,
        summary=refusal.detail,
        rule=refusal.rule,
        files=refusal.files,
        ask="retry" if refusal.consequence is Consequence.BLOCK else "",
    )


def _gate(spec: TaskSpec, gate: GateResult, base_gate: GateResult | None) -> Outcome | None:
    if gate.end is GateEnd.PASSED:
        return None
    if gate.end in _NO_EVIDENCE:
        words = f"{spec.project}: {_NO_EVIDENCE[gate.end]}"
        return Outcome(kind=OutcomeKind.WAITING, summary=words, ask="verify", log_tail=gate.log_tail)
    if not spec.fixes_base and _same_as_base(gate, base_gate):
        words = "The base itself fails its gate in the same way; it is verified again once the base is green."
        return Outcome(
            kind=OutcomeKind.WAITING, summary=words, ask="base", log_tail=relevant_tail(gate.log_tail, 4_000)
        )
    how = "ran out of time" if gate.end is GateEnd.TIMED_OUT else f"failed (exit {gate.exit_code})"
    red = base_gate is not None and base_gate.end is not GateEnd.PASSED
    beside = "; the base without the change fails too" if red else ""
    return Outcome(
        kind=OutcomeKind.REJECTED,
        summary=f"The quality gate {how} on the merge preview{beside}.",
        log_tail=relevant_tail(gate.log_tail, 4_000),
    )


def _same_as_base(gate: GateResult, base_gate: GateResult | None) -> bool:
    """Whether the change adds no failure of its own to a base that is red. A gate out of time shows nothing."""
    if base_gate is None or gate.end is not GateEnd.FAILED or base_gate.end is not GateEnd.FAILED:
        return False
    failures = failure_lines(gate.log_tail)
    return bool(failures) and failures <= failure_lines(base_gate.log_tail)


def _asked(refusals: Sequence[Refusal], reviewing: Reviewing) -> Outcome | None:
    """What the reviewer wants mended; then a guard that a person may lift, for this very head."""
    review, policy = reviewing.review, reviewing.policy
    against = objection(review, refusals, policy=policy, rounds=reviewing.rounds, most_rounds=reviewing.most_rounds)
    if against is not None:
        return against
    asking = strictest([one for one in refusals if one.rule not in lifted(review, policy)])
    if asking is None:
        return None
    said = f" {review.sentence}." if review and policy != "person" else ""
    return Outcome(
        kind=OutcomeKind.WAITING,
        summary=f"{asking.detail}{said}",
        rule=asking.rule,
        files=asking.files,
        ask="approve-change",
    )
