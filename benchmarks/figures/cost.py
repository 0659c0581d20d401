"""What the engine itself costs: processor time of all its processes a task, and its messages.

Agents do nothing and there is no git: the whole chain of every task is run by real workers, from offer to settlement.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figure import Effort, Result, Row, median, spread
from benchmarks.graphs import Plan, chain, layered
from benchmarks.house import House, house, portfolio_of, requested_of, server
from tests.engine.hand import Hand
from tests.engine.rig import Rig


def measure(effort: Effort) -> Result:
    """A random graph, then a short and a long chain, then the messages of both sizes."""
    many, few, long = effort.of(1_000, 20), effort.of(100, 10), effort.of(2_000, 20)
    graph: list[dict[str, float]] = []
    chains: dict[int, list[float]] = {few: [], long: []}
    with house() as ours:
        ours.run(chain(5))
        for at in range(1 if effort.small else effort.rounds):
            graph.append(_spent(ours, layered(at, many)))
            chains[few].append(sum(_spent(ours, chain(few)).values()))
        chains[long].append(sum(_spent(ours, chain(long), seconds=500).values()))
    messages = {size: _messages(layered(1, size)) for size in (few, many)}
    totals = [sum(one.values()) for one in graph]
    short, deep = median(chains[few]), median(chains[long])
    small, large = messages[few], messages[many]
    rows = [
        Row(f"engine cost, {many:,} tasks", "≤ 25 ms a task", f"{spread(totals, ' ms', 1)}", met=median(totals) <= 25),
        Row(
            f"engine cost, chain of {long:,}",
            f"as a chain of {few}",
            f"{deep:.1f} ms a task, {few}: {short:.1f} ms",
            met=deep <= 1.15 * short,
        ),
        Row(
            "messages",
            "size constant",
            f"{large['each']:.1f} a task, largest {large['largest']:,} bytes ({few} tasks: {small['largest']:,})",
            met=large["largest"] <= small["largest"] + 64,
        ),
    ]
    told = (
        "Processor time of planner, audit, agent, ship and server, over every task of a random layered graph with 2.5 "
        "blockers a task, from begin to report. Agents that do nothing, no git."
    )
    data: dict[str, Any] = {"graph": graph, "chains": {str(size): found for size, found in chains.items()}}
    return Result("cost", rows, told, data | {"messages": {str(size): found for size, found in messages.items()}})


def _spent(ours: House, plan: Plan, seconds: float = 300) -> dict[str, float]:
    """Milliseconds of processor time a task, by process."""
    before = ours.cpu()
    ours.run(plan, seconds)
    return {name: 1000 * (spent - before[name]) / len(plan) for name, spent in ours.cpu().items()}


def _messages(plan: Plan) -> dict[str, float]:
    """Every message of a plan, taken off a real broker: how many a task, and the largest in bytes."""
    with tempfile.TemporaryDirectory(prefix="bench") as home, server() as (_, url):
        hand = Hand(Rig.build(Path(home), url, ()))
        hand.begin(requested_of(plan), portfolio=portfolio_of(plan))
        hand.collect()
        while hand.mail:
            hand.play(hand.mail.pop(0))
        settled = len(hand.of("planner.settle"))
        assert settled == len(plan), f"{settled} of {len(plan)} tasks were settled"
        hand.rig.ledger.close()
        return {"each": len(hand.seen) / len(plan), "largest": max(message.size for message in hand.seen)}
