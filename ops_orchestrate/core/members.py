"""Names of the agents at work in a run: what a board calls them, and what a person types to say something to one.

A task's agent is called after where it works: `api-worker`; a second task there has `api-worker-2`. Names are given
once, with the plan, so that every attempt of a task has the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ops_orchestrate.core.names import slugify

_LONGEST = 30


def member_names(places: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Task id to name. `places`: every task of the plan in its order, and the name of the place where it is done.

    No two are the same, and none is the id of another task: a name or an id is enough to mean one task.
    """
    pairs = list(places)
    taken = {task for task, _ in pairs}
    named: dict[str, str] = {}
    # Two bases and numbers never make the same name: a base ends in `-worker`, and only a name of one in a number.
    # Numbers only grow, so the next free one is looked for from the last: all tasks of a place would try them all.
    last: dict[str, int] = {}
    bases = {place: f"{slugify(place.rpartition('/')[2], _LONGEST)}-worker" for place in {place for _, place in pairs}}
    for task, place in pairs:
        base = bases[place]
        number = last.get(base, 0) + 1
        while (name := base if number == 1 else f"{base}-{number}") in taken:
            number += 1
        last[base] = number
        named[task] = name
    return named
