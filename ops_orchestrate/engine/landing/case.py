"""One verified attempt that is being landed, and the few ways in which a look at it can end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.change import MergeIntent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.progress import Phase
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import Stage
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.placing import publish_tail
from ops_orchestrate.engine.step import Next
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError, SourceUnavailable
from ops_orchestrate.ledger import Closing


@dataclass(frozen=True, slots=True)
class Case:
    """The attempt and everything that is needed to land it."""

    key: StageKey
    holder: str
    run: RunRecord
    record: TaskRecord
    repository: Repository
    tools: Toolbox
    turn: str = ""
    """The lock of the base, while this attempt holds it: the end of the attempt gives it back."""

    @property
    def base(self) -> str:
        """The branch that it is to get into."""
        return self.record.spec.base

    def note(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        """Write an event of this attempt."""
        self.tools.note(self.key, kind, data)


def snooze(case: Case, note: str, seconds: float = 0.0) -> Next:
    """Not yet; unless the run is being stopped: then the attempt ends here, its commit stays in the mirror."""
    if case.tools.ledger.attempts.stop_asked(case.key.run, case.key.task):
        summary = f"Stopped before it was merged ({note})."
        return end(case, Outcome(kind=OutcomeKind.INTERRUPTED, summary=summary, head=case.record.head))
    pause = seconds or min(5.0, case.tools.settings.reconcile_every)
    case.tools.doing(Phase.WAITING, note)
    case.tools.ledger.attempts.snooze(case.key, Stage.LAND, holder=case.holder, seconds=pause, note=note)
    return Next.DROP


def verify_again(case: Case, head: str = "") -> Next:
    """The verdict no longer holds, or the change has another head: back to verify, with the chain's rest behind it."""
    attempts = case.tools.ledger.attempts
    attempts.drop_intent(case.key)
    newer = attempts.again(case.key, holder=case.holder, frm=Stage.LAND, to=Stage.VERIFY, head=head)
    if newer is not None:
        publish_tail(newer, Stage.VERIFY, case.tools)
    return Next.DROP


def wait_for_person(case: Case, reason: str, *, ask: str = "land", command: str = "") -> Next:
    """Only a person moves it on."""
    outcome = Outcome(kind=OutcomeKind.WAITING, summary=reason, ask=ask, command=command, head=case.record.head)
    return end(case, outcome)


def merged(case: Case, intent: MergeIntent, verified: Outcome) -> Next:
    """The base has it, and that was proved. `verified`: what verify recorded for the attempt."""
    told = {"kind": OutcomeKind.MERGED, "head": intent.head, "base": intent.base, "merge": intent.commit}
    if _is_seen_elsewhere(case):  # nobody is told before it is written down
        if not case.tools.ledger.attempts.prove(case.key, holder=case.holder, intent=intent):
            return Next.DROP
        _close_sources(case)
        _remove_branch(case, intent)
    return end(case, verified.model_copy(update=told), proof=intent)


def _is_seen_elsewhere(case: Case) -> bool:
    """Whether the merge has consequences outside of its base."""
    return bool(case.record.spec.closes) or case.tools.pulls_of(case.repository) is not None


def _remove_branch(case: Case, intent: MergeIntent) -> None:
    """The change's own branch, where it still stands at what was merged.

    Nobody waits for it: one whose removal is not answered is removed before the repository's last steps.
    """
    pulls = case.tools.pulls_of(case.repository)
    if pulls is None:
        return
    branch = case.tools.ledger.attempts.pursuit(case.key.run, case.key.task).branch
    if not branch:
        return
    with suppress(SourceUnavailable):
        pulls.remove(case.repository, branch=branch, head=intent.head)


def _close_sources(case: Case) -> None:
    """Say at its sources that it is done, where the owner allows it; the forge closes its own issues itself."""
    for name in case.record.spec.closes:
        tracker = case.tools.trackers.get(name.partition(":")[0])
        if tracker is None:
            continue
        try:
            moved = tracker.close(name)
        except OpsError as error:
            case.note(EventKind.WARNING, {"text": f"{name} could not be marked as done: {error}"})
            continue
        text = f"{name} is marked as done" if moved else f"{name} was marked as done already"
        case.note(EventKind.EVIDENCE, {"what": "source closed", "text": text})


def end(case: Case, outcome: Outcome, *, proof: MergeIntent | None = None) -> Next:
    """The attempt is over, and its turn at the base; settle goes on. `proof`: the merge that the base shows."""
    closing = Closing(proof=proof, unlock=case.turn)
    ended = case.tools.ledger.attempts.end(
        case.key, Stage.LAND, holder=case.holder, outcome=outcome, goes_on=False, closing=closing
    )
    return Next.GO_ON if ended else Next.DROP
