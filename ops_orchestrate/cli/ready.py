"""Is everything there that a run needs? Asked before anything of it is written; what only needs saying is said once.

Refuses to start on a server that would lose the ledger, with a required service that nobody can vouch for, and with
no worker at all. Starts nothing itself.
"""

from __future__ import annotations

import time

from ops_orchestrate import __version__
from ops_orchestrate.adapters.health import read_health
from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.celery import POOLS
from ops_orchestrate.cli.connect import Connection
from ops_orchestrate.cli.screen import Screen, warn
from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent_choice import in_order
from ops_orchestrate.core.joining import skewed
from ops_orchestrate.errors import AgentUnavailable, OpsError, SandboxUnavailable
from ops_orchestrate.ledger import examine_servers
from ops_orchestrate.report.amounts import duration
from ops_orchestrate.wiring import agent_of, sandbox_problem


def check_services(settings: Settings) -> None:
    """The plugin's daemon and preferences. Raises OpsError: a service named in the settings is not healthy."""
    report = read_health(settings, time.time())
    for line in (*report.warnings, *load_preferences(settings).warnings):
        warn(line)
    if report.blocking:
        raise OpsError(" ".join((*report.blocking, "Mend that, or take it out of OPS_REQUIRED_SERVICES.")))


def check_server(settings: Settings) -> None:
    """A server of the owner's own. Raises OpsError where it would lose or expose the ledger, LedgerUnavailable."""
    if settings.urls is None:
        return
    found = examine_servers(settings.urls, settings.most_lag)
    for line in found.shown:
        warn(line)
    if found.refused:
        raise OpsError(" ".join(found.refused))


def check_this_host(settings: Settings, agent: str) -> None:
    """Where agents will run here: is there a sandbox, and is the agent there?

    Raises UsageError for an agent that does not exist, SandboxUnavailable, AgentUnavailable. What those lack that only
    stand in for it is said. With a server of the owner's own, agents run where its workers are.
    """
    named = agent_of(settings)(agent)
    if settings.urls is not None:
        return
    problem = sandbox_problem(settings)
    if problem:
        raise SandboxUnavailable(problem)
    probe = named.probe()
    if not probe.ok:
        raise AgentUnavailable(probe.detail)
    for other in in_order(agent, settings.agent_fallback)[1:]:
        found = agent_of(settings)(other).probe()
        if not found.ok:
            warn(f"{other} cannot stand in for {agent}: {found.detail}")


def check_pools(connection: Connection) -> None:
    """Say at once which pools have no worker, where the workers are somebody else's.

    Raises OpsError when there is none at all, or where they are of another version.
    """
    missing = connection.missing_pools()
    if connection.stack is not None:
        return
    refused = skewed(__version__, connection.ledger.hosts.live())
    if refused:
        raise OpsError(refused)
    if not missing:
        return
    if len(missing) == len(POOLS):
        raise OpsError(
            f"No worker is connected to {connection.where()}. Start one on any machine with the same OPS_REDIS_URL: "
            "`celery -A ops_orchestrate worker`."
        )
    for pool in missing:
        warn(
            f"no worker serves the pool {pool}; its jobs wait. Start one: `celery -A ops_orchestrate worker -Q {pool}`."
        )


def say_quiet(connection: Connection, screen: Screen) -> None:
    """Why nothing starts at first on a server that is new, or was restarted."""
    board = connection.ledger.board.look(connection.settings.max_agents)
    if board.quiet_until > board.now:
        rest = duration(board.quiet_until - board.now)
        screen.line(
            f"No agent is started for another {rest}: the server is new or was restarted, and what an agent of before "
            "may still hold has to run out first."
        )
