"""How long a night takes beside what no order could beat, with real workers; and what waves on Celery take for it."""

from __future__ import annotations

from typing import Any

from benchmarks.figure import Effort, Result, Row, median, spread
from benchmarks.graphs import SLOTS, Plan, bound, draw
from benchmarks.house import House, Ran, house, server
from benchmarks.peers.waves import Waves, waves_on_celery
from ops_orchestrate.core.event import EventKind


def measure(effort: Effort) -> Result:
    """Ours and the peer in turn, round after round, each with five agents at most."""
    count, mean = effort.of(300, 12), 0.05 if effort.small else 0.5
    plans = {"random": draw(1, count, mean=mean), "hot repositories": draw(1, count, mean=mean, hot=True)}
    ratios: dict[str, dict[str, list[float]]] = {name: {"ours": [], "waves": []} for name in plans}
    timeline: list[dict[str, Any]] = []
    with house() as ours, server() as (_, url), waves_on_celery(url) as peer:
        for _ in range(1 if effort.small else effort.rounds):
            for name, plan in plans.items():
                timeline = _round(plan, ours, peer, ratios[name], twice=name == "random") or timeline
    rows = [
        Row(
            f"makespan / lower bound, {name}",
            "≤ 1.05 (waves ≥ 1.5)",
            spread(found["ours"]),
            f"waves on Celery {spread(found['waves'])}" if found["waves"] else "",
            f"1.00 = {bound(plans[name]):.1f} s",
            median(found["ours"]) <= 1.05,
        )
        for name, found in ratios.items()
    ]
    told = (
        f"{count} agents of {mean} s on average (log-normal), 20 repositories with one writer each, {SLOTS} slots. "
        "Real workers, server and messages; an agent is a process that sleeps, without tree, sandbox and gate. The "
        "planner does not know the lengths: it has no history of these repositories."
    )
    return Result("makespan", rows, told, {"ratios": ratios, "timeline": timeline})


def _round(
    plan: Plan, ours: House, peer: Waves, found: dict[str, list[float]], *, twice: bool
) -> list[dict[str, Any]] | None:
    least = bound(plan)
    ran = ours.run(plan)
    found["ours"].append(ran.makespan() / least)
    if twice or not found["waves"]:  # the peer's minute is spent where its goal is
        found["waves"].append(peer.run(plan) / least)
    return slots(ran) if twice else None


def slots(ran: Ran) -> list[dict[str, Any]]:
    """Who had which slot from when to when: the picture's bars."""
    taken = {event.task: event for event in ran.events if event.kind is EventKind.SLOT_TAKEN}
    released = ran.at(EventKind.SLOT_RELEASED)
    first = min(event.at for event in taken.values())
    return [
        {"slot": event.data["slot"], "from": round(event.at - first, 3), "to": round(released[task] - first, 3)}
        for task, event in taken.items()
        if task
    ]
