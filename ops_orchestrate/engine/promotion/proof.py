"""The base shows a merge of the run's own: is it what was verified? Only then is it said, once, and tidied up after.

A merge commit that holds anything else closes the base to us until a person has looked, as for every merge of ours.
"""

from __future__ import annotations

from collections.abc import Callable

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.names import short
from ops_orchestrate.core.own_change import OwnKind
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.engine.frozen import freeze_own
from ops_orchestrate.engine.promotion.after import begin_back, watch_rollback
from ops_orchestrate.engine.promotion.course import Course, Step
from ops_orchestrate.errors import LedgerUnavailable, OpsError, SourceUnavailable


def merged_as(course: Course, pursuit: Pursuit) -> str:
    """What shows on the base that it is merged: its own commit, or one with our key for it; empty where nothing does.

    A squash has the key alone, and a merge by a person the commit alone.
    """
    if course.contains(course.plan.base_head, pursuit.head):
        return pursuit.head
    return _with_our_key(course, pursuit)


def landed(course: Course, pursuit: Pursuit, merge: str = "") -> Step:
    """What comes of one that is merged; `merge`: the commit, as far as the forge has said."""
    course.tools.workshop.refresh(course.repository)
    base_head = course.tools.workshop.head(course.repository, course.base) or ""
    commit = merge or _merge_commit(course, pursuit)
    if not (course.contains(base_head, pursuit.head) or (commit and course.contains(base_head, commit))):
        return PromotionState.PENDING, f"#{pursuit.number} is merged and not visible on {course.base} yet"
    if commit and not _is_as_verified(course, commit, pursuit.head):
        return _not_as_verified(course, commit)
    _SETTLED[course.own.kind](course, pursuit, base_head)
    if left := _branch_left(course, pursuit):
        return PromotionState.PENDING, f"#{pursuit.number} is merged, and {pursuit.branch} is not removed yet: {left}"
    course.keep(None)
    return PromotionState.DONE, ""


def _branch_left(course: Course, pursuit: Pursuit) -> str:
    """Why its branch has to be removed later; empty: it is gone, or nobody comes back for it.

    What a promotion deploys is watched from here on, and that must not wait for a branch: it is asked for once more at
    once instead.
    """
    left = _unanswered(course, pursuit)
    if course.own.kind is not OwnKind.PROMOTE:
        return left
    if left:
        _unanswered(course, pursuit)
    return ""


def _unanswered(course: Course, pursuit: Pursuit) -> str:
    """Ask for its branch to be removed; why nobody knows whether it was, empty where somebody said yes or no."""
    try:
        gone = course.pulls.remove(course.repository, branch=pursuit.branch, head=pursuit.head)
    except SourceUnavailable as error:
        return str(error)
    return (gone.detail or "no answer") if gone.end is LandingEnd.UNKNOWN else ""


def _with_our_key(course: Course, pursuit: Pursuit) -> str:
    trailer = course.trailer(pursuit.head)
    work = course.tools.workshop
    return work.find_commit(course.repository, course.base, since=pursuit.base, trailer=trailer) or ""


def _merge_commit(course: Course, pursuit: Pursuit) -> str:
    """The commit that brought it to the base, by our key, else as the forge has it; empty: somebody pushed it there."""
    return _with_our_key(course, pursuit) or course.pulls.read(course.repository, pursuit.number).merge_commit


def _is_as_verified(course: Course, commit: str, head: str) -> bool:
    """Whether it holds just what the base held before it, and `head`."""
    work = course.tools.workshop
    parent = work.parents_of(course.repository, commit)[0]
    return work.tree_of(course.repository, commit) == work.preview(course.repository, parent, head).tree


def _not_as_verified(course: Course, commit: str) -> Step:
    freeze_own(course.own, course.repository, course.base, course.run.id, course.tools)
    course.keep(None)
    parents = course.tools.workshop.parents_of(course.repository, commit)
    how = f"git revert {'-m 1 ' if len(parents) > 1 else ''}{commit}"
    return PromotionState.WAITING, (
        f"{short(commit)} on {course.base} does not hold what was verified. Nothing more is merged there until you "
        f"have looked; to take it back: {how} in a pull request"
    )


def _promoted(course: Course, pursuit: Pursuit, base_head: str) -> None:
    try:
        begin_back(course, base_head)  # before it is said to be done: nobody comes back for it
    except LedgerUnavailable:
        raise
    except OpsError as error:
        course.warn(f"{course.base} was not brought back to {course.plan.source}: {error}")
    words = {"from": course.plan.source, "commit": base_head, "change": f"#{pursuit.number}"}
    course.say(EventKind.PROMOTED, pursuit.head, **words)


def _brought_back(course: Course, pursuit: Pursuit, base_head: str) -> None:
    words = {"from": course.plan.source, "commit": base_head, "change": f"#{pursuit.number}"}
    course.say(EventKind.BACK_MERGED, pursuit.head, **words)


def _reverted(course: Course, pursuit: Pursuit, base_head: str) -> None:
    words = {"reverts": course.plan.commit, "commit": base_head, "change": f"#{pursuit.number}"}
    course.say(EventKind.REVERTED, pursuit.head, **words)
    watch_rollback(course)


#: What follows from the proof, for each kind.
_SETTLED: dict[OwnKind, Callable[[Course, Pursuit, str], None]] = {
    OwnKind.PROMOTE: _promoted,
    OwnKind.BACK: _brought_back,
    OwnKind.REVERT: _reverted,
}
