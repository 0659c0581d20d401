"""Names of tasks, and whom each of them names as its blocker.

A task waits for another one only because somebody said so: a person in `blocked_by` (by id, by fingerprint, by
name at a source, or by a title that only one task has), the roadmap about its own phases, or an issue or a ticket
about another one, by its name (`github:owner/name#7`, `linear:ENG-12`), in whatever project that is. A project
that `consumes` another one is not made to wait for it: most changes of a producer are no concern of its consumer,
and the seed forbids serialising what can run in parallel. Whoever needs the output names the task that makes it.

A person's mistake (an unknown id, a circle) is an error of the whole plan. A source's is not: it comes from
outside, so it can only spoil the tasks that it speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.graph import find_cycle, knots, spell
from ops_orchestrate.core.mentions import is_named, same
from ops_orchestrate.core.names import is_name, one_line, slugify
from ops_orchestrate.core.triage import Work
from ops_orchestrate.errors import PlanError


class References(NamedTuple):
    """Who waits for whom, over all work, planned or not."""

    blocked_by: dict[str, tuple[str, ...]]
    knotted: dict[str, str]
    """Tasks that sources made wait for each other, with the circle spelled out; those edges are gone."""
    notes: tuple[Finding, ...]
    """Blockers that a source names and nobody found: said, not waited for."""


class _Index(NamedTuple):
    """What a task may be called."""

    prints: dict[tuple[str, str], str]
    """Project and fingerprint to its task."""
    names: dict[str, list[str]]
    """What a person may call it (id, fingerprint, title), to the tasks so called."""
    known: dict[str, dict[str, None]]
    """Names at the sources, in any project, to the tasks that have them."""


def name_tasks(works: Sequence[Work]) -> list[str]:
    """An id for each piece of work, in its order: the one a person chose, else `ALIAS-KIND-FINGERPRINT`.

    Ids become folders and branches, so two never differ in letter case alone.
    """
    taken: set[str] = set()
    ids = [_claimed(work.finding.task_id or "", taken) for work in works]
    for at, work in enumerate(works):
        if not ids[at]:
            ids[at] = _made(work.finding, taken)
    return ids


def resolve(works: Sequence[Work], ids: Sequence[str]) -> References:
    """Turn what each finding names into ids. Raises PlanError for a title that several tasks have.

    A name that a person wrote and nothing has stays as it is: `graph.validate` refuses it with the nearest
    id.
    """
    index = _index(works, ids)
    blocked_by: dict[str, tuple[str, ...]] = {}
    outside: dict[str, tuple[str, ...]] = {}
    notes: list[Finding] = []
    for work, task in zip(works, ids, strict=True):
        finding = work.finding
        asked = finding.kind is FindingKind.REQUESTED
        mine = [one for text in finding.blocked_by for one in _named(task, text, finding, index)] if asked else []
        theirs: list[str] = []
        for text in work.waits_for if asked else finding.blocked_by:
            hits = _found(text, finding.project, index)
            theirs.extend(one for one in hits if one != task and one not in mine)
            notes.extend(() if hits else (_stranger(finding, text),))
        outside[task] = tuple(dict.fromkeys(theirs))
        blocked_by[task] = (*mine, *outside[task])
    knotted = _untie(blocked_by, outside)
    return References(blocked_by, knotted, tuple(dict.fromkeys(notes)))


def _index(works: Sequence[Work], ids: Sequence[str]) -> _Index:
    prints: dict[tuple[str, str], str] = {}
    known: dict[str, dict[str, None]] = {}
    for work, task in zip(works, ids, strict=True):
        for print_, _ in work.claims:
            prints[work.finding.project, print_] = task
        for name in work.finding.names:
            known.setdefault(same(name), {})[task] = None
    return _Index(prints, _names(works, ids), known)


def _claimed(wanted: str, taken: set[str]) -> str:
    if not is_name(wanted) or wanted.casefold() in taken:
        return ""
    taken.add(wanted.casefold())
    return wanted


def _made(finding: Finding, taken: set[str]) -> str:
    stem = f"{slugify(finding.project)}-{slugify(finding.kind)}"
    tail = slugify(finding.fingerprint)
    tries = [
        f"{stem}-{tail[:6]}",
        f"{stem}-{tail}",
        *(f"{stem}-{tail}-{n}" for n in range(2, len(taken) + 3)),
    ]
    return next(name for wanted in tries if (name := _claimed(wanted, taken)))


def _names(works: Sequence[Work], ids: Sequence[str]) -> dict[str, list[str]]:
    """Everything a person may call a task by, to the ids of the tasks so called."""
    names: dict[str, list[str]] = {}
    for work, task in zip(works, ids, strict=True):
        finding = work.finding
        for name in dict.fromkeys((task, finding.task_id or task, finding.fingerprint)):
            names.setdefault(name, []).append(task)
    by_title: dict[str, list[str]] = {}
    for work, task in zip(works, ids, strict=True):
        by_title.setdefault(_title_key(work.finding.title), []).append(task)
    for title, tasks in by_title.items():
        names.setdefault(title, tasks)  # an id always goes before a title that looks like it
    return names


def _title_key(title: str) -> str:
    return " ".join(title.casefold().split())


def _found(text: str, project: str, index: _Index) -> tuple[str, ...]:
    """Whom a source means: a fingerprint of its own project, or a name at a source, whoever has it."""
    print_ = index.prints.get((project, text))
    if print_:
        return (print_,)
    return tuple(index.known.get(same(text), ())) if is_named(text) else ()


def _named(task: str, text: str, finding: Finding, index: _Index) -> tuple[str, ...]:
    hits = _found(text, finding.project, index)
    if hits:
        return hits
    tasks = index.names.get(text) or index.names.get(_title_key(text)) or [text]
    if text in tasks or len(tasks) == 1:
        return (text if text in tasks else tasks[0],)
    raise PlanError(
        f'Task {task} waits for "{one_line(text)}", which {len(tasks)} tasks are called: '
        f"{', '.join(tasks[:5])}. Name one of these ids."
    )


def _stranger(finding: Finding, text: str) -> Finding:
    return Finding(
        kind=FindingKind.NOTICE,
        project=finding.project,
        repo=finding.repo,
        fingerprint=finding.fingerprint,
        title=one_line(f'"{finding.title}" names a blocker that nobody found: {text}. It does not wait for it.'),
        source=finding.source,
    )


def _untie(blocked_by: dict[str, tuple[str, ...]], outside: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Take the sources' own edges out of circles; returns whose they were, and the first circle.

    A circle that a person's edges make alone is left for the graph to refuse.
    """
    if not any(outside.values()):
        return {}
    tied = knots(blocked_by)
    loose = {task for task in tied if any(blocker in tied for blocker in outside[task])}
    if not loose:
        return {}
    circle = spell(find_cycle({task: blocked_by[task] for task in blocked_by if task in tied}))
    for task in loose:
        gone = {blocker for blocker in outside[task] if blocker in tied}
        blocked_by[task] = tuple(blocker for blocker in blocked_by[task] if blocker not in gone)
    return dict.fromkeys(sorted(loose), f"they wait for each other: {circle}")
