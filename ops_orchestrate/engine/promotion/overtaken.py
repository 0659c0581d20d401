"""Changes of the run's own whose commits a newer one brings as well: ours are closed, and a run leaves its own to the
newer one."""

from __future__ import annotations

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.names import short
from ops_orchestrate.core.promotion import overtaken, pinned
from ops_orchestrate.engine.promotion.course import Course


def close_overtaken(course: Course) -> None:
    """Those of this kind to this base that it has overtaken: closed without a word, and their branches taken away.

    Their commits are in this one, so nothing is lost. Nobody waits for it: a no is only said.
    """
    head, pulls, repository = course.plan.head, course.pulls, course.repository
    opened = pulls.opened(repository)
    for pull in overtaken(opened, course.own.kind, course.base, head, lambda older: course.contains(head, older)):
        # The branch first: with it a forge closes the pull request too, and who dies in between leaves nothing.
        pulls.remove(repository, branch=pull.head_ref, head=pull.head)
        closed = pulls.close(repository, pull.number, head=pull.head)
        if closed.end is not LandingEnd.LANDED:
            course.warn(f"#{pull.number} is overtaken by {short(head)} and could not be closed: {closed.detail}")
            continue
        course.note(f"#{pull.number} is closed: what it brings to {course.base} is in {short(head)}")


def overtaken_by(course: Course, pursuit: Pursuit) -> int:
    """The one of ours, of another run perhaps, that brings all of this one; 0 where there is none."""
    newer = pinned(course.pulls.opened(course.repository), course.own.kind, course.base)
    return next(
        (one.number for one in newer if one.number != pursuit.number and course.contains(one.head, pursuit.head)), 0
    )
