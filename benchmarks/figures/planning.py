"""From findings to a stored plan: seconds and memory, by the size of the plan.

Each size is planned in a process of its own (`python -m benchmarks.figures.planning SIZE`), so that the highest memory
is its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from typing import Any

import redis

from benchmarks.figure import Effort, Result, Row, median
from benchmarks.graphs import layered
from benchmarks.house import server
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.core.project import Portfolio, Project, Repository
from ops_orchestrate.core.rest import collector_rests
from ops_orchestrate.core.run import RequestedTask, RunRequest
from ops_orchestrate.core.structure import Plan, structure
from ops_orchestrate.core.task import Mode
from ops_orchestrate.core.wanted import requested_findings
from ops_orchestrate.ledger import connect

#: Larger plans are made and not stored.
_STORED = 100_000


def measure(effort: Effort) -> Result:
    """Random layered plans of growing size."""
    sizes = [100] if effort.small else [1_000, 10_000, 100_000, 1_000_000]
    rounds: dict[int, list[dict[str, Any]]] = {}
    for size in sizes:
        times = 1 if effort.small or size > _STORED else effort.rounds
        rounds[size] = [plan(size) if effort.small else _apart(size) for _ in range(times)]
    rows = [_row(size, found) for size, found in rounds.items()]
    told = (
        "Random layered plans, 2.5 blockers a task, 20 repositories. Planned: findings to tasks, graph, waves, ranks "
        "and modes. Stored: the ledger's write of it added (claims and tasks), with every write on disk before it "
        "is answered. Held: the longest that one call of it kept the server from everybody else, by its slow log. "
        "Memory: what the process has grown by since the findings were there, at the most."
    )
    return Result("planning", rows, told, {"rounds": {str(size): found for size, found in rounds.items()}})


def _row(size: int, found: list[dict[str, Any]]) -> Row:
    planned = median([one["planned"] for one in found])
    grown = max(one["grown_mb"] for one in found)
    stored = [one["planned"] + one["stored"] for one in found if one["stored"] is not None]
    held = [one["held_ms"] for one in found if one["held_ms"] is not None]
    text = f"{planned:.2f} s planned, "
    if stored:
        text += f"{median(stored):.2f} s stored, server held {median(held):.0f} ms at most, "
    text += f"{grown:.0f} MB"
    judged = size == 100_000
    met = planned <= 3 and median(stored) <= 10 and grown <= 300 if judged else None
    goal = "≤ 3 s, ≤ 10 s, ≤ 300 MB" if judged else "linear"
    return Row(f"planning, {size:,} tasks", goal, f"{text}; {planned / size * 1e6:.0f} µs a task", met=met)


def _apart(size: int) -> dict[str, Any]:
    argv = [sys.executable, "-m", "benchmarks.figures.planning", str(size)]
    found: dict[str, Any] = json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout)
    return found


@collector_rests()  # as the planner's job is
def plan(size: int) -> dict[str, Any]:
    """Plan it once, here."""
    request = _request(size)
    findings = requested_findings(request.tasks, request.portfolio)
    branches = {project.alias: "dev" for project in request.portfolio.projects}
    part = AuditPart(part="source:tasks-file", findings=findings, branches=branches)
    before = _highest_mb()
    began = time.perf_counter()
    made = structure(request, [part], {}, {}, 0.0)
    planned = time.perf_counter() - began
    assert len(made.tasks) == size
    stored, held_ms = _store(request, made) if size <= _STORED else (None, None)
    return {"planned": planned, "stored": stored, "held_ms": held_ms, "grown_mb": _highest_mb() - before}


def _store(request: RunRequest, made: Plan) -> tuple[float, float]:
    """Seconds of the ledger's write, and milliseconds of the call of it that took the server longest."""
    with server() as (_, url):
        ledger = connect(url)
        ledger.open(quiet=0)
        # The request is not what is measured here: so many tasks come from trackers, not from a file.
        ledger.runs.begin("r1", request.model_copy(update={"tasks": ()}), host="bench", parts=[])
        watch = redis.Redis.from_url(url)
        watch.config_set("slowlog-max-len", 100_000)
        watch.config_set("slowlog-log-slower-than", 500)  # microseconds; at 0 each command within a script is logged
        began = time.perf_counter()
        assert not ledger.claims.take("r1", made.takes, over=made.over)
        assert ledger.runs.store_plan("r1", made.tasks, blocked=made.blocked, skipped=(), unknown=())
        stored = time.perf_counter() - began
        held = max((int(call["duration"]) for call in watch.slowlog_get(100_000)), default=0)
        watch.close()
        ledger.close()
    return stored, held / 1000


def _request(size: int) -> RunRequest:
    nodes = layered(1, size)
    tasks = tuple(
        RequestedTask(id=one.id, project=one.repo, title=f"Do {one.id}", blocked_by=one.blockers) for one in nodes
    )
    names = sorted({one.repo for one in nodes})
    projects = tuple(
        Project(alias=name, repositories=(Repository(key=name, name=name, path=f"/n/{name}", upstream="/n"),))
        for name in names
    )
    portfolio = Portfolio(origin="benchmark", digest="0" * 64, projects=projects)
    return RunRequest(portfolio=portfolio, mode=Mode.SUBAGENTS, tasks=tasks)


def _highest_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(plan(int(sys.argv[1]))))
