"""A pull request of the run's own: pinned to the commit that was checked, on a branch that holds nothing else.

A pull request whose head is the integration branch changes under review; this one cannot. It goes through the same
table as every change. What that says beyond waiting, running again and merging is for a person: no agent works on it.
"""

from __future__ import annotations

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.merge.decide import decide
from ops_orchestrate.core.merge.failure import classify
from ops_orchestrate.core.merge.pull import Pull, PullState
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.snapshot import Act, Decision, MergeSnapshot
from ops_orchestrate.core.names import short
from ops_orchestrate.core.own_change import OwnKind
from ops_orchestrate.core.promotion import Promotion, PromotionState, goes_on
from ops_orchestrate.engine.promotion.course import Course, Step
from ops_orchestrate.engine.promotion.merge import ask_for_merge
from ops_orchestrate.engine.promotion.overtaken import close_overtaken, overtaken_by
from ops_orchestrate.engine.promotion.proof import landed, merged_as
from ops_orchestrate.engine.promotion.update import bring_up_to_date
from ops_orchestrate.engine.seen import SHARED, policy_of, snapshot_of


def pursue(course: Course, known: Promotion | None) -> Step:
    """One look at its pull request, and the one thing that is to be done about it."""
    pursuit = known.pursuit if known else None
    if pursuit and merged_as(course, pursuit):
        return landed(course, pursuit)  # by us, whose worker died then, or by a person
    if pursuit is None or known is None or not _goes_on(course, known):
        opened = _open(course)
        if not isinstance(opened, Pursuit):
            return opened
        pursuit = opened
    return _look(course, pursuit)


def _look(course: Course, pursuit: Pursuit) -> Step:
    """The shared answer where it says "wait", else this one read for itself."""
    shared = course.pulls.glance(course.repository, pursuit.number, SHARED * course.tools.settings.ci_poll)
    looked, seen, decision = _judged(course, pursuit, shared, whole=False)
    if decision.act is not Act.WAIT or decision.person or not shared.complete:
        pull = course.pulls.read(course.repository, pursuit.number)
        looked, seen, decision = _judged(course, pursuit, pull, whole=True)
    course.keep(looked)
    return _act(course, looked, seen, decision)


def _judged(course: Course, pursuit: Pursuit, pull: Pull, *, whole: bool) -> tuple[Pursuit, MergeSnapshot, Decision]:
    looked = pursuit.saw(pull, course.tools.ledger.now())
    seen = _snapshot(course, looked, pull)
    if whole:
        seen = seen.model_copy(update=_what_only_a_merge_needs(course, pull))
    decision = decide(seen)
    return looked.decided(decision), seen, decision


def _what_only_a_merge_needs(course: Course, pull: Pull) -> dict[str, object]:
    """The state of the base's own checks, and our rights: a wait needs neither, and both cost the forge something."""
    return {
        "base_checks": course.pulls.checks(course.repository, course.plan.base_head, seen=pull),
        "may_write": course.pulls.may_write(course.repository) or "",
    }


def open_for_person(course: Course, known: Promotion, reason: str) -> Step:
    """Its pull request is there for a person to mend or merge; we do not, because of that reason."""
    pursuit = known.pursuit
    if pursuit and merged_as(course, pursuit):
        return landed(course, pursuit)
    opened = pursuit or _open(course)
    return (PromotionState.REFUSED, f"#{opened.number}: {reason}") if isinstance(opened, Pursuit) else opened


def _goes_on(course: Course, known: Promotion) -> bool:
    return course.own.kind is not OwnKind.PROMOTE or goes_on(known, course.plan.head)


def _open(course: Course) -> Pursuit | Step:
    plan, branch = course.plan, course.branch
    landing = course.pulls.publish(course.repository, commit=plan.head, branch=branch, expected="")
    if landing.end is LandingEnd.UNKNOWN:
        return PromotionState.PENDING, landing.detail
    if landing.end is not LandingEnd.LANDED:
        return PromotionState.REFUSED, f"{branch} could not be pushed: {landing.detail}"
    number = course.pulls.open(course.repository, branch=branch, base=plan.base, title=plan.title, body=plan.body)
    close_overtaken(course)  # before it is remembered: a worker that dies in between comes here again
    pursuit = Pursuit(number=number, branch=branch, head=plan.head, base=plan.base_head)
    course.keep(pursuit)
    course.note(f"#{number} {_what(course)}")
    return pursuit


