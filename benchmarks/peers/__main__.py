"""`python -m benchmarks.peers`: the same graphs on what others offer, in one run, round after round, beside ours.

Each peer runs in the environment `.bench/` (`make bench-peers` fills it), in a process that takes graphs on its input
and says when each task ran. One that could not be installed or does not answer is in the table with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.__main__ import RESULTS
from benchmarks.figure import median, percentile
from benchmarks.graphs import Plan, chain, layered
from benchmarks.house import house, server
from benchmarks.processes import end

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".bench" / "bin" / "python"
ENGINES = {
    "Celery canvas": "celery_canvas.py",
    "celery-dyrygent": "dyrygent.py",
    "Dask distributed": "dask_distributed.py",
    "Prefect": "prefect_flow.py",
}
_PATIENCE = 240.0

Moments = dict[str, float]
Runner = Callable[[Plan], Moments]


class Broken(Exception):
    """A peer that cannot be measured; its text says why."""


def main() -> None:
    """Measure, print, and keep the results beside those of `make bench`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=300, help="tasks of each graph; a chain has a third")
    options = parser.parse_args()
    flat = [one._replace(blockers=()) for one in chain(options.size)]
    shapes: dict[str, Plan] = {
        f"flat, {options.size}": flat,
        f"chain, {options.size // 3}": chain(options.size // 3),
        f"random layers, {options.size}": layered(1, options.size),
    }
    found = _measured(shapes, options.rounds)
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"results": {}}
    kept["peers"] = found
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    for name, one in found["engines"].items():
        print(f"{name:<18}{one['version']:<28}" + "   ".join(f"{s}: {t}" for s, t in one["shapes"].items()))


def _measured(shapes: dict[str, Plan], rounds: int) -> dict[str, Any]:
    engines: dict[str, dict[str, Any]] = {}
    times: dict[tuple[str, str], list[tuple[float, list[float]]]] = {}
    with ExitStack() as stack:
        runners: dict[str, Runner] = {}
        for name, opened in {"ours": _ours, **{name: _peer(file) for name, file in ENGINES.items()}}.items():
            try:
                version, runners[name] = stack.enter_context(opened())
            except Broken as error:
                version = f"not run: {error}"
            engines[name] = {"version": version, "shapes": {}}
        for _ in range(rounds):
            for shape, plan in shapes.items():
                for name, run in list(runners.items()):
                    try:
                        found = _figures(run(plan), plan)
                        times.setdefault((name, shape), []).append(found)
                    except Broken as error:
                        engines[name]["shapes"][shape] = str(error)
                        del runners[name]  # what it still has to do of this graph would be taken for the next one's
    for (name, shape), values in times.items():
        engines[name]["shapes"][shape] = _told(values)
    return {"shapes": list(shapes), "engines": engines, "rounds": rounds}


def _figures(moments: Moments, plan: Plan) -> tuple[float, list[float]]:
    """Microseconds a task, and milliseconds from the last blocker's run to its dependant's. Raises Broken."""
    if lost := [one.id for one in plan if one.id not in moments]:
        raise Broken(f"{len(lost)} of {len(plan)} tasks did not run")
    took = max(moments[one.id] for one in plan) - moments[""]
    late = [1000 * (moments[one.id] - max(moments[b] for b in one.blockers)) for one in plan if one.blockers]
    return 1e6 * took / len(plan), late


def _told(values: list[tuple[float, list[float]]]) -> str:
    each = f"{median([took for took, _ in values]):,.0f} µs a task"
    late = [one for _, round_ in values for one in round_]
    return each + (f"; p50 {percentile(late, 0.5):.0f} ms, p99 {percentile(late, 0.99):.0f} ms" if late else "")


@contextmanager
def _ours() -> Iterator[tuple[str, Runner]]:
    """The whole engine: ledger on disk, fences, five slots, four pools; agents that do nothing."""
    with house() as made:
        made.run(chain(3))

        def run(plan: Plan) -> Moments:
            began = time.time()
            ran = made.run(plan)
            return {"": began} | ran.started

        yield "of this commit", run


def _peer(file: str) -> Callable[[], Any]:
    @contextmanager
    def opened() -> Iterator[tuple[str, Runner]]:
        if not PYTHON.exists():
            raise Broken("it was not installed")
        with server() as (_, url), tempfile.TemporaryDirectory(prefix="bench") as home:
            env = {**os.environ, "BENCH_PEER_URL": url, "HOME": home, "PREFECT_HOME": f"{home}/prefect"}
            env |= {"DO_NOT_TRACK": "1", "PREFECT_LOGGING_LEVEL": "CRITICAL", "PYTHONPATH": ""}
            env["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "90"
            argv = [str(PYTHON), str(Path(__file__).parent / file)]
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                argv,
                env=env,
                cwd=home,
                stdin=pipe,
                stdout=pipe,
                stderr=subprocess.DEVNULL,
                text=True,
                bufsize=1,
                start_new_session=True,
            )
            try:
                version = _answer(process)["version"]
                yield str(version), lambda plan: _asked(process, plan)
            finally:
                end(process, 30)
                with suppress(ProcessLookupError):  # a peer that was ended leaves its own workers behind
                    os.killpg(process.pid, signal.SIGKILL)

    return opened


def _asked(process: subprocess.Popen[str], plan: Plan) -> Moments:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps([(one.id, list(one.blockers)) for one in plan]) + "\n")
        process.stdin.flush()
    except OSError:
        raise Broken("it has ended") from None
    return {name: float(at) for name, at in _answer(process).items()}


def _answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Its next line of JSON; whatever else it prints is passed over."""
    assert process.stdout is not None
    deadline = time.monotonic() + _PATIENCE
    while select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
        line = process.stdout.readline()
        if not line:
            raise Broken("it does not start here")
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            if "error" in found:
                raise Broken(found["error"])
            return found
    raise Broken(f"no answer in {_PATIENCE:.0f} s")


if __name__ == "__main__":
    main()
