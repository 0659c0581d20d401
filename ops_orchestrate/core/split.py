"""Splitting a task: its parts are tasks of their own, and it stays as a composite that completes when they have.

So the graph around it never changes: whoever waits for it waits for it still. What proposes the parts may be a rule
(`pieces`) or an agent; either way they pass `parts_of`, and no part may reach further than the whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from itertools import count
from typing import TypeVar

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.names import clean_text, one_line
from ops_orchestrate.core.ownership import covers, overlap, problem
from ops_orchestrate.core.part import MOST_PARTS, Part
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskRecord, TaskSpec
from ops_orchestrate.errors import PlanError

_T = TypeVar("_T")
_TITLE, _ABOUT, _CRITERION, _CRITERIA = 160, 4_000, 600, 20
#: Ends that say nothing of the task's size: they neither add to a row of stalls nor break it.
_NO_FAULT = frozenset({OutcomeKind.INTERRUPTED, OutcomeKind.REDIRECTED, OutcomeKind.QUOTA, OutcomeKind.PLANNED})
_TOO_LONG = frozenset({OutcomeKind.STALLED, OutcomeKind.TIMED_OUT})
#: The name of a file that nobody declares, longer than any pattern: is everything below a folder covered?
_PROBE = "\x01" * 500


def worn_out(outcomes: Sequence[Outcome], limit: int) -> bool:
    """Whether the last `limit` attempts that count all stalled or ran out of time: a narrower brief did not help.

    `limit` 0: never.
    """
    kinds = [one.kind for one in outcomes if one.kind not in _NO_FAULT]
    return 0 < limit <= len(kinds) and all(kind in _TOO_LONG for kind in kinds[-limit:])


def may_be_split(spec: TaskSpec) -> bool:
    """Not a part or a composite, nor what is about one thing: an open change, a red base, work of a person."""
    return not (spec.part_of or spec.parts or spec.change_branch or spec.fixes_base or spec.human)


def pieces(spec: TaskSpec) -> tuple[Part, ...]:
    """The parts that a task's own description names: one a criterion, else one a group of paths; or nothing.

    Criteria are met one after the other, each on top of what is merged; paths that cannot meet are worked on at once.
    """
    if len(spec.acceptance) > 1:
        criteria = _spread(spec.acceptance)
        return tuple(
            Part(
                title=spec.title, about=f"Meet only: {'; '.join(group)}", acceptance=group, after=(n - 1,) if n else ()
            )
            for n, group in enumerate(criteria)
        )
    groups = _spread(apart(spec.paths))
    if len(groups) < 2:
        return ()
    return tuple(
        Part(title=spec.title, about=f"Do only what belongs into {', '.join(sum(group, ()))}", paths=sum(group, ()))
        for group in groups
    )


def parts_of(spec: TaskSpec, parts: Sequence[Part], taken: Collection[str], *, by: str) -> tuple[TaskSpec, ...]:
    """The parts as tasks, blockers first. Raises PlanError, which says what is wrong with the first bad one.

    `taken`: ids of the plan; `by`: who proposed it. Priority, trust, sensitivity, base and gate are the whole's. What
    the whole closes at its sources is closed by the last part, which then waits for all others.
    """
    if not may_be_split(spec):
        raise PlanError(f"{spec.id} cannot be split.")
    if not 2 <= len(parts) <= MOST_PARTS:
        raise PlanError(f"{len(parts)} parts are proposed; it has to be 2 to {MOST_PARTS}.")
    for number, part in enumerate(parts, start=1):
        _refuse(spec, part, number, len(parts))
    ids = _ids(spec.id, len(parts), taken)
    graph = Graph({own: [ids[at] for at in part.after] for own, part in zip(ids, parts, strict=True)})
    made = {
        own: _task(spec, part, own, number, len(parts)).model_copy(
            update={"blocked_by": (*spec.blocked_by, *graph.blockers[own]), "split_by": by}
        )
        for number, (own, part) in enumerate(zip(ids, parts, strict=True), start=1)
    }
    if spec.closes:
        *others, last = graph.order
        closing = {"closes": spec.closes, "blocked_by": (*spec.blocked_by, *others)}
        made[last] = made[last].model_copy(update=closing)
    return tuple(made[own] for own in graph.order)


def composite_of(spec: TaskSpec, parts: Sequence[TaskSpec]) -> TaskSpec:
    """The whole, once it is split: it waits for its parts beside what it waited for, and has no work of its own."""
    ids = tuple(part.id for part in parts)
    return spec.model_copy(update={"parts": ids, "blocked_by": (*spec.blocked_by, *ids), "estimate": 0.0, "big": ""})


def composite_is_done(spec: TaskSpec, parts: Sequence[TaskRecord]) -> bool:
    """Whether it is a composite, and all of its parts have completed."""
    return bool(spec.parts) and all(part.state is TaskState.COMPLETED for part in parts)


def _refuse(spec: TaskSpec, part: Part, number: int, total: int) -> None:
    if not one_line(part.title):
        raise PlanError(f"Part {number} has no title.")
    if len(part.acceptance) > _CRITERIA:
        raise PlanError(f"Part {number} has more than {_CRITERIA} criteria.")
    if found := problem(part.paths):
        raise PlanError(f"Part {number}: {found}.")
    outside = next((path for path in part.paths if not _within(spec.paths, path)), None)
    if outside is not None:
        raise PlanError(f"Part {number} may not change {one_line(outside, 80)}: that is outside of the whole's paths.")
    if any(not 0 <= at < total for at in part.after):
        raise PlanError(f"Part {number} waits for a part that there is not.")


def _within(whole: Sequence[str], path: str) -> bool:
    """Whether everything that `path` allows is allowed to the whole, too. With a wildcard: only word for word."""
    if not whole or path in whole:
        return True
    stem = path.removesuffix("**").rstrip("/")
    if "*" in stem or "?" in stem or not stem:
        return False
    below = f"{stem}/{_PROBE}"
    return all(covers(whole, name) for name in (stem if stem == path else below, below, f"{below}/{_PROBE}"))


def _task(spec: TaskSpec, part: Part, own: str, number: int, total: int) -> TaskSpec:
    about = clean_text(part.about, _ABOUT).strip()
    return spec.model_copy(
        update={
            "id": own,
            "title": f"{one_line(part.title, _TITLE)} (part {number} of {total})",
            "description": f"Part {number} of {total} of the task {spec.id}. {about}\n"
            f"The other parts see to the rest: leave it to them. The whole task:\n\n{spec.description}",
            "acceptance": tuple(one_line(text, _CRITERION) for text in part.acceptance) or spec.acceptance,
            "paths": part.paths or spec.paths,
            "member": f"{spec.member}-part{number}" if spec.member else "",
            "estimate": spec.estimate / total,
            # Its own: that a part is merged says nothing of the whole's finding.
            "fingerprint": hashlib.sha256(f"{spec.fingerprint}\0{own}".encode()).hexdigest()[:16],
            "prints": (),
            "whole": spec.claims,
            "closes": (),
            "part_of": spec.id,
            "of_parts": total,
            "big": "",
        }
    )


def _ids(whole: str, total: int, taken: Collection[str]) -> list[str]:
    for attempt in count():
        stem = f"{whole[:84]}{f'-s{attempt}' if attempt else ''}"
        ids = [f"{stem}-{number}" for number in range(1, total + 1)]
        if not set(ids) & set(taken):
            return ids
    raise AssertionError("unreachable")


def apart(paths: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of paths of which no two can meet."""
    groups: list[tuple[str, ...]] = []
    for path in dict.fromkeys(paths):
        met = [group for group in groups if overlap(group, (path,))]
        groups = [group for group in groups if group not in met]
        groups.append((*sum(met, ()), path))
    return groups


def _spread(items: Sequence[_T]) -> list[tuple[_T, ...]]:
    """The items in at most `MOST_PARTS` groups, in order and as even as can be."""
    total = min(len(items), MOST_PARTS)
    return [tuple(items[len(items) * n // total : len(items) * (n + 1) // total]) for n in range(total)]
