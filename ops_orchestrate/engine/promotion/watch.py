"""What is deployed after a merge, looked at until the rule has an end for it (`core/watch.py`).

After a bad end a pull request takes the merge back, where there are pull requests (`revert.py`); else the command is
named.
"""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.change import HealthLook, Reach, ServedLook
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.watch import Watched, WatchEnd, WatchLook, WatchRule, watch
from ops_orchestrate.engine.lease import hold
from ops_orchestrate.engine.promotion.book import evidence, promotion_of, remember, warn
from ops_orchestrate.engine.promotion.revert import begin_revert
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError, SourceUnavailable


def first_watch(run: RunRecord, repository: Repository, *, promoted: bool, tools: Toolbox) -> dict[str, Any]:
    """What to remember so that the deployment is watched: main's after a promotion, or integration's where that is
    what is deployed. Nothing where no URL is known.
    """
    known = promotion_of(run.id, repository.key, tools)
    if known is None or not (repository.health_url or repository.version_url or repository.deployed):
        return {}
    branch = tools.workshop.main(repository)
    if branch is None and not promoted:
        branch = tools.workshop.integration(repository)
    elif not promoted:
        return {}  # main is what is deployed, and it has not moved
    service = repository.deployed_at(branch or "")
    if not (service.health_url or service.version_url):
        return {}
    commit = tools.workshop.head(repository, branch or "") or ""
    if not commit or (known.watched and known.watched.commit == commit):
        return {}
    now = tools.ledger.now()
    watched = Watched(
        branch=branch or "",
        commit=commit,
        began_at=now,
        errors_before=_errors(run, repository, now - tools.settings.watch_window, now, tools),
        healthy_before=_asked(repository, branch or "", tools).healthy,
    )
    return {"state": PromotionState.WATCHING, "watched": watched, "wake_at": now + tools.settings.watch_every}


def watch_once(run_id: str, repo: str, holder: str, tools: Toolbox) -> None:
    """One look at what is deployed; the rule says whether there is to be another."""
    run = tools.ledger.runs.get(run_id)
    repository = run.request.portfolio.repository(repo)
    with hold(f"promote:{repo}", holder, tools) as mine:
        known = promotion_of(run_id, repo, tools)
        if not mine or known is None or known.state is not PromotionState.WATCHING or known.watched is None:
            return
        settings = tools.settings
        rule = WatchRule(window=settings.watch_window, deadline=settings.watch_deadline, restart=settings.watch_restart)
        after, end, reason = watch(known.watched, _look(run, repository, known.watched, tools), rule)
        wake_at = tools.ledger.now() + tools.settings.watch_every
        going_on = end is WatchEnd.WATCHING
        state = PromotionState.WATCHING if going_on else PromotionState.DONE
        # Before it is over: a worker that dies in between begins the same revert again, not none.
        way_back = begin_revert(run, repository, after, tools) if end is WatchEnd.BAD else ""
        remember(run_id, repo, tools, watched=after, wake_at=wake_at, state=state, reason=reason)
    if end is WatchEnd.GOOD:
        evidence(run_id, repository, "deployment", f"{repository.name}: {reason}", tools)
    elif end is WatchEnd.UNKNOWN:
        warn(run_id, repository, f"{repository.name} was not seen deployed: {reason}", tools)
    elif end is WatchEnd.BAD:
        warn(run_id, repository, f"{repository.name} after its deployment: {reason}. {way_back}", tools)


def _look(run: RunRecord, repository: Repository, watched: Watched, tools: Toolbox) -> WatchLook:
    look = _asked(repository, watched.branch, tools)
    since = watched.served_at or (watched.began_at if look.served is None else 0.0)
    errors = _errors(run, repository, since, look.now, tools) if since else None
    return look.model_copy(update={"errors": errors})


def _asked(repository: Repository, branch: str, tools: Toolbox) -> WatchLook:
    """What the deployed service itself says now."""
    service = repository.deployed_at(branch)
    health = tools.health.look(service.health_url) if service.health_url else None
    served = tools.health.served(service.version_url) if service.version_url else None
    up = [_is_up(one, repository, tools) if one else None for one in (health, served)]
    detail = "; ".join(one.detail for one in (health, served) if one and one.detail)
    return WatchLook(
        now=tools.ledger.now(),
        served=served.commit if served else None,
        healthy=up[0] and health.ok if health else None,
        answers=up[1],
        detail=one_line(detail, 200),
    )


def _is_up(look: HealthLook | ServedLook, repository: Repository, tools: Toolbox) -> bool | None:
    """Whether the service answers; None where nobody could ask it.

    Silence is the service's only where our own network is seen to work: the repository's upstream answers meanwhile.
    """
    if look.reach is not Reach.SILENT:
        return None if look.reach is Reach.UNASKED else look.reach is Reach.ANSWERED
    try:
        tools.workshop.refresh(repository)
    except OpsError:
        return None
    return False


def _errors(run: RunRecord, repository: Repository, since: float, until: float, tools: Toolbox) -> int | None:
    """Errors in production in that time; None where nobody can say."""
    owner = next((one for one in run.request.portfolio.projects if repository in one.repositories), None)
    if tools.errors is None or owner is None or not owner.sentry_project:
        return None
    try:
        return tools.errors.count(owner.sentry_project, since=since, until=until).events
    except SourceUnavailable:
        return None
