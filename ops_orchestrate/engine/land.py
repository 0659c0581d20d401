"""Phase 5: the merge into the integration branch, serial per base, proved afterwards.

The squash commit is written before anything is pushed, with fixed dates, so its SHA is known: the intent that goes
into the ledger says everything. A second delivery finds the intent and looks whether the base has the commit; it
never pushes blindly. The forge moves the base only from the head that was seen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from ops_orchestrate import canvas
from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.change import Landing, LandingEnd, MergeIntent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.landing import Action, Step, decide_landing
from ops_orchestrate.core.message import squash_message
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import Stage
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.facts import landing_snapshot
from ops_orchestrate.engine.lease import keep
from ops_orchestrate.engine.step import Next, passed_on
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import GitError, SourceUnavailable


@dataclass(frozen=True, slots=True)
class _Case:
    """One verified attempt and everything that is needed to land it."""

    key: StageKey
    holder: str
    run: RunRecord
    record: TaskRecord
    repository: Repository
    tools: Toolbox


#: How long one job waits for another merge to the same base before it snoozes; a local merge takes milliseconds.
_TURN_SECONDS = 10.0


def land(key: StageKey, holder: str, tools: Toolbox) -> Next:
    """Merge a verified attempt, or say why not."""
    claim = tools.ledger.attempts.claim(key, Stage.LAND, holder=holder, host=tools.host, lease=tools.settings.lease)
    if claim.kind != "ok":
        return passed_on(claim)
    run = tools.ledger.runs.get(key.run)
    record = tools.ledger.tasks.get(key.run, key.task)
    case = _Case(key, holder, run, record, run.request.portfolio.repository(record.spec.repo), tools)
    turn = f"base:{record.spec.repo}:{record.spec.base}"
    with keep(key, Stage.LAND, holder, tools):
        if not _take_turn(turn, holder, tools):
            return _snooze(case, "another merge to this base is under way")
        try:
            return _land(case)
        except (GitError, SourceUnavailable) as error:
            return _snooze(case, str(error))
        finally:
            tools.ledger.locks.release(turn, holder)


def _take_turn(turn: str, holder: str, tools: Toolbox) -> bool:
    deadline = time.monotonic() + _TURN_SECONDS
    while not tools.ledger.locks.acquire(turn, holder, tools.settings.lease):
        if time.monotonic() > deadline or tools.stopping():
            return False
        time.sleep(0.05)
    return True


def _snooze(case: _Case, note: str) -> Next:
    """Not yet; unless the run is being stopped: then the attempt ends here, its commit stays in the mirror."""
    if case.tools.ledger.attempts.stop_asked(case.key.run, case.key.task):
        summary = f"Stopped before it was merged ({note})."
        return _end(case, Outcome(kind=OutcomeKind.INTERRUPTED, summary=summary, head=case.record.head))
    seconds = min(5.0, case.tools.settings.reconcile_every)
    case.tools.ledger.attempts.snooze(case.key, Stage.LAND, holder=case.holder, seconds=seconds, note=note)
    return Next.DROP


def _land(case: _Case) -> Next:
    case.tools.workshop.refresh(case.repository)
    action = decide_landing(landing_snapshot(case.key, case.run, case.record, case.repository, case.tools))
    if action.step is Step.REVERIFY:
        return _verify_again(case)
    if action.step is Step.WAIT:
        return _snooze(case, action.reason)
    if action.step is Step.MERGE:
        return _merge(case)
    intent = case.tools.ledger.attempts.intent(case.key.run, case.key.task)
    if action.step is Step.DONE and intent is not None:
        return _prove(case, intent)
    return _end(case, _outcome(action, case.record))


def _outcome(action: Action, record: TaskRecord) -> Outcome:
    kind = OutcomeKind.MERGED if action.step is Step.DONE else OutcomeKind.WAITING
    return Outcome(kind=kind, summary=action.reason, ask=action.ask, command=action.command, head=record.head)


def _verify_again(case: _Case) -> Next:
    """The base moved: the verdict no longer holds. Back to verify, with the rest of the chain behind it."""
    attempts = case.tools.ledger.attempts
    attempts.drop_intent(case.key)
    newer = attempts.again(case.key, holder=case.holder, frm=Stage.LAND, to=Stage.VERIFY)
    if newer is not None:
        canvas.publish(canvas.attempt(newer, start=Stage.VERIFY))
    return Next.DROP


def _merge(case: _Case) -> Next:
    attempts = case.tools.ledger.attempts
    intent = _announced(case) or _intent(case)
    if not attempts.intend(case.key, holder=case.holder, intent=intent):
        return Next.DROP
    landing = case.tools.forge_of(case.repository).land(case.repository, intent)
    if landing.end is LandingEnd.LANDED:
        return _prove(case, intent)
    if landing.end is LandingEnd.MOVED:
        return _verify_again(case)
    if landing.end is LandingEnd.UNKNOWN:
        # Unknown is not "no": the next look asks the base itself whether it has the commit.
        return _snooze(case, landing.detail)
    attempts.drop_intent(case.key)
    return _refused(case, landing)


def _announced(case: _Case) -> MergeIntent | None:
    """What was announced before, if it is this very attempt's: an earlier one may have died with its own."""
    attempts = case.tools.ledger.attempts
    known, verified = attempts.intent(case.key.run, case.key.task), attempts.verified(case.key)
    if known and (known.head, known.base, known.tree) == (case.record.head, verified.base, verified.tree):
        return known
    return None


def _intent(case: _Case) -> MergeIntent:
    """The prepared commit and all that is needed to repeat the push, or to recognise that it has happened."""
    verified = case.tools.ledger.attempts.verified(case.key)
    message = squash_message(case.record, run=case.key.run, summary=verified.summary)
    commit = case.tools.workshop.commit_tree(
        case.repository,
        tree=verified.tree,
        parents=(verified.base,),
        message=message,
        at=case.tools.ledger.now(),
    )
    return MergeIntent(
        repo=case.repository.key,
        branch=case.record.spec.base,
        base=verified.base,
        head=case.record.head,
        tree=verified.tree,
        commit=commit,
    )


def _prove(case: _Case, intent: MergeIntent) -> Next:
    """A merge counts once the base itself shows it, with the tree that was verified."""
    if not case.tools.forge_of(case.repository).proved(case.repository, intent):
        return _snooze(case, "the merge is not visible on the base yet")
    attempts = case.tools.ledger.attempts
    if not attempts.prove(case.key, holder=case.holder, intent=intent):
        return Next.DROP
    merged = {"kind": OutcomeKind.MERGED, "head": case.record.head, "base": intent.base, "merge": intent.commit}
    return _end(case, attempts.verified(case.key).model_copy(update=merged))


def _refused(case: _Case, landing: Landing) -> Next:
    key = case.key
    case.tools.ledger.runs.note(
        key.run,
        EventKind.MERGE_REFUSED,
        task=key.task,
        attempt=key.attempt,
        fence=key.fence,
        host=case.tools.host,
        data={"reason": landing.detail, "command": landing.command},
    )
    outcome = Outcome(
        kind=OutcomeKind.WAITING,
        summary=landing.detail,
        command=landing.command,
        ask="land",
        head=case.record.head,
    )
    return _end(case, outcome)


def _end(case: _Case, outcome: Outcome) -> Next:
    ended = case.tools.ledger.attempts.end(case.key, Stage.LAND, holder=case.holder, outcome=outcome, goes_on=False)
    return Next.GO_ON if ended else Next.DROP
