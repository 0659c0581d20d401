"""Prefect: one flow, tasks that wait for tasks, two threads, a server of its own. Runs in .bench/."""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner


@task(log_prints=False)
def work() -> float:
    """A task that says when it ran."""
    return time.time()


@flow(task_runner=ThreadPoolTaskRunner(max_workers=2), log_prints=False)
def run(nodes: list[tuple[str, list[str]]]) -> dict[str, float]:
    """The whole graph as one flow; when each task ran."""
    made = {}
    for name, blockers in nodes:
        made[name] = work.submit(wait_for=[made[one] for one in blockers])
    return {name: future.result() for name, future in made.items()}


def main() -> None:
    """Run every graph that comes on the input."""
    run([("warm", [])])
    print(json.dumps({"version": version("prefect")}), flush=True)
    for line in sys.stdin:
        began = time.time()
        print(json.dumps({"": began} | run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
