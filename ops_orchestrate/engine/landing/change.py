"""Landing through a pull request: push, open, and then one look after the other until the table says what to do.

A look reads the change once, asks the one rule (`core/merge/decide.py`) and does the one thing that it says. Waiting
is cheap: the open changes of a repository are read together, and only when the shared answer would no longer say
"wait" is this one read for itself. Nothing is held while waiting but the lane: of the changes to one base, one at a
time is brought up to date and merged, so that no CI is paid for a base that is about to move.
"""

from __future__ import annotations

from collections.abc import Callable

from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.rows_checks import pause_for_ci
from ops_orchestrate.core.merge.snapshot import Act
from ops_orchestrate.engine.landing.case import Case, snooze, verify_again, wait_for_person
from ops_orchestrate.engine.landing.lane import in_lane, keep_lane, wait_in_line
from ops_orchestrate.engine.landing.look import Look, take_look
from ops_orchestrate.engine.landing.mend import answer_threads, fix, look_into, rerun
from ops_orchestrate.engine.landing.merge import ask_for_merge, enqueue, reconcile_merge
from ops_orchestrate.engine.landing.publish import bring_up_to_date, follow_head, publish_change
from ops_orchestrate.engine.step import Next
from ops_orchestrate.ports import PullRequests

#: Looks in one job: looking into failures and answering threads lead to another look at once.
_LOOKS = 4


def land_change(case: Case, pulls: PullRequests) -> Next:
    """Bring the change one step further."""
    attempts = case.tools.ledger.attempts
    asked_for = attempts.intent(case.key.run, case.key.task) is not None
    if attempts.stop_asked(case.key.run, case.key.task) and not asked_for:
        return snooze(case, "the run is being stopped")  # what may be merged already is looked at first
    keep_lane(case)
    verified = attempts.verified(case.key)
    if verified.head != case.record.head or not verified.tree:
        return verify_again(case)
    known = attempts.pursuit(case.key.run, case.key.task)
    if known.in_line and not in_lane(case):
        return wait_in_line(case, known)
    case.tools.workshop.refresh(case.repository)
    pursuit = publish_change(case, pulls)
    if isinstance(pursuit, Pursuit) and _was_pushed(case, pursuit, known) and (pause := _ci_begins(case)):
        keep_lane(case, also=pause)
        return snooze(case, "its CI has just begun", pause)
    for _ in range(_LOOKS):
        if isinstance(pursuit, Next):
            return pursuit
        look = take_look(case, pulls, pursuit)
        if not attempts.pursue(case.key, holder=case.holder, pursuit=look.pursuit):
            return Next.DROP
        pursuit = _ACTS[look.decision.act](case, pulls, look)
    return pursuit if isinstance(pursuit, Next) else snooze(case, pursuit.reason, case.tools.settings.ci_poll)


def _was_pushed(case: Case, pursuit: Pursuit, known: Pursuit) -> bool:
    """Whether this job has pushed its head. One that is gone on with as it stands has had it for long."""
    kept = case.tools.ledger.attempts.pursuit(case.key.run, case.key.task)
    return pursuit.head != known.head and pursuit.head == kept.head


def _ci_begins(case: Case) -> float:
    """Seconds in which nothing can be decided about a head that was pushed just now; 0: there is no CI to wait for."""
    settings, facts = case.tools.settings, case.tools.ledger.facts
    if case.repository.ci == "none":
        return 0.0
    usual = facts.usual_ci(case.repository.key, case.base)
    return pause_for_ci(usual, 0.0, poll=settings.ci_poll, settle=settings.ci_settle) or settings.ci_poll


def _wait(case: Case, pulls: PullRequests, look: Look) -> Next:
    del pulls
    if look.decision.person:  # nobody looks at it in vain all night: the next run, or an answer, looks again
        return wait_for_person(case, look.decision.reason)
    pause = look.decision.after or case.tools.settings.ci_poll
    keep_lane(case, also=pause)  # who is in it stays: else each one in line would pay for CI on a base about to move
    return snooze(case, look.decision.reason, pause)


def _ask(case: Case, pulls: PullRequests, look: Look) -> Next:
    del pulls
    return wait_for_person(case, look.decision.reason, ask="approve")


def _leave(case: Case, pulls: PullRequests, look: Look) -> Next:
    del pulls
    return wait_for_person(case, f"{look.decision.row}: {look.decision.reason}")


#: What each act is. A Pursuit as its answer means: look again now.
_ACTS: dict[Act, Callable[[Case, PullRequests, Look], Next | Pursuit]] = {
    Act.WAIT: _wait,
    Act.LOOK: look_into,
    Act.RERUN: rerun,
    Act.FIX: fix,
    Act.ANSWER: answer_threads,
    Act.REVERIFY: follow_head,
    Act.UPDATE: bring_up_to_date,
    Act.ENQUEUE: enqueue,
    Act.MERGE: ask_for_merge,
    Act.RECONCILE: reconcile_merge,
    Act.ASK: _ask,
    Act.FLAG: _leave,
    Act.BLOCK: _leave,
}
