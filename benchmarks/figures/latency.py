"""From the moment a blocker is settled to the moment its dependant's agent process has been started.

Slots are idle and there are no trees and sandboxes (they have figures of their own): what is left is the engine, its
messages and its ledger.
"""

from __future__ import annotations

from benchmarks.figure import Effort, Result, Row, median, percentile
from benchmarks.graphs import Plan, chain, diamonds
from benchmarks.house import Ran, house
from ops_orchestrate.core.event import EventKind


def measure(effort: Effort) -> Result:
    """A chain of tasks, then joins of two and of five."""
    length = effort.of(100, 3)
    shapes = {
        "chain": chain(length, 0.001),
        "join of 2": diamonds(effort.of(40, 1), 2),
        "join of 5": diamonds(effort.of(20, 1), 5),
    }
    found: dict[str, list[list[float]]] = {name: [] for name in shapes}
    with house() as ours:
        ours.run(chain(5))  # everything is imported and every connection is open
        for _ in range(1 if effort.small else effort.rounds):
            for name, plan in shapes.items():
                found[name].append(latencies(ours.run(plan), plan))
    rows = []
    for name, rounds in found.items():
        middle = median([percentile(values, 0.5) for values in rounds])
        late = median([percentile(values, 0.99) for values in rounds])
        rows.append(
            Row(
                f"dependency latency, {name}",
                "p50 ≤ 60 ms, p99 ≤ 250 ms",
                f"p50 {middle:.0f} ms, p99 {late:.0f} ms",
                met=middle <= 60 and late <= 250,
            )
        )
    told = (
        f"A chain of {length} and groups of 2 and 5 before one: settled (the ledger's event) → agent process started. "
        "One process of each pool, nothing else to do."
    )
    return Result("latency", rows, told, {"milliseconds": found})


def latencies(ran: Ran, plan: Plan) -> list[float]:
    """Milliseconds for each task that had blockers, from the settlement of the last of them."""
    settled = ran.at(EventKind.TASK_SETTLED)
    return [
        1000 * (ran.started[one.id] - max(settled[blocker] for blocker in one.blockers)) for one in plan if one.blockers
    ]
