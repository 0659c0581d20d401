"""Raw Celery canvas: a group, a chain, and the layers of a graph as chords one behind the other. Runs in .bench/."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import celery
import redis
from celery import Celery, chain, chord, group

Nodes = list[tuple[str, list[str]]]
"""Each task, and those that it waits for."""
URL = os.environ["BENCH_PEER_URL"]
app = Celery(
    "peer", broker=URL.replace("unix://", "redis+socket://"), backend=URL.replace("unix://", "redis+socket://")
)
app.conf.update(worker_prefetch_multiplier=1, worker_hijack_root_logger=False)


@app.task(name="work")
def work(task: str) -> None:
    """A task that does nothing but say when it began and ended."""
    redis.Redis.from_url(URL).rpush("bench", f"{task} {time.time():.6f}")


@app.task(name="layer")
def layer(layers: list[list[str]]) -> None:
    """Start the first layer of those that are left; the next is its body."""
    if layers:
        chord([work.si(task) for task in layers[0]])(layer.si(layers[1:]))


def start_worker(module: str, *options: str) -> subprocess.Popen[bytes]:
    """A worker of two processes."""
    argv = [sys.executable, "-m", "celery", "-A", module, "worker", "--concurrency=2", "--loglevel=critical", *options]
    here = Path(__file__).resolve().parent
    return subprocess.Popen(argv, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(nodes: Nodes, publish: Callable[[Nodes], None], seconds: float) -> dict[str, float]:
    """Publish a graph and wait until all of it has run; when each task ran."""
    client = redis.Redis.from_url(URL)
    client.delete("bench")
    began = time.time()
    publish(nodes)
    while client.llen("bench") < len(nodes):
        if time.time() - began > seconds:
            raise TimeoutError(f"{client.llen('bench')} of {len(nodes)} after {seconds:.0f} s")
        time.sleep(0.005)
    ran = (line.decode().split() for line in client.lrange("bench", 0, -1))
    return {"": began} | {task: float(at) for task, at in ran}


def publish(nodes: Nodes) -> None:
    """As the canvas can say it."""
    if not any(blockers for _, blockers in nodes):
        group(work.si(task) for task, _ in nodes).apply_async()
    elif all(len(blockers) < 2 for _, blockers in nodes):
        chain(*(work.si(task) for task, _ in nodes)).apply_async()
    else:
        depth: dict[str, int] = {}
        for task, blockers in nodes:
            depth[task] = 1 + max((depth[one] for one in blockers), default=-1)
        layers: list[list[str]] = [[] for _ in range(1 + max(depth.values()))]
        for task, at in depth.items():
            layers[at].append(task)
        layer.delay(layers)


def main(publish_graph: Callable[[Nodes], None], module: str, version: str, *options: str) -> None:
    """Run every graph that comes on the input; the moments of each, or why not, as one line of JSON."""
    worker = start_worker(module, *options)
    try:
        run([("warm", [])], publish, 60)
        print(json.dumps({"version": version}), flush=True)
        for line in sys.stdin:
            try:
                print(json.dumps(run(json.loads(line), publish_graph, 180)), flush=True)
            except Exception as error:  # noqa: BLE001 - whatever it is, the table says it
                print(json.dumps({"error": str(error)}), flush=True)
    finally:
        worker.terminate()
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:  # `benchmarks.processes` cannot be imported in .bench/
            worker.kill()


if __name__ == "__main__":
    main(publish, "celery_canvas", celery.__version__)