def _what(course: Course) -> str:
    if course.is_revert:
        return f"takes {short(course.plan.commit)} on {course.base} back"
    return f"brings {course.plan.source} to {course.base}"


def _snapshot(course: Course, pursuit: Pursuit, pull: Pull) -> MergeSnapshot:
    plan, tools = course.plan, course.tools
    preview = tools.workshop.preview(course.repository, plan.base_head, pursuit.head)
    more = {"promotes": plan.to_main, "method": plan.method, "max_fixes": 0}
    return snapshot_of(
        pull,
        pursuit,
        now=tools.ledger.now(),
        rules=course.pulls.rules(course.repository, plan.base),
        policy=policy_of(course.repository, course.run.request, tools.settings, plan.base, **more),
        verified_head=pursuit.head,
        verified_base=plan.base_head,
        verified_tree=preview.tree if plan.gated else "",
        base=plan.base_head,
        fixes_base=course.is_revert,
        approved=plan.approved,
        force=plan.force,
        held=course.held(),
        stopping=bool(tools.ledger.runs.get(course.run.id).stop),
        intended_at=pursuit.merged_at,
    )


def _act(course: Course, pursuit: Pursuit, seen: MergeSnapshot, decision: Decision) -> Step:
    named = f"#{pursuit.number}: {decision.reason}"
    if decision.act is Act.WAIT and not decision.person:
        return PromotionState.PENDING, named
    if decision.act in (Act.LOOK, Act.RERUN):
        return _mend(course, pursuit, seen.pull, decision)
    if decision.act is Act.ASK:
        return PromotionState.WAITING, f"{named} (at {short(pursuit.head)})"
    if decision.act is Act.RECONCILE:
        return _reconcile(course, pursuit, seen.pull)
    if decision.act in (Act.MERGE, Act.ENQUEUE):
        return ask_for_merge(course, pursuit, seen, decision)
    if decision.act is Act.UPDATE and course.own.kind is OwnKind.BACK:
        return bring_up_to_date(course, pursuit)
    if decision.act is Act.REVERIFY and not course.plan.gated:
        return PromotionState.PENDING, f"#{pursuit.number}: the gate has not been run on it"
    return _left(course, pursuit, decision, named)


def _left(course: Course, pursuit: Pursuit, decision: Decision, named: str) -> Step:
    if decision.row == "closed" and (newer := overtaken_by(course, pursuit)):
        course.keep(None)
        return PromotionState.SKIPPED, f"#{newer} brings a newer {course.plan.source} to {course.base}"
    course.keep(None)  # the next merge is promoted by another one; for the same head this one is found again
    return PromotionState.REFUSED, f"{named} [{decision.row}]"


def _mend(course: Course, pursuit: Pursuit, pull: Pull, decision: Decision) -> Step:
    checks = [check for check in pull.checks if check.id in decision.checks]
    if decision.act is Act.LOOK:
        kinds = {check.id: classify(course.pulls.failed_jobs(course.repository, check), check) for check in checks}
        course.keep(pursuit.model_copy(update={"failures": pursuit.failures | kinds}))
        return PromotionState.PENDING, decision.reason
    runs = tuple(check.run for check in checks if check.run is not None)
    counted = pursuit.model_copy(update={"reruns": (*pursuit.reruns, *runs), "failures": {}})
    course.keep(counted)
    for check in checks:
        course.pulls.rerun(course.repository, check)
    return PromotionState.PENDING, decision.reason


def _reconcile(course: Course, pursuit: Pursuit, pull: Pull) -> Step:
    if pull.state is PullState.MERGED and pull.merge_commit:
        return landed(course, pursuit, pull.merge_commit)
    return PromotionState.PENDING, f"#{pursuit.number}: whether it was merged is not known yet"
