"""The pools: which queues a worker process serves and how many jobs it runs at once.

Threads carry every pool of ours: jobs wait for git, gates and agents, all of which are processes of their own, and a
thread pool starts in half the time of forks. Capacity of agents is not decided here: admission grants at most five
over all workers. A plain `celery -A ops_orchestrate worker` serves every queue in one process and is one trust domain.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from ops_orchestrate.core.board import MAX_AGENTS
from ops_orchestrate.core.placement import AUDITS_AT_ONCE


@dataclass(frozen=True, slots=True)
class Pool:
    """One kind of worker process."""

    name: str
    concurrency: int
    duty: str

    def options(self, host: str, most: int = MAX_AGENTS) -> dict[str, Any]:
        """The arguments of Celery's worker for this pool.

        `host` is the machine's name on the board, `most` how many agents it takes at once.
        """
        return {
            "queues": [self.name],
            "pool": "threads",
            "concurrency": _agents_places(most) if self.name == "agent" else self.concurrency,
            "hostname": f"{self.name}@{host}",
            "loglevel": logging.WARNING,
            "quiet": True,
            # Gossip and mingle are Celery's own chatter; liveness is the ledger's here. Heartbeats are for Flower,
            # which shows by them who is there; a worker that sends none cannot be asked for the events of its jobs.
            "without_gossip": True,
            "without_mingle": True,
            "heartbeat_interval": 30,
        }


def _agents_places(most: int) -> int:
    """Jobs at once in an agent's worker, which reads no further message when they are taken.

    One place more than there are agents: the next one's message is read while the last one's job still ends, for
    its slot has been given away by then. Not where a machine takes fewer than all: it would take a message for one more
    that another machine has room for.
    """
    return MAX_AGENTS + 1 if most >= MAX_AGENTS else most


POOLS: dict[str, Pool] = {
    pool.name: pool
    for pool in (
        Pool("planner", 4, "plans, admits, settles; holds no secret of a forge"),
        Pool(
            "audit",
            AUDITS_AT_ONCE,
            "reads projects, verifies changes, runs gates in the sandbox; needs a token that reads",
        ),
        Pool("agent", MAX_AGENTS, "runs agents in their sandbox; holds no token that pushes or merges"),
        Pool(
            "ship",
            2,
            "alone moves branches; alone holds the token that merges, where the audit has one that only reads",
        ),
    )
}

#: What runs beside the pools: once in an installation, wherever it is convenient. Neither needs a secret of a pool.
BESIDES: dict[str, str] = {
    "beat": "asks for what runs on a clock; two of them do no harm",
    "flower": "shows the queues, read only, behind a password (the extra `flower`)",
}

#: The names that `python -m workers NAME`, the Procfile and docker-compose.yml know.
PROCESSES = (*POOLS, *BESIDES)
