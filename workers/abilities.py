"""What this machine can do, as it is announced: agents that start here, memory, checkouts that are here.

Looked at before the first announcement, and again every now and then: somebody may have installed an agent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ops_orchestrate.adapters.machine import memory_mb
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError
from ops_orchestrate.wiring import AGENTS, portfolio

#: Between two looks at the agents and at the registry, in seconds.
_AGAIN = 600.0


class Abilities:
    """What one worker process announces. Its own server has this machine's workers alone: then nobody has to know."""

    def __init__(self, tools: Toolbox, pools: Iterable[str]) -> None:
        self._tools = tools
        self._pools = frozenset(pools)
        self._agents: tuple[str, ...] = ()
        self._own: tuple[str, ...] = ()
        self._of_runs: dict[str, tuple[str, ...]] = {}
        self._looked_at = time.monotonic()
        if not tools.kept:
            self._agents = self._startable()
            self._begin_look(self._registered)

    def now(self) -> dict[str, Any]:
        """The fields of the announcement."""
        if self._tools.kept:
            return {}
        if time.monotonic() - self._looked_at > _AGAIN:
            self._looked_at = time.monotonic()
            self._begin_look(self._startable, self._registered)
        return {
            "probed": True,
            "agents": self._agents,
            "memory_mb": memory_mb(),
            "checkouts": tuple(sorted(path for path in self._named() if Path(path).is_dir())),
        }

    def _begin_look(self, *looks: Any) -> None:
        """Programs are asked for their versions: that may take longer than an announcement is believed."""

        def look() -> None:
            for one in looks:
                one()

        threading.Thread(target=look, name="abilities", daemon=True).start()

    def _startable(self) -> tuple[str, ...]:
        if "agent" in self._pools:
            self._agents = tuple(sorted(name for name in AGENTS if self._tools.agent_of(name).probe().ok))
        return self._agents

    def _registered(self) -> None:
        """Of the registry that is on this machine, if there is one."""
        if "audit" not in self._pools:
            return
        try:
            self._own = _paths(portfolio(self._tools.settings, registry=None, project=None, anywhere=True))
        except OpsError:
            self._own = ()

    def _named(self) -> set[str]:
        """Every folder that the registry or an open run names."""
        runs = self._tools.ledger.runs
        opened = runs.unfinished()
        self._of_runs = {run: self._of_runs.get(run) or _paths(runs.request(run).portfolio) for run in opened}
        return {path for paths in (self._own, *self._of_runs.values()) for path in paths}


def _paths(found: Portfolio) -> tuple[str, ...]:
    repositories = [one for project in found.projects for one in project.repositories]
    own = {path for one in repositories for path in (one.path, *one.checkouts)}
    return tuple(own | {one.upstream for one in repositories if one.upstream.startswith("/")})
