"""Phase 4: what an attempt delivered is verified by us, never by the agent's word.

The merge preview (base + change) is judged: guards on the diff, the project's gate in a fresh checkout of it, and
where the gate fails the base's own result beside it. The verdict holds for exactly this head on this base.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.change import Collected, Diff, GateEnd, GateResult, Preview
from ops_orchestrate.core.early import Standing
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.guard import judge
from ops_orchestrate.core.progress import Phase
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.refusal import Consequence, Refusal, Subject
from ops_orchestrate.core.review import RULE, review_due
from ops_orchestrate.core.states import Stage
from ops_orchestrate.core.tail import relevant_tail
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.core.verdict import Reviewing, verify_verdict
from ops_orchestrate.engine.early import standing_of
from ops_orchestrate.engine.lease import Lease, boot_clock, keep
from ops_orchestrate.engine.placing import publish_tail
from ops_orchestrate.engine.regate import with_gate
from ops_orchestrate.engine.step import Next, passed_on
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.unlisted import gate_wanted, tell
from ops_orchestrate.errors import GitError, SourceUnavailable
from ops_orchestrate.ledger import Closing, Granted
from ops_orchestrate.ledger.facts import GateKey


class Judgement(NamedTuple):
    """What became of looking at a change."""

    outcome: Outcome | None
    """None where a security review is due before there is one."""
    told: tuple[Mapping[str, Any], ...] = ()
    """The evidence behind it, for the log."""


def verify(key: StageKey, holder: str, tools: Toolbox) -> Next:
    """Judge the newest attempt's head against the base's newest head."""
    asked_at = boot_clock()
    claim = tools.ledger.attempts.claim(key, Stage.VERIFY, holder=holder, host=tools.host, lease=tools.settings.lease)
    if not isinstance(claim, Granted):
        return passed_on(claim)
    repository = claim.run.request.portfolio.repository(claim.task.spec.repo)
    record = with_gate(claim.task, repository)
    waits = standing_of(record, tools)
    if waits.waits and not waits.lost and not claim.stop:
        _wait(key, holder, waits, tools)
        return Next.DROP
    with keep(key, Stage.VERIFY, holder, tools, asked_at=asked_at, stop=claim.stop) as lease:
        try:
            judged = _overtaken(record, waits) or _judge(key, record, repository, lease, tools)
        except (GitError, SourceUnavailable) as error:
            tools.doing(Phase.WAITING, str(error))
            # Where the claim was lost meanwhile this does nothing: whoever has it goes on.
            tools.ledger.attempts.snooze(
                key, Stage.VERIFY, holder=holder, seconds=tools.settings.reconcile_every, note=str(error)
            )
            return Next.DROP
        if lease.lost.is_set():
            return Next.DROP
        outcome = judged.outcome
        if outcome is None and not lease.stop:
            return _have_reviewed(key, holder, judged.told, tools)
        if outcome is None or lease.stop:
            outcome = _interrupted(outcome or Outcome(kind=OutcomeKind.INTERRUPTED, head=record.head))
        goes_on, closing = outcome.kind is OutcomeKind.VERIFIED, Closing(told=judged.told)
        ended = tools.ledger.attempts.end(
            key, Stage.VERIFY, holder=holder, outcome=outcome, goes_on=goes_on, closing=closing
        )
    return Next.GO_ON if ended else Next.DROP


def _wait(key: StageKey, holder: str, waits: Standing, tools: Toolbox) -> None:
    """What started early is not judged before its blockers are on their base; whoever settles one wakes it."""
    pause = tools.settings.ci_poll
    tools.doing(Phase.WAITING, waits.why)
    tools.ledger.attempts.snooze(key, Stage.VERIFY, holder=holder, seconds=pause, note=waits.why)


def _overtaken(record: TaskRecord, waits: Standing) -> Judgement | None:
    """What an early attempt ends as that cannot be judged: stopped, or with a blocker that has ended otherwise."""
    if waits.done:
        return None
    return Judgement(Outcome(kind=OutcomeKind.INTERRUPTED, summary=waits.why, head=record.head))


def _interrupted(outcome: Outcome) -> Outcome:
    """A stop came while the gate ran: its verdict may be that of a killed gate, so nothing is concluded from it."""
    return outcome.model_copy(update={"kind": OutcomeKind.INTERRUPTED, "summary": "Stopped while it was verified."})


def _have_reviewed(key: StageKey, holder: str, told: Sequence[Mapping[str, Any]], tools: Toolbox) -> Next:
    """A reviewer looks first, where agents run; then it is verified once more, with what they said."""
    for data in told:
        tools.note(key, EventKind.EVIDENCE, data)
    tools.doing(Phase.WAITING, "a security review is due")
    newer = tools.ledger.attempts.again(key, holder=holder, frm=Stage.VERIFY, to=Stage.REVIEW)
    if newer is not None:
        publish_tail(newer, Stage.REVIEW, tools)
    return Next.DROP


def _refusals(
    diff: Diff, record: TaskRecord, repository: Repository, refused_before: tuple[str, ...], tools: Toolbox
) -> tuple[Refusal, ...]:
    """What the guards have against the change."""
    return judge(
        Subject(
            diff=diff,
            spec=record.spec,
            secrets=tuple(tools.secrets.scan(diff)),
            sensitive=(*repository.sensitive, *tools.settings.sensitive_paths),
            refused_before=refused_before,
        )
    )


def _judge(key: StageKey, record: TaskRecord, repository: Repository, lease: Lease, tools: Toolbox) -> Judgement:
    work = tools.workshop
    tools.doing(Phase.JUDGING, repository.name)
    work.refresh(repository)
    base = work.head(repository, record.spec.base)
    if base is None:
        raise GitError(f"{repository.name} has no branch {record.spec.base} any more.")
    preview = work.preview(repository, base, record.head)
    diff = work.diff(repository, base, record.head)
    refused_before = _refused_before(key, tools)
    refusals = _refusals(diff, record, repository, refused_before, tools)
    gate, base_gate = _gates(repository, preview, refusals, lease, tools)
    told = (_evidence(diff, preview, gate),)
    judged = tools.ledger.looks.verdict(key)
    review, approved, before = judged.review, judged.approved, judged.outcome
    review = review if review and review.holds_for(record.head, diff.merge_base) else None
    policy = tools.settings.sensitive_review
    outcome = verify_verdict(
        spec=record.spec,
        collected=Collected(head=record.head),
        preview=preview,
        refusals=refusals,
        gate=gate,
        base_gate=base_gate,
        approved_head=approved,
        changed=bool(diff.files),
        reviewing=Reviewing(
            review=review,
            policy=policy,
            rounds=refused_before.count(RULE),
            most_rounds=tools.settings.review_rounds,
        ),
    )
    if review_due(outcome, refusals, review, policy=policy, approved=bool(approved) and approved == record.head):
        return Judgement(None, told)
    said = outcome.model_copy(
        update={
            "log_tail": tools.secrets.redact(outcome.log_tail),
            "summary": outcome.summary or _said(before),
            "hand_over": before.hand_over if before else "",
            "files": outcome.files or tuple(change.path for change in diff.files),
        }
    )
    return Judgement(said, told)


def _said(before: Outcome | None) -> str:
    """What the agent said that it did; a word of ours in between (a review was due) is no description of the change."""
    return before.summary if before and before.kind in (OutcomeKind.SUCCEEDED, OutcomeKind.VERIFIED) else ""


def _refused_before(key: StageKey, tools: Toolbox) -> tuple[str, ...]:
    attempts = tools.ledger.tasks.attempts_before(key)
    return tuple(one.outcome.rule for one in attempts if one.outcome and one.outcome.rule)


def _gates(
    repository: Repository, preview: Preview, refusals: tuple[Refusal, ...], lease: Lease, tools: Toolbox
) -> tuple[GateResult, GateResult | None]:
    """The gate on the preview, and the base's own result where that failed. A hopeless change costs no gate."""
    hopeless = any(refusal.consequence is not Consequence.ASK for refusal in refusals)
    if preview.conflicts or preview.empty or hopeless:
        return GateResult(end=GateEnd.UNAVAILABLE, log_tail="not run: the change is not acceptable as it is"), None
    gate = gate_on(repository, preview.commit, preview.tree, lease, tools)
    if gate.end not in (GateEnd.FAILED, GateEnd.TIMED_OUT):
        return gate, None
    base_tree = tools.workshop.tree_of(repository, preview.base)
    return gate, gate_on(repository, preview.base, base_tree, lease, tools)


