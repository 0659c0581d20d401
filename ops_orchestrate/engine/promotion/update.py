"""Integration has moved since a back-merge was opened: it is merged into it, by a commit of ours, and checked anew."""

from __future__ import annotations

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.engine.promotion.course import Course, Step


def bring_up_to_date(course: Course, pursuit: Pursuit) -> Step:
    """The base is merged into its branch, which only moves forward. The gate has passed on the tree that this makes.

    A yes was for the head before it; without `--force` it is asked for again.
    """
    work, plan = course.tools.workshop, course.plan
    preview = work.preview(course.repository, plan.base_head, pursuit.head)
    commit = work.commit_tree(
        course.repository,
        tree=preview.tree,
        parents=(pursuit.head, plan.base_head),
        message=f"Merge {course.base} into {pursuit.branch}\n",
        at=course.tools.ledger.now(),
    )
    landing = course.pulls.publish(course.repository, commit=commit, branch=pursuit.branch, expected=pursuit.head)
    if landing.end is LandingEnd.UNKNOWN:
        return PromotionState.PENDING, landing.detail
    if landing.end is not LandingEnd.LANDED:
        return PromotionState.REFUSED, f"{pursuit.branch} could not be brought up to date: {landing.detail}"
    course.keep(pursuit.pushed(commit, base=plan.base_head))
    return PromotionState.PENDING, f"#{pursuit.number}: {course.base} was merged into it"
