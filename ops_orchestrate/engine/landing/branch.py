"""Landing where there are no pull requests: one commit of ours, pushed to the base by compare-and-set.

The squash commit is written before anything is pushed, with fixed dates, so its SHA is known: the intent that goes
into the ledger says everything. A second delivery finds the intent and looks whether the base has the commit; it
never pushes blindly. The forge moves the base only from the head that was seen.
"""

from __future__ import annotations

import time
from dataclasses import replace

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.change import Landing, LandingEnd, MergeIntent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.landing import Action, Step, decide_landing
from ops_orchestrate.core.message import squash_message
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.landing.case import Case, end, merged, snooze, verify_again, wait_for_person
from ops_orchestrate.engine.landing.facts import landing_snapshot
from ops_orchestrate.engine.lease import base_lock
from ops_orchestrate.engine.step import Next
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.ledger import Announced
from ops_orchestrate.ledger.looks import Landable

#: How long one job waits for another merge to the same base before it snoozes; a local merge takes milliseconds.
_TURN_SECONDS = 10.0


def land_branch(case: Case) -> Next:
    """Merge it, or say why not.

    The turn at the base comes with the announcement: mostly nobody else has it. Who has to wait for it looks again.
    """
    if (landed := _land(case)) is not None:
        return landed
    turn, busy = base_lock(case.repository.key, case.base), "another merge to this base is under way"
    if not _take_turn(turn, case.holder, case.tools):
        return snooze(case, busy)
    try:
        return _land(case) or snooze(case, busy)
    finally:
        case.tools.ledger.locks.release(turn, case.holder)


def _take_turn(turn: str, holder: str, tools: Toolbox) -> bool:
    deadline = time.monotonic() + _TURN_SECONDS
    while not tools.ledger.locks.acquire(turn, holder, tools.settings.lease):
        if time.monotonic() > deadline or tools.stopping():
            return False
        time.sleep(0.05)
    return True


def _land(case: Case) -> Next | None:
    """None where another merge to this base is under way."""
    case.tools.workshop.refresh(case.repository)
    known = case.tools.ledger.looks.landing(case.key)
    action = decide_landing(landing_snapshot(case, known))
    if action.step is Step.REVERIFY:
        return verify_again(case)
    if action.step is Step.WAIT:
        return snooze(case, action.reason)
    if action.step is Step.MERGE:
        return _merge(case, known)
    if action.step is Step.DONE and known.intent is not None:
        return _prove(case, known.intent, known.verified)
    return end(case, _outcome(action, case.record))


def _outcome(action: Action, record: TaskRecord) -> Outcome:
    kind = OutcomeKind.MERGED if action.step is Step.DONE else OutcomeKind.WAITING
    return Outcome(kind=kind, summary=action.reason, ask=action.ask, command=action.command, head=record.head)


def _merge(case: Case, known: Landable) -> Next | None:
    intent = _announced(case, known) or _intent(case, known)
    ledger, turn = case.tools.ledger, base_lock(case.repository.key, case.base)
    announced = ledger.attempts.intend(
        case.key, holder=case.holder, intent=intent, lock=turn, ttl=case.tools.settings.lease
    )
    if announced is not Announced.DONE:
        return None if announced is Announced.BUSY else Next.DROP
    outcome = Next.DROP
    try:
        outcome = _push(replace(case, turn=turn), known, intent)
    finally:
        if outcome is Next.DROP:  # where the attempt has ended, that has given it back
            ledger.locks.release(turn, case.holder)
    return outcome


def _push(case: Case, known: Landable, intent: MergeIntent) -> Next:
    landing = case.tools.forge_of(case.repository).land(case.repository, intent)
    if landing.end is LandingEnd.LANDED:
        return _prove(case, intent, known.verified)
    if landing.end is LandingEnd.MOVED:
        return verify_again(case)
    if landing.end is LandingEnd.UNKNOWN:
        # Unknown is not "no": the next look asks the base itself whether it has the commit.
        return snooze(case, landing.detail)
    case.tools.ledger.attempts.drop_intent(case.key)
    return _refused(case, landing)


def _announced(case: Case, known: Landable) -> MergeIntent | None:
    """What was announced before, if it is this very attempt's: an earlier one may have died with its own."""
    intent, verified = known.intent, known.verified
    if intent and (intent.head, intent.base, intent.tree) == (case.record.head, verified.base, verified.tree):
        return intent
    return None


def _intent(case: Case, known: Landable) -> MergeIntent:
    """The prepared commit and all that is needed to repeat the push, or to recognise that it has happened."""
    verified = known.verified
    message = squash_message(case.record, run=case.key.run, summary=verified.summary)
    commit = case.tools.workshop.commit_tree(
        case.repository,
        tree=verified.tree,
        parents=(verified.base,),
        message=message,
        at=known.now,
    )
    return MergeIntent(
        repo=case.repository.key,
        branch=case.base,
        base=verified.base,
        head=case.record.head,
        tree=verified.tree,
        commit=commit,
    )


def _prove(case: Case, intent: MergeIntent, verified: Outcome) -> Next:
    """A merge counts once the base itself shows it, with the tree that was verified."""
    if not case.tools.forge_of(case.repository).proved(case.repository, intent):
        return snooze(case, "the merge is not visible on the base yet")
    return merged(case, intent, verified)


def _refused(case: Case, landing: Landing) -> Next:
    case.note(EventKind.MERGE_REFUSED, {"reason": landing.detail, "command": landing.command})
    return wait_for_person(case, landing.detail, command=landing.command)
