"""What follows from a merge of the run's own: main's other work comes back, and a revert is watched as well."""

from __future__ import annotations

from ops_orchestrate.core.own_change import OwnChange, OwnKind
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.engine.lease import hold
from ops_orchestrate.engine.promotion.book import promotion_of, remember
from ops_orchestrate.engine.promotion.course import Course
from ops_orchestrate.engine.promotion.watch import first_watch


def begin_back(course: Course, main_head: str) -> None:
    """What main has and integration lacks is to come back in a pull request of its own. Begun once for each commit."""
    work, tools, repository = course.tools.workshop, course.tools, course.repository
    integration = work.head(repository, course.plan.source) or course.plan.head
    if work.preview(repository, integration, main_head).empty:
        return
    own = OwnChange(kind=OwnKind.BACK, repo=repository.key)
    known = promotion_of(course.run.id, own.key, tools)
    if known and known.commit == main_head:
        return
    begun = {"state": PromotionState.PENDING, "reason": "", "commit": main_head, "pursuit": None, "approved": ""}
    remember(course.run.id, own.key, tools, **begun, wake_at=tools.ledger.now())


def watch_rollback(course: Course) -> None:
    """Whether the service is well again with what was before: looked at once more, and never taken back itself."""
    tools, repository = course.tools, course.repository
    holder = f"{course.run.id}:{course.own.name}"
    with hold(f"promote:{repository.key}", holder, tools) as mine:
        known = promotion_of(course.run.id, repository.key, tools)
        if not mine or known is None or known.state not in (PromotionState.DONE, PromotionState.SKIPPED):
            return  # something newer is on its way to main, or a person is asked about it
        begun = first_watch(course.run, repository, promoted=course.plan.to_main, tools=tools)
        watched = begun.get("watched")
        if watched:
            begun["watched"] = watched.model_copy(update={"rollback": True})
            remember(course.run.id, repository.key, tools, **begun)
