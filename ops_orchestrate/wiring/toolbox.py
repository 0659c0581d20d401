"""The toolbox of a process: every port over its settings."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from ops_orchestrate.adapters.agents.claude.kept import ClaudeSessions
from ops_orchestrate.adapters.agents.consultant import AgentConsultant
from ops_orchestrate.adapters.gates import SandboxedGates
from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.adapters.proctree import KEPT_SERVER
from ops_orchestrate.adapters.registered import registered
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.config import Settings, known_secrets, process_settings
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import UsageError
from ops_orchestrate.ledger import Ledger, connect
from ops_orchestrate.wiring.agents import agent_of
from ops_orchestrate.wiring.forges import Forges
from ops_orchestrate.wiring.means import means_of
from ops_orchestrate.wiring.outside import Outside
from ops_orchestrate.wiring.secrecy import Secrecy
from ops_orchestrate.wiring.stopping import STOPPING


@lru_cache(maxsize=1)
def toolbox() -> Toolbox:
    """The toolbox of this worker process."""
    settings = process_settings()
    urls = settings.urls
    if urls is None:
        raise UsageError("No server is known to this process: set OPS_REDIS_URL.")
    # A server that we keep ourselves has the workers of this machine alone: nothing has to travel.
    return make_toolbox(settings, connect(urls.ledger), hosts=KEPT_SERVER not in os.environ)


def make_toolbox(settings: Settings, ledger: Ledger, *, state_dir: Path | None = None, hosts: bool = False) -> Toolbox:
    """Every port over these settings; `state_dir` elsewhere only for a dry run. `hosts`: there may be other hosts."""
    outside = Outside(settings)
    workshop = GitWorkshop(state_dir or settings.state_dir, settings, outside.access, ledger.parcels if hosts else None)
    forges = Forges(outside, workshop)
    secrecy = Secrecy(lambda: (*known_secrets(settings), *outside.secret_values()))
    agents = agent_of(settings, outside, secrecy.redact)
    asked = (state_dir or settings.state_dir) / "asked"
    return Toolbox(
        settings=settings,
        ledger=ledger,
        workshop=workshop,
        gates=SandboxedGates(settings, state_dir),
        secrets=secrecy,
        forge_of=forges.forge_of,
        pulls_of=forges.pulls_of,
        agent_of=agents,
        consultant_of=lambda name: AgentConsultant(agents(name), asked),
        sources=outside.sources,
        health=outside.health,
        means=means_of(settings),
        trackers=outside.trackers,
        errors=outside.errors,
        sessions=ClaudeSessions(settings),
        registered=lambda portfolio, key: registered(settings, git_probe(settings), portfolio, key),
        kept=not hosts,
        stopping=STOPPING.is_set,
    )
