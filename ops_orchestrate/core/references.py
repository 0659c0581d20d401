"""Names of tasks, and whom each of them names as its blocker.

A task waits for another one only because somebody said so: a person in `blocked_by` (by id, by fingerprint,
or by a title that only one task has), or the roadmap about its own phases. A project that `consumes` another
one is not made to wait for it: most changes of a producer are no concern of its consumer, and the seed
forbids serialising what can run in parallel. Whoever needs the output names the task that makes it.

A person's mistake (an unknown id, a circle) is an error of the whole plan. A roadmap's is not: it comes from
a repository, so it can only spoil its own phases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.graph import find_cycle, knots, spell
from ops_orchestrate.core.names import is_name, one_line, slugify
from ops_orchestrate.core.triage import Work
from ops_orchestrate.errors import PlanError


class References(NamedTuple):
    """Who waits for whom, over all work, planned or not."""

    blocked_by: dict[str, tuple[str, ...]]
    knotted: dict[str, str]
    """Phases that wait for each other, with the circle spelled out; the edges between them are gone."""
    notes: tuple[Finding, ...]
    """Blockers that a roadmap names and nobody found: said, not waited for."""


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
    names = _names(works, ids)
    prints = {(w.finding.project, w.finding.fingerprint): task for w, task in zip(works, ids, strict=True)}
    blocked_by: dict[str, tuple[str, ...]] = {}
    outside: dict[str, tuple[str, ...]] = {}
    notes: list[Finding] = []
    for work, task in zip(works, ids, strict=True):
        finding = work.finding
        if finding.kind is FindingKind.REQUESTED:
            blocked_by[task] = tuple(_named(task, text, finding.project, names, prints) for text in finding.blocked_by)
            continue
        found = [prints.get((finding.project, text)) for text in finding.blocked_by]
        blocked_by[task] = outside[task] = tuple(blocker for blocker in found if blocker)
        notes.extend(_stranger(finding, text) for text, hit in zip(finding.blocked_by, found, strict=True) if not hit)
    knotted = _untie(blocked_by, outside)
    return References(blocked_by, knotted, tuple(notes))


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


def _named(
    task: str, text: str, project: str, names: Mapping[str, list[str]], prints: Mapping[tuple[str, str], str]
) -> str:
    if (project, text) in prints:
        return prints[project, text]
    tasks = names.get(text) or names.get(_title_key(text)) or [text]
    if text in tasks or len(tasks) == 1:
        return text if text in tasks else tasks[0]
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
    """Take the edges out of the roadmap's own circles; returns who stood in one, and the first circle."""
    tied = knots(outside)
    if not tied:
        return {}
    circle = spell(find_cycle({task: outside[task] for task in outside if task in tied}))
    for task in tied:
        blocked_by[task] = tuple(blocker for blocker in blocked_by[task] if blocker not in tied)
    return dict.fromkeys(sorted(tied), f"the roadmap's phases wait for each other: {circle}")
