"""Waves on Celery: each wave is a chord of chains (a chain a repository: one writer each), its body the next wave.

What most people build on Celery for a graph, since its canvas has no graphs: `python -m benchmarks.peers.waves` is
its worker. A chord of chains is used because a chain of groups runs some of them twice (Celery 5.7).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from celery import Celery, chain, chord

from benchmarks.graphs import SLOTS, Plan, waves
from benchmarks.processes import end

#: Seconds for one plan.
_PATIENCE = 300

#: The server's socket.
_URL = os.environ.get("BENCH_PEER_URL", "")


def _celery(url: str) -> str:
    """The socket's address as Celery wants it."""
    return url.replace("unix://", "redis+socket://")


app = Celery("waves", broker=_celery(_URL), backend=_celery(_URL))
app.conf.update(
    worker_prefetch_multiplier=1,
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    worker_hijack_root_logger=False,
)


@app.task(name="work")
def work(seconds: float) -> None:
    """One task: a process that sleeps, as ours."""
    if seconds:
        subprocess.run(["sleep", f"{seconds:.6f}"], check=True)


@app.task(name="wave")
def wave(plan: list[list[list[float]]]) -> None:
    """Start the first wave of those that are left; the next is its body."""
    if not plan:
        redis.Redis.from_url(_URL).lpush("bench-done", repr(time.time()))
        return
    chains = [chain(*(work.si(seconds) for seconds in repo)) for repo in plan[0]]
    chord(chains)(wave.si(plan[1:]))


class Waves:
    """A client of its worker."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=_PATIENCE + 10)

    def run(self, plan: Plan, seconds: int = _PATIENCE) -> float:
        """Seconds that the plan took. Raises AssertionError where it does not end."""
        self._redis.delete("bench-done")
        began = time.time()
        app.send_task("wave", (by_repository(plan),))
        found: Any = self._redis.brpop("bench-done", timeout=seconds)
        assert found, "the peer did not end"
        return float(found[1]) - began


def by_repository(plan: Plan) -> list[list[list[float]]]:
    """Lengths by wave and repository."""
    found = []
    for one in waves(plan):
        repos: dict[str, list[float]] = {}
        for node in one:
            repos.setdefault(node.repo, []).append(node.seconds)
        found.append(list(repos.values()))
    return found


@contextmanager
def waves_on_celery(url: str) -> Iterator[Waves]:
    """A worker with as many processes as there are slots, on that server."""
    app.conf.update(broker_url=_celery(url), result_backend=_celery(url))
    argv = [sys.executable, "-m", "benchmarks.peers.waves"]
    env = {**os.environ, "BENCH_PEER_URL": url}
    root = Path(__file__).parents[2]
    worker = subprocess.Popen(argv, env=env, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = Waves(url)
        client.run([])  # it is there when it has answered once
        yield client
    finally:
        end(worker)


if __name__ == "__main__":
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=critical"]
    app.worker_main(["worker", "--pool=prefork", f"--concurrency={SLOTS}", *options])
