"""What carrying out a plan is expected to take: agents, attempts, time, cost. It decides nothing.

Time is the plan played through on the slots with the lengths that history taught, one attempt a task. A cost
is named only where an attempt's price is known; a guess would be read as a promise.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ops_orchestrate.core.board import MAX_AGENTS
from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.simulate import Piece, by_both, by_path, simulate
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.core.value import Value

#: Longer plans are played through with one rank only: the second would find the same within some hundredths.
_MOST_PLAYED_TWICE = 2000


class Forecast(Value):
    """What a plan is expected to take; times are seconds."""

    agents: int
    """Agents working at once, at most."""
    attempts: int
    """Attempts, if each task needs one; without tasks that wait for a person, and what waits for those."""
    waiting: int = 0
    """Tasks not counted."""
    seconds_lower_bound: float
    """No order could be faster: the longest path, all work over the slots, or the busiest repository."""
    seconds_expected: float
    """From the first agent to the last."""
    agent_seconds: float
    """Added up over the attempts."""
    cost_usd: float | None = None
    cost: str
    """For people: a sum and where it comes from, or `unknown` and why."""
    tokens: int | None = None
    basis: str = ""
    """Where the figures come from, in one sentence."""

    @property
    def seconds(self) -> float:
        """The expected time, by the name a report shows it under."""
        return self.seconds_expected


def forecast(
    tasks: Sequence[TaskSpec],
    cap: int,
    *,
    blocked: Collection[str] = (),
    price_per_attempt: float | None = None,
) -> Forecast:
    """The forecast of these tasks with at most `cap` agents.

    `blocked` are tasks that start out waiting for a person (those with `human` are added).
    `price_per_attempt` is in dollars, learned from attempts that reported their cost. Raises PlanError if the
    tasks are no graph.
    """
    slots = max(1, min(cap, MAX_AGENTS))
    graph = Graph({task.id: task.blocked_by for task in tasks})
    waiting = graph.waiting_for({task.id for task in tasks if task.human or task.id in blocked})
    runnable = [task for task in tasks if task.id not in waiting]
    path = graph.path_left({task.id: 0.0 if task.id in waiting else task.estimate for task in tasks})
    expected, agents = _expected(runnable, path, slots)
    return Forecast(
        agents=agents,
        attempts=len(runnable),
        waiting=len(waiting),
        seconds_lower_bound=_bound(runnable, path, slots),
        seconds_expected=expected,
        agent_seconds=sum(task.estimate for task in runnable),
        cost_usd=None if price_per_attempt is None else price_per_attempt * len(runnable),
        cost=_cost(len(runnable), price_per_attempt),
        basis="Played through with the lengths of earlier attempts (ten minutes where there are none), "
        "one attempt a task.",
    )


def _expected(tasks: Sequence[TaskSpec], path: dict[str, float], slots: int) -> tuple[float, int]:
    pieces = [
        Piece(
            id=task.id,
            repo=task.repo,
            seconds=task.estimate,
            path_left=path[task.id],
            priority=task.urgency or task.priority,
            paths=task.paths,
            blockers=task.blocked_by,
        )
        for task in tasks
    ]
    rules = (by_both, by_path) if len(pieces) <= _MOST_PLAYED_TWICE else (by_both,)
    best = min((simulate(pieces, slots, rule) for rule in rules), key=lambda played: played.makespan)
    return best.makespan, best.most


def _bound(tasks: Sequence[TaskSpec], path: dict[str, float], slots: int) -> float:
    whole: dict[str, float] = {}
    parted: dict[str, list[float]] = {}
    for task in tasks:
        if task.paths:
            parted.setdefault(task.repo, []).append(task.estimate)
        else:
            whole[task.repo] = whole.get(task.repo, 0.0) + task.estimate
    # Who owns a whole repository works alone in it; those with declared paths may share it, at best all
    # slots.
    shared = {repo: max(*lengths, sum(lengths) / slots) for repo, lengths in parted.items()}
    repositories = [whole.get(repo, 0.0) + shared.get(repo, 0.0) for repo in whole.keys() | shared.keys()]
    total = sum(task.estimate for task in tasks) / slots
    return max([total, *repositories, *(path[task.id] for task in tasks)], default=0.0)


def _cost(attempts: int, price: float | None) -> str:
    if price is None:
        return "unknown: no attempt has reported its cost yet"
    return f"${price * attempts:.2f} ({attempts} × ${price:.2f}, the average of earlier attempts)"
