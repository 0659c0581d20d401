"""The ledger in figures, for Prometheus: read when it asks, so that nothing is counted twice, on any machines."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ops_orchestrate.core.price import in_dollars
from ops_orchestrate.core.spend import Purse
from ops_orchestrate.core.states import RUN_OPEN, RunState, TaskState
from ops_orchestrate.report.status import Status


class Figure(NamedTuple):
    """One gauge: its values by the values of its labels."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: dict[tuple[str, ...], float]


def figures(status: Status) -> list[Figure]:
    """Every gauge there is; a state that nothing is in is 0, never absent: an alert needs the zero."""
    now, purse, ready = status.now, status.treasury.purse, len(status.candidates)
    return [
        _one("ops_slots_taken", "Agents at work or about to start, over all hosts and runs.", len(status.slots)),
        _one("ops_slots", "Agents that may work at once.", status.cap),
        _one("ops_tasks_ready", "Tasks that only wait for a slot, a process or their repository.", ready),
        Figure("ops_tasks", "Tasks of open runs.", ("state",), _tasks(status)),
        Figure("ops_runs", "The newest runs.", ("state",), _runs(status)),
        Figure("ops_pool_size", "Jobs that live workers take at once.", ("host", "pool"), _pools(status)),
        _one("ops_admission_quiet_seconds", "Until something may start again.", max(0.0, status.quiet_until - now)),
        _one("ops_spent_today_dollars", "Spent and set aside today, where prices are known.", _dollars(purse)),
        _one("ops_spent_today_tokens", "Used and set aside today.", purse.tokens + purse.reserved_tokens),
        Figure("ops_account_parked_seconds", "Until an account has quota again.", ("account",), _parked(status)),
    ]


def _one(name: str, text: str, value: float) -> Figure:
    return Figure(name, text, (), {(): float(value)})


def _dollars(purse: Purse) -> float:
    return in_dollars(purse.micros + purse.reserved_micros)


def _tasks(status: Status) -> dict[tuple[str, ...], float]:
    counts: Counter[str] = Counter()
    for run in status.runs:
        counts.update(status.counts.get(run.id, {}) if run.state in RUN_OPEN else {})
    return {(str(state),): float(counts[state]) for state in TaskState}


def _runs(status: Status) -> dict[tuple[str, ...], float]:
    counts = Counter(run.state for run in status.runs)
    return {(str(state),): float(counts[state]) for state in RunState}


def _pools(status: Status) -> dict[tuple[str, ...], float]:
    return {(host.name, pool): float(size) for host in status.hosts for pool, size in host.pools.items()}


def _parked(status: Status) -> dict[tuple[str, ...], float]:
    return {(name,): max(0.0, until - status.now) for name, until in status.treasury.parked.items()}
