"""The dry run: phases 1 and 2 in this process, on a ledger of its own that is thrown away afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.core.landing import is_main
from ops_orchestrate.core.outlet import Outlet
from ops_orchestrate.core.project import Repository, Skipped
from ops_orchestrate.core.rest import collector_rests
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.engine.audit import look
from ops_orchestrate.engine.begin import parts_of
from ops_orchestrate.engine.structure import store
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError, SourceUnavailable
from ops_orchestrate.ledger import Ledger

#: Audits wait for git and gates, which are processes of their own.
_AT_ONCE = 4

#: What an attempt costs is learned from so many runs before this one.
_RUNS = 5


def preview(run: str, request: RunRequest, tools: Toolbox, *, boards: Ledger) -> Sequence[Event]:
    """Audit and plan as a run would, and return the events of it. Dispatches and ships nothing.

    `tools` work in a throw-away folder with a throw-away ledger; `boards` is the ledger of the real runs, only read.
    """
    batches, sources = parts_of(request, 1)
    names = [*batches, *sources]
    tools.ledger.runs.begin(run, request, host=tools.host, parts=names)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for part in pool.map(lambda name: _look(name, request, tools), names):
            tools.ledger.runs.put_part(run, part)
    with collector_rests():
        store(run, tools, boards=boards)
    return list(tools.ledger.events.all(run))


def outlets(repos: Collection[str], request: RunRequest, tools: Toolbox) -> list[Outlet]:
    """Where the changes of these repositories (by key) would go. One that cannot be looked at is left out."""
    found = []
    for project in request.portfolio.projects:
        for repository in project.repositories:
            if repository.key in repos:
                found += _outlet(repository, request, tools)
    return found


def price_of_an_attempt(boards: Ledger) -> float | None:
    """What attempts of the last runs cost on average, in dollars; None where none said."""
    costs = [
        float(event.data["cost_usd"])
        for run in boards.runs.list()[:_RUNS]
        for event in boards.events.all(run.id)
        if event.kind is EventKind.ATTEMPT_ENDED and isinstance(event.data.get("cost_usd"), int | float)
    ]
    return sum(costs) / len(costs) if costs else None


def _outlet(repository: Repository, request: RunRequest, tools: Toolbox) -> list[Outlet]:
    try:
        integration = tools.workshop.integration(repository)
        main = tools.workshop.main(repository)
    except OpsError:
        return []  # the audit has said already that it is unknown
    promoted = main if repository.promote and repository.gate and not request.no_main else None
    spared = request.no_main and is_main(integration, repository.main)
    pulls = tools.pulls_of(repository)
    try:
        refused = (pulls.may_write(repository) if pulls else tools.forge_of(repository).may_ship(repository)) or ""
    except SourceUnavailable as error:
        refused = str(error)
    return [
        Outlet(
            repo=repository.key,
            name=repository.name,
            integration=integration,
            slug=str(repository.slug) if pulls else "",
            main=promoted or "",
            spared=spared,
            refused=refused,
        )
    ]


def _look(name: str, request: RunRequest, tools: Toolbox) -> AuditPart:
    try:
        return look(name, request, tools)
    except OpsError as error:
        return AuditPart(part=name, unknown=(Skipped(name=name, reason=str(error)),))
