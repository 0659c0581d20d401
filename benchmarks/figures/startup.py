"""What a person waits for before anything happens: `--help`, `status`, the demo's first agent, a worker."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.clock import BIN, clean, seconds
from benchmarks.figure import Effort, Result, Row, median, spread
from benchmarks.house import server
from benchmarks.processes import end
from tests.engine.rig import Rig

_COMMAND = str(BIN / "ops-orchestrate")


def measure(effort: Effort) -> Result:
    """Each in turn, round after round."""
    steps: dict[str, Callable[[], float]] = {
        "python": lambda: seconds([sys.executable, "-c", "pass"]),
        "help": lambda: seconds([_COMMAND, "--help"]),
        "celery": lambda: seconds([str(BIN / "celery"), "--version"]),
        "status": _status,
        "agent": _first_agent,
        "worker": _worker,
        "celery worker": _plain_worker,
    }
    if effort.small:
        steps = {name: steps[name] for name in ("python", "help", "celery")}
    found: dict[str, list[float]] = {name: [] for name in steps}
    seconds([_COMMAND, "--help"])  # everything is compiled and in the page cache
    for _ in range(1 if effort.small else effort.rounds):
        for name, step in steps.items():
            times = 5 if name in ("python", "help") else 1
            found[name].append(median([step() for _ in range(times)]))
    ratio = median(found["help"]) / median(found["python"])
    ms = {name: spread([1000 * value for value in values], " ms", 0) for name, values in found.items()}
    rows = [
        Row(
            "start-up, --help",
            "≤ 6 × a bare interpreter",
            f"{ratio:.1f} ×, {ms['help']}",
            f"celery --version {ms['celery']}",
            f"python {ms['python']}",
            ratio <= 6,
        )
    ]
    if not effort.small:
        first = median(found["agent"])
        rows += [
            Row("start-up, status", "stated", ms["status"]),
            Row("start-up, demo's first agent", "≤ 4 s", f"{spread(found['agent'], ' s')}", met=first <= 4),
            Row("start-up, a worker is ready", "stated", ms["worker"], f"celery, prefork {ms['celery worker']}"),
        ]
    told = (
        "The installed command, from its start. First agent: `demo` builds four repositories, starts a server and "
        "workers, audits and plans. Ready: joined the board; Celery's own prefork worker with its defaults: answers "
        "its first job."
    )
    return Result("startup", rows, told, {"seconds": found})


def _status() -> float:
    with tempfile.TemporaryDirectory(prefix="bench") as home:
        return seconds([_COMMAND, "status"], clean(Path(home)))


def _first_agent() -> float:
    """Seconds from `demo` to the event that says that an agent has been started."""
    with tempfile.TemporaryDirectory(prefix="bench") as home:
        argv = [_COMMAND, "demo", "--json", "--folder", f"{home}/demo"]
        began = time.perf_counter()
        demo = subprocess.Popen(
            argv, env=clean(Path(home)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                if line.startswith("{") and json.loads(line).get("kind") == "attempt.started":
                    return time.perf_counter() - began
            raise AssertionError("the demo has started no agent")
        finally:
            demo.send_signal(2)
            demo.communicate(timeout=60)


def _worker() -> float:
    with tempfile.TemporaryDirectory(prefix="bench") as home, server() as (_, url):
        rig = Rig.build(Path(home), url, ())
        began = time.perf_counter()
        try:
            rig.start("planner", apart=True)
            return time.perf_counter() - began
        finally:
            rig.close()


def _plain_worker() -> float:
    """A worker of Celery's own, with one trivial job and no setting."""
    with tempfile.TemporaryDirectory(prefix="bench") as home, server() as (_, url):
        address = url.replace("unix://", "redis+socket://")
        text = f"from celery import Celery\napp = Celery('plain', broker={address!r}, backend={address!r})\n"
        text += "@app.task(name='hello')\ndef hello(): return 1\n"
        (Path(home) / "plain.py").write_text(text)
        argv = [str(BIN / "celery"), "-A", "plain", "worker", "--concurrency=2", "--loglevel=critical"]
        ask = f"import sys; sys.path.insert(0, {home!r}); import plain; plain.hello.delay().get(timeout=60)"
        began = time.perf_counter()
        worker = subprocess.Popen(argv, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            subprocess.run([sys.executable, "-c", ask], check=True)
            return time.perf_counter() - began
        finally:
            end(worker)
