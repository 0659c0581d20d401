"""The merge of a pull request of the run's own: written down, asked for once with the verified head, then proved."""

from __future__ import annotations

from ops_orchestrate.core.change import Landing, LandingEnd
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.receipt import receipt
from ops_orchestrate.core.merge.snapshot import Act, Decision, MergeSnapshot
from ops_orchestrate.core.message import back_message, promotion_message, revert_merge_message
from ops_orchestrate.core.own_change import OwnKind
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.engine.promotion.course import Course, Step
from ops_orchestrate.engine.promotion.proof import landed
from ops_orchestrate.errors import SourceUnavailable


def ask_for_merge(course: Course, pursuit: Pursuit, seen: MergeSnapshot, decision: Decision) -> Step:
    """Ask the forge to merge the verified head, or to put it into its queue."""
    asked = pursuit.model_copy(update={"merged_at": course.tools.ledger.now()})
    course.keep(asked)
    _write_receipt(course, pursuit, seen, decision)
    try:
        landing = _enqueue(course, pursuit) if decision.act is Act.ENQUEUE else _ask(course, pursuit)
    except SourceUnavailable:
        course.keep(pursuit)  # it was not asked for: nothing is to be looked for
        raise
    if landing.end is LandingEnd.LANDED and decision.act is Act.ENQUEUE:
        course.keep(pursuit.model_copy(update={"queued": pursuit.queued + 1}))
        return PromotionState.PENDING, f"#{pursuit.number} is in the merge queue of {course.base}"
    if landing.end is LandingEnd.LANDED:
        return landed(course, asked, landing.commit)
    if landing.end is LandingEnd.UNKNOWN:
        return PromotionState.PENDING, landing.detail or f"#{pursuit.number} is on its way"
    counted = pursuit.refused()
    course.keep(counted)
    if not counted.given_up(landing.end):
        return PromotionState.PENDING, landing.detail
    return PromotionState.REFUSED, f"#{pursuit.number}: the forge refused the merge: {landing.detail}"


def _write_receipt(course: Course, pursuit: Pursuit, seen: MergeSnapshot, decision: Decision) -> None:
    """What the table had to say, before the forge is asked: anybody can check the merge by it."""
    said = receipt(seen, decision)
    text = f"#{pursuit.number}, {course.own.noun} to {course.base}: {said['text']}"
    data = {"what": "merge gate", **said, "project": course.repository.name, "text": text}
    course.tools.ledger.runs.note(course.run.id, EventKind.EVIDENCE, host=course.tools.host, data=data)


def _enqueue(course: Course, pursuit: Pursuit) -> Landing:
    return course.pulls.enqueue(course.repository, pursuit.number, head=pursuit.head)


def _ask(course: Course, pursuit: Pursuit) -> Landing:
    title, _, rest = _message(course, pursuit.head).partition("\n")
    return course.pulls.merge(
        course.repository,
        pursuit.number,
        head=pursuit.head,
        method=course.plan.method,
        title=f"{title} (#{pursuit.number})",
        message=rest.strip("\n"),
    )


def _message(course: Course, head: str) -> str:
    plan, run = course.plan, course.run.id
    if course.own.kind is OwnKind.REVERT:
        return revert_merge_message(plan.commit, branch=plan.base, run=run, head=head)
    if course.own.kind is OwnKind.BACK:
        return back_message(integration=plan.base, main=plan.source, run=run, head=head)
    return promotion_message(integration=plan.source, main=plan.base, run=run, head=head)
