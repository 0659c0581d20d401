"""Does a board of 50 hosts, 10,000 repositories and 100,000 tasks cost more a task than a small one?

The ledger is the real one and the rules are the real ones; hosts and agents are played, one attempt after the other:
admission (look, choose, grant), the stages' claims and ends, settlement.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from typing import Any

from benchmarks.figure import Effort, Result, Row, median, percentile
from benchmarks.house import server
from ops_orchestrate.core.admission import choose
from ops_orchestrate.core.attempt import Outcome, OutcomeKind, Settlement, StageKey
from ops_orchestrate.core.board import Host
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.core.task import Mode, Priority, TaskMode, TaskSpec
from ops_orchestrate.ledger import Ledger, connect

_WELL = {
    Stage.IMPLEMENT: OutcomeKind.SUCCEEDED,
    Stage.VERIFY: OutcomeKind.VERIFIED,
    Stage.LAND: OutcomeKind.MERGED,
}


def measure(effort: Effort) -> Result:
    """The same number of attempts on boards that grow tenfold."""
    boards = (
        [(2, 10, 40), (2, 20, 80)] if effort.small else [(5, 100, 1_000), (20, 1_000, 10_000), (50, 10_000, 100_000)]
    )
    attempts = effort.of(200, 10)
    found = {tasks: _board(hosts, repos, tasks, attempts) for hosts, repos, tasks in boards}
    rows = []
    for what in ("admission", "settle"):
        times = [one[what]["p50"] for one in found.values()]
        text = " → ".join(f"{value:.1f}" for value in times)
        growth = times[-1] / times[-2]
        rows.append(Row(f"scale, {what}", "flat", f"{text} ms a task; last {growth:.1f} ×", met=growth <= 1.3))
    sizes = ", ".join(f"{hosts}/{repos:,}/{tasks:,}" for hosts, repos, tasks in boards)
    told = (
        f"Hosts, repositories and tasks: {sizes}; {attempts} attempts on each, five at a time, medians. A tenth of the "
        "tasks may start at once. Admission: look, choose and grant. Settle: the settlement and what it frees. Flat: "
        "the largest board beside the next; a look shows 500 candidates at most, which the smallest board has not got."
    )
    return Result("scale", rows, told, {"boards": {str(size): one for size, one in found.items()}})


def _board(hosts: int, repos: int, tasks: int, attempts: int) -> dict[str, Any]:
    with server() as (_, url):
        ledger = connect(url)
        ledger.open(quiet=0)
        for at in range(hosts):
            ledger.hosts.announce(
                Host(name=f"h{at}", pools={"agent": 5}, seen_at=ledger.now()), process=f"p{at}", ttl=3_600
            )
        specs = _specs(repos, tasks)
        ledger.runs.begin("r1", _request(), host="h0", parts=[])
        assert ledger.runs.store_plan("r1", specs, blocked={}, skipped=(), unknown=())
        for spec in specs:
            if not spec.blocked_by:
                ledger.board.offer("r1", spec.id)
        times = _play(ledger, attempts)
        ledger.close()
    return {
        what: {"p50": median(values), "p99": percentile(values, 0.99), "values": values[:200]}
        for what, values in times.items()
    }


def _play(ledger: Ledger, attempts: int) -> dict[str, list[float]]:
    """Milliseconds of each admission and settlement of so many attempts."""
    times: dict[str, list[float]] = defaultdict(list)
    done = 0
    while done < attempts:
        began = time.perf_counter()
        board = ledger.board.look(5)
        grants = ledger.board.grant(board, [pick.candidate for pick in choose(board, board.now)], lease=60)
        assert grants
        times["admission"] += [1000 * (time.perf_counter() - began) / len(grants)] * len(grants)
        for grant in grants:
            key = StageKey(run=grant.run, task=grant.task, attempt=grant.attempt, fence=grant.fence)
            for stage, kind in _WELL.items():
                _stage(ledger, key, stage, kind)
            began = time.perf_counter()
            assert ledger.attempts.settle(key, Settlement(state=TaskState.COMPLETED, reason="merged")).applied
            for later in ledger.tasks.dependants(key.run, key.task):
                ledger.board.offer(key.run, later)
            times["settle"].append(1000 * (time.perf_counter() - began))
            done += 1
    return times


def _stage(ledger: Ledger, key: StageKey, stage: Stage, kind: OutcomeKind) -> None:
    assert ledger.attempts.claim(key, stage, holder="me", host="h0", lease=60, agent="scripted").ok
    outcome = Outcome(kind=kind, head="0" * 40)
    assert ledger.attempts.end(key, stage, holder="me", outcome=outcome, goes_on=stage is not Stage.LAND)


def _specs(repos: int, tasks: int) -> list[TaskSpec]:
    """A tenth without blockers; every other one waits for one to three of the twenty before it."""
    choose_from = random.Random(1)
    specs: list[TaskSpec] = []
    for at in range(tasks):
        free = at % 10 == 0
        near = specs[max(0, at - 20) : at]
        blockers = () if free else tuple(one.id for one in choose_from.sample(near, min(len(near), 1 + at % 3)))
        repo = f"r{choose_from.randrange(repos)}"
        specs.append(
            TaskSpec(
                id=f"t{at}",
                project=repo,
                repo=repo,
                title=f"Do t{at}",
                priority=Priority.P2,
                label="P2",
                blocked_by=blockers,
                mode=TaskMode.SUBAGENT,
                fingerprint=f"{at:016x}",
                sources=("bench",),
            )
        )
    return specs


def _request() -> RunRequest:
    return RunRequest(portfolio=Portfolio(origin="benchmark", digest="0" * 64, projects=()), mode=Mode.SUBAGENTS)
