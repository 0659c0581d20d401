"""Random plans, the same for every engine that they are run on, and what no order of them can beat."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.core.graph import Graph

SLOTS = 5


class Node(NamedTuple):
    """One task of a plan: where it writes (nobody else may meanwhile), for how long, and after whom."""

    id: str
    repo: str
    seconds: float
    blockers: tuple[str, ...]


Plan = Sequence[Node]


def draw(seed: int, count: int = 300, *, repos: int = 20, mean: float = 0.5, hot: bool = False) -> list[Node]:
    """A random graph with log-normal lengths. `hot`: repositories have work by Zipf's law, else all the same.

    A task waits for up to three of the sixty before it; the sum of all lengths is exactly `count` × `mean`.
    """
    choose = random.Random(seed)
    weights = [1 / (at + 1) if hot else 1.0 for at in range(repos)]
    lengths = [choose.lognormvariate(0.0, 1.0) for _ in range(count)]
    scale = count * mean / math.fsum(lengths)
    nodes: list[Node] = []
    for at in range(count):
        near = nodes[max(0, at - 60) : at]
        blockers = choose.sample(near, min(len(near), choose.choice((0, 1, 1, 2, 3))))
        repo = choose.choices(range(repos), weights)[0]
        nodes.append(Node(f"t{at}", f"r{repo}", lengths[at] * scale, tuple(one.id for one in blockers)))
    return nodes


def layered(seed: int, count: int, *, repos: int = 20) -> list[Node]:
    """Layers as wide as there are layers; behind the first, each task waits for two or three of the layer before."""
    choose = random.Random(seed)
    width = max(2, math.isqrt(count))
    nodes: list[Node] = []
    for at in range(count):
        layer = at // width
        before = range((layer - 1) * width, layer * width)
        picked = choose.sample(before, min(width, choose.choice((2, 3)))) if layer else ()
        nodes.append(Node(f"t{at}", f"r{choose.randrange(repos)}", 0.0, tuple(f"t{one}" for one in picked)))
    return nodes


def chain(count: int, seconds: float = 0.0) -> list[Node]:
    """One behind the other, in twenty repositories in turn."""
    return [Node(f"t{at}", f"r{at % 20}", seconds, (f"t{at - 1}",) if at else ()) for at in range(count)]


def diamonds(count: int, width: int) -> list[Node]:
    """So many joins one behind the other: as many tasks at once as `width`, then one that waits for all of them."""
    nodes: list[Node] = []
    for at in range(count):
        before = (nodes[-1].id,) if nodes else ()
        parts = [Node(f"t{at}p{part}", f"r{part}", 0.001, before) for part in range(width)]
        nodes += [*parts, Node(f"t{at}", "r9", 0.001, tuple(part.id for part in parts))]
    return nodes


def bound(plan: Plan, slots: int = SLOTS) -> float:
    """Seconds that no order can beat: the longest path, all work over the slots, or the busiest repository."""
    seconds = {one.id: one.seconds for one in plan}
    path = max(Graph({one.id: one.blockers for one in plan}).path_left(seconds).values())
    work: dict[str, float] = {}
    for one in plan:
        work[one.repo] = work.get(one.repo, 0.0) + one.seconds
    return max(path, math.fsum(seconds.values()) / slots, *work.values())


def waves(plan: Plan) -> list[list[Node]]:
    """The plan as an engine without dependencies between single tasks must run it: wave after wave."""
    wave = Graph({one.id: one.blockers for one in plan}).waves()
    found: list[list[Node]] = [[] for _ in range(1 + max(wave.values(), default=-1))]
    for one in plan:
        found[wave[one.id]].append(one)
    return found


def guesses(plan: Plan, seed: int, noise: float = 0.5) -> Mapping[str, float]:
    """Lengths as a planner would guess them: true ones times a log-normal error that knows nothing of them."""
    choose = random.Random(f"guesses of {seed}")  # a plan's own numbers again would make every error follow its length
    return {one.id: one.seconds * choose.lognormvariate(0.0, noise) for one in plan}
