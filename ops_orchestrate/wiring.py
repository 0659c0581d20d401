"""Where adapters are chosen, and nowhere else: from settings to a process's toolbox, from a name to an agent."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ops_orchestrate.adapters import secretscan
from ops_orchestrate.adapters.agents.command import CommandAgent
from ops_orchestrate.adapters.agents.scripted import ScriptedAgent
from ops_orchestrate.adapters.forges.local import LocalForge
from ops_orchestrate.adapters.gates import SandboxedGates
from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.adapters.registry import load_portfolio
from ops_orchestrate.adapters.sandbox import probe
from ops_orchestrate.adapters.served import HttpHealth
from ops_orchestrate.adapters.stack import throwaway
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.config import Settings, known_secrets, process_settings
from ops_orchestrate.core import redaction
from ops_orchestrate.core.change import Diff
from ops_orchestrate.core.forecast import Forecast
from ops_orchestrate.core.forecast import forecast as forecast_of
from ops_orchestrate.core.outlet import Outlet
from ops_orchestrate.core.project import Portfolio, Repository
from ops_orchestrate.core.refusal import SecretFinding
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.engine.preview import outlets, preview, price_of_an_attempt
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import AgentUnavailable, UsageError
from ops_orchestrate.ledger import Ledger, connect
from ops_orchestrate.ports import Agent, Forge
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.view import RunView

#: Agent kinds by the name in OPS_AGENT.
AGENTS: dict[str, Callable[[Settings], Agent]] = {"command": CommandAgent, "scripted": ScriptedAgent}


class StopFlag:
    """Set once a worker process is told to stop; the processes forked from it see it too.

    One byte of shared memory and no lock: a child that is killed while it reads must not leave a lock behind for
    all others to wait for (a `multiprocessing.Event` would).
    """

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Tell this process and its children."""
        self._byte[0] = 1

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._byte[0] == 1


#: This worker process is being stopped. Made before the pool forks.
STOPPING = StopFlag()


class Secrecy:
    """Secret scan and redaction with the values that this process knows. Implements ports.SecretScan."""

    def __init__(self, values: tuple[str, ...]) -> None:
        self._values = values

    def scan(self, diff: Diff) -> tuple[SecretFinding, ...]:
        """Where the added lines hold what looks like a secret."""
        return secretscan.scan(diff)

    def redact(self, text: str) -> str:
        """`text` without values known to this process, and without known shapes."""
        return redaction.redact(text, self._values)


@lru_cache(maxsize=1)
def toolbox() -> Toolbox:
    """The toolbox of this worker process."""
    settings = process_settings()
    urls = settings.urls
    if urls is None:
        raise UsageError("No server is known to this process: set OPS_REDIS_URL.")
    return make_toolbox(settings, connect(urls.ledger))


def make_toolbox(settings: Settings, ledger: Ledger, *, state_dir: Path | None = None) -> Toolbox:
    """Every port over these settings; `state_dir` elsewhere only for a dry run."""
    workshop = GitWorkshop(state_dir or settings.state_dir, settings)
    forge = LocalForge(workshop)
    return Toolbox(
        settings=settings,
        ledger=ledger,
        workshop=workshop,
        gates=SandboxedGates(settings, state_dir),
        secrets=Secrecy(known_secrets(settings)),
        forge_of=_forges(forge),
        pulls_of=lambda _repository: None,
        agent_of=agent_of(settings),
        sources={},
        health=HttpHealth(),
        errors=None,
        stopping=STOPPING.is_set,
    )


def _forges(local: LocalForge) -> Callable[[Repository], Forge]:
    """Every repository ships through its git remote; one with a GitHub slug is refused there, and says why."""

    def forge_of(_repository: Repository) -> Forge:
        return local

    return forge_of


def agent_of(settings: Settings) -> Callable[[str], Agent]:
    """Agents by name. The function raises AgentUnavailable for a name that does not exist."""

    @lru_cache(maxsize=8)
    def named(name: str) -> Agent:
        if name not in AGENTS:
            raise AgentUnavailable(f"OPS_AGENT is {name!r}; there are: {', '.join(AGENTS)}.")
        return AGENTS[name](settings)

    return named


def sandbox_problem(settings: Settings) -> str:
    """Why no agent may be started on this host; empty where the sandbox works or the owner has opted out."""
    found = probe(settings)
    if found.ok or settings.unsandboxed_ok:
        return ""
    return (
        f"No sandbox works here: {found.detail}. Install bubblewrap, or set OPS_UNSANDBOXED_OK=1 to run agents "
        "and gates without one (every report will say so)."
    )


def sandbox_line() -> str:
    """What this host says about its sandbox on the board."""
    found = probe(process_settings())
    return found.version if found.ok else f"none: {found.detail}"


def portfolio(settings: Settings, *, registry: Path | None, project: str | None) -> Portfolio:
    """The projects of a run. A registry named on the command line is meant whole, wherever the command stands.

    Raises RegistryError, UsageError, GitError.
    """
    return load_portfolio(settings, git_probe(settings), registry, None if registry else Path.cwd(), project)


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
