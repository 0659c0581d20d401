"""What a run is made of before it is one: the projects, and a plan made in a throw-away folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.adapters.registry import load_portfolio
from ops_orchestrate.adapters.stack import throwaway
from ops_orchestrate.config import Settings
from ops_orchestrate.core.forecast import Forecast
from ops_orchestrate.core.forecast import forecast as forecast_of
from ops_orchestrate.core.outlet import Outlet
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.engine.preview import outlets, preview, price_of_an_attempt
from ops_orchestrate.ledger import connect
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.view import RunView
from ops_orchestrate.wiring.toolbox import make_toolbox


def portfolio(settings: Settings, *, registry: Path | None, project: str | None, anywhere: bool = False) -> Portfolio:
    """The projects of a run. A registry named on the command line is meant whole, wherever the command stands.

    `anywhere`: so is the registry of the settings, because nobody stands anywhere (the nightly).

    Raises RegistryError, UsageError, GitError.
    """
    return load_portfolio(
        settings, git_probe(settings), registry, None if registry or anywhere else Path.cwd(), project
    )


class Previewed(NamedTuple):
    """What a plan would do."""

    view: RunView
    forecast: Forecast
    outlets: tuple[Outlet, ...]


def preview_plan(settings: Settings, request: RunRequest) -> Previewed:
    """Plan in a throw-away folder on a throw-away server, compared with the boards of the real runs.

    The embedded server's boards are read from a copy of its files; those of a server of the owner's own, in place.
    """
    seed = settings.state_dir / "server" if settings.urls is None else None
    with throwaway(settings, seed=seed) as stack:
        ledger = connect(stack.urls.ledger)
        tools = make_toolbox(settings, ledger, state_dir=stack.folder)
        boards = connect(settings.urls.ledger) if settings.urls else ledger
        price = price_of_an_attempt(boards)
        view = fold(preview("plan", request, tools, boards=boards))
        wanted = [task for task in view.tasks.values() if request.max_waves is None or task.wave < request.max_waves]
        specs = [record.spec for record in ledger.tasks.many("plan", [task.id for task in wanted])]
        blocked = [task.id for task in wanted if not task.startable]
        ways = outlets({task.repo for task in view.tasks.values()}, request, tools)
        expected = forecast_of(specs, settings.max_agents, blocked=blocked, price_per_attempt=price)
        return Previewed(view, expected, tuple(ways))
