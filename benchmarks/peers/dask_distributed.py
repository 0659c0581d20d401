"""Dask distributed: futures that wait for futures, on two worker processes. Runs in .bench/."""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from itertools import count
from typing import Any

_runs = count()


def work(task: str, *_blockers: object) -> float:
    """A task that says when it ran."""
    return time.time()


def run(client: Any, nodes: list[tuple[str, list[str]]]) -> dict[str, float]:
    """Submit the whole graph at once; when each task ran."""
    mark, began = next(_runs), time.time()
    made: dict[str, object] = {}
    for task, blockers in nodes:
        made[task] = client.submit(work, task, *(made[one] for one in blockers), key=f"{mark}-{task}", pure=False)
    return {"": began} | dict(zip(made, client.gather(list(made.values())), strict=True))


def main() -> None:
    """Run every graph that comes on the input."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client:
        run(client, [("warm", [])])
        print(json.dumps({"version": version("distributed")}), flush=True)
        for line in sys.stdin:
            print(json.dumps(run(client, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
