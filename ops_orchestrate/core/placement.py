"""Which machine may do what: what work needs, held against what the living machines announce.

Work that every machine can do is anybody's: it goes to the pool's own queue, and whoever is free takes it. Work that
only some can do goes to the queue of one of them. Nobody is asked to do what he cannot: it waits, and says for what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.core.board import Host, Slot
from ops_orchestrate.core.names import one_line


class Needs(NamedTuple):
    """What a machine must have for a piece of work."""

    agents: tuple[str, ...] = ()
    """Any one of these; none: no agent works."""
    path: str = ""
    """A folder of one machine that the work comes from and goes to; empty: a place that all of them reach."""


#: Anybody's.
ANYONE = ""

AUDITS_AT_ONCE = 4
"""Jobs that one audit worker does at once: they wait for git and for gates."""


def able(host: Host, needs: Needs) -> bool:
    """Whether a machine has what is needed; one that does not say what it has is believed to."""
    if not host.probed:
        return True
    return (not needs.agents or not {*needs.agents}.isdisjoint(host.agents)) and (
        not needs.path or needs.path in host.checkouts
    )


def place(needs: Needs, hosts: Sequence[Host], free: Mapping[str, int]) -> str | None:
    """Who is to do it: ANYONE, the name of a machine, or None: it has to wait.

    `hosts` serve the pool, `free` says how many jobs of it each of them can still take. Among those that can, the one
    with the most room does it.
    """
    fit = [host for host in hosts if able(host, needs)]
    if len(fit) == len(hosts):
        return ANYONE
    best = max(fit, key=lambda host: (free.get(host.name, 0), host.name), default=None)
    return best.name if best and free.get(best.name, 0) > 0 else None


def why_nobody(needs: Needs, hosts: Sequence[Host]) -> str:
    """What no machine has, in a sentence; empty where one can do it, or where there is none at all."""
    if not hosts or any(able(host, needs) for host in hosts):
        return ""
    names = ", ".join(host.name for host in hosts[:5])
    lacks = [host for host in hosts if not able(host, Needs(agents=needs.agents))]
    if len(lacks) == len(hosts):
        wanted = " or ".join(needs.agents)
        return f"No machine can run {wanted} ({names}): set it up on one; `ops-orchestrate doctor` says how."
    where = one_line(needs.path, 200)
    return (
        f"It belongs to {where}, a folder of a machine that is not there ({names} lack it): start that one's workers."
    )


def free_places(pool: str, hosts: Iterable[Host], slots: Iterable[Slot]) -> dict[str, int]:
    """How many agents more each machine can take."""
    free = {host.name: host.pools.get(pool, 0) for host in hosts}
    for slot in slots:
        if slot.host in free:
            free[slot.host] -= 1
    return free


def serving(pool: str, hosts: Iterable[Host]) -> list[Host]:
    """The machines that serve a pool."""
    return [host for host in hosts if host.pools.get(pool, 0) > 0]


def holder_of(paths: Iterable[str], hosts: Sequence[Host]) -> str:
    """The machine to look at these checkouts on: the one that has most of them; ANYONE where that is all the same."""
    wanted = {*paths}
    found = {host.name: len(wanted & {*host.checkouts}) for host in hosts}
    if len({*found.values()}) < 2:
        return ANYONE
    return max(sorted(found), key=lambda name: found[name])


def batch(projects: int, most: int) -> int:
    """Projects in one part of an audit: so few that a machine has a part for each of its hands, and at most `most`."""
    return max(1, min(most, -(-projects // AUDITS_AT_ONCE)))


def ranges(places: Sequence[str], most: int) -> list[tuple[int, int]]:
    """Parts of at most `most` neighbours that belong to one machine: where each begins, and where the next one does."""
    found: list[tuple[int, int]] = []
    for index, name in enumerate(places):
        if found and index - found[-1][0] < most and places[found[-1][0]] == name:
            found[-1] = (found[-1][0], index + 1)
        else:
            found.append((index, index + 1))
    return found


def places(wanted: int, memory_mb: int, each_mb: int) -> int:
    """How many agents a machine takes at once: as many as are wanted and fit into its memory, and one in any case.

    `memory_mb`: what the machine has; 0: not known.
    """
    return max(1, min(wanted, memory_mb // each_mb)) if memory_mb else wanted