def gate_on(repository: Repository, commit: str, tree: str, lease: Lease | None, tools: Toolbox) -> GateResult:
    """The gate's result on a tree, from the ledger's memory where this very tree and gate were run before.

    That it could not be run says nothing of the tree: somebody may have mended that, so it is tried again.
    """
    known = known_gate(repository, tree, tools)
    if known is not None and known.end is not GateEnd.UNAVAILABLE:
        if lease is not None and known.end is not GateEnd.PASSED:
            tell(lease.key, gate_wanted(repository, known, tools), tools)
        return known
    tools.doing(Phase.GATING, repository.name)
    with tools.workshop.checkout(repository, commit) as path:
        result = tools.gates.run(repository, path, network=repository.gate_network, stop=lease.halt if lease else None)
    if lease is not None:
        tell(lease.key, gate_wanted(repository, result, tools), tools)
    redact = tools.secrets.redact
    told = {"log_tail": redact(result.log_tail), "unlisted": tuple(map(redact, result.unlisted))}
    result = result.model_copy(update=told)
    if lease is None or not lease.halt.is_set():
        tools.ledger.facts.put_gate(*gate_key(repository, tree), result)
    return result


def known_gate(repository: Repository, tree: str, tools: Toolbox) -> GateResult | None:
    """What the ledger remembers of this gate on this tree; None where it was not run yet."""
    if repository.gate is None:
        return GateResult(end=GateEnd.NO_GATE)
    return tools.ledger.facts.gate(*gate_key(repository, tree))


def gate_key(repository: Repository, tree: str) -> GateKey:
    """Under what the ledger keeps the result on a tree, by a digest of the gate and of what it runs with.

    A changed gate is another gate.
    """
    more = (repository.gate_seconds, repository.gate_network, sorted(repository.gate_hosts))
    digest = hashlib.sha256(repr((repository.gate or "", *more)).encode()).hexdigest()[:16]
    return repository.key, tree, digest


#: Of a gate that ended so, a person wants to read why.
_TELLING = frozenset({GateEnd.FAILED, GateEnd.TIMED_OUT})
#: Characters of its log in the event: enough for what failed, too little to fill the ledger.
_LOG = 3_000


def _evidence(diff: Diff, preview: Preview, gate: GateResult) -> dict[str, Any]:
    return {
        "what": "merge preview",
        "head": diff.head,
        "base": preview.base,
        "tree": preview.tree,
        "files": [change.path for change in diff.files][:50],
        "gate": str(gate.end),
        "exit_code": gate.exit_code,
        "seconds": round(gate.seconds, 3),
        "unsandboxed": gate.unsandboxed,
        "log": relevant_tail(gate.log_tail, _LOG) if gate.end in _TELLING else "",
    }
