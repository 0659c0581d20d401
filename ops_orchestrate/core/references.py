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
from functools import cached_property
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


class _Index:
    """What a task may be called."""

    def __init__(self, works: Sequence[Work], ids: Sequence[str]) -> None:
        self._works, self._ids = works, ids
        #: Each by itself: whoever names one means the string that everybody has.
        self.ids = dict(zip(ids, ids, strict=True))
        #: Fingerprints, by project.
        self.prints: dict[str, dict[str, str]] = {}
        #: Names at the sources, in any project, to the tasks that have them.
        self.known: dict[str, dict[str, None]] = {}
        for work, task in zip(works, ids, strict=True):
            prints = self.prints.get(work.project)
            if prints is None:
                prints = self.prints[work.project] = {}
            for print_, _ in work.claims:
                prints[print_] = task
            for name in work.names:
                self.known.setdefault(same(name), {})[task] = None

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """What a person may call it beside its id (fingerprint, title), to the tasks so called."""
        names: dict[str, list[str]] = {}
        by_title: dict[str, list[str]] = {}
        for work, task in zip(self._works, self._ids, strict=True):
            finding = work.finding
            for name in dict.fromkeys((task, finding.task_id or task, finding.fingerprint)):
                names.setdefault(name, []).append(task)
            by_title.setdefault(_title_key(finding.title), []).append(task)
        for title, tasks in by_title.items():
            names.setdefault(title, tasks)  # an id always goes before a title that looks like it
        return names


def name_tasks(works: Sequence[Work]) -> list[str]:
    """An id for each piece of work, in its order: the one a person chose, else `ALIAS-KIND-FINGERPRINT`.

    Ids become folders and branches, so two never differ in letter case alone.
    """
    taken: set[str] = set()
    ids = [_claimed(work.task_id or "", taken) for work in works]
    for at, work in enumerate(works):
        if not ids[at]:
            ids[at] = _made(work.finding, taken)
    return ids


def resolve(works: Sequence[Work], ids: Sequence[str]) -> References:
    """Turn what each finding names into ids. Raises PlanError for a title that several tasks have.

    A name that a person wrote and nothing has stays as it is: `graph.validate` refuses it with the nearest
    id.
    """
    index = _Index(works, ids)
    blocked_by: dict[str, tuple[str, ...]] = dict.fromkeys(index.ids, ())
    outside: dict[str, tuple[str, ...]] = {}
    notes: list[Finding] = []
    for work, task in zip(works, ids, strict=True):
        told = work.waits_for
        if work.kind is not FindingKind.REQUESTED:
            told = work.blocked_by
        elif work.blocked_by:
            blocked_by[task] = _asked(task, work, index)
        if told:
            theirs, unknown = _told(task, told, work.finding, index, mine=blocked_by[task])
            outside[task] = theirs
            blocked_by[task] += theirs
            notes += unknown
    knotted = _untie(blocked_by, outside)
    return References(blocked_by, knotted, tuple(dict.fromkeys(notes)))


def _asked(task: str, work: Work, index: _Index) -> tuple[str, ...]:
    """Whom a person means."""
    prints = index.prints[work.project]
    mine: list[str] = []
    for text in work.blocked_by:
        known = prints.get(text) or index.ids.get(text)
        if known:
            mine.append(known)
        else:
            mine += _named(task, text, work.project, index)
    return tuple(mine)


def _told(
    task: str, told: Sequence[str], finding: Finding, index: _Index, *, mine: Sequence[str]
) -> tuple[tuple[str, ...], list[Finding]]:
    """Whom sources mean, beside those that a person named (`mine`), and a note for each that nobody has."""
    theirs: dict[str, None] = {}
    notes: list[Finding] = []
    for text in told:
        hits = _found(text, finding.project, index)
        theirs |= dict.fromkeys(one for one in hits if one != task and one not in mine)
        if not hits:
            notes.append(_stranger(finding, text))
    return tuple(theirs), notes


def _claimed(wanted: str, taken: set[str]) -> str:
    folded = wanted.casefold()
    if folded in taken or not is_name(wanted):
        return ""
    taken.add(wanted if folded == wanted else folded)  # nearly all are, and one string of each is enough
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


def _title_key(title: str) -> str:
    return " ".join(title.casefold().split())


def _found(text: str, project: str, index: _Index) -> tuple[str, ...]:
    """Whom a source means: a fingerprint of its own project, or a name at a source, whoever has it."""
    print_ = index.prints.get(project, {}).get(text)
    if print_:
        return (print_,)
    return tuple(index.known.get(same(text), ())) if is_named(text) else ()


def _named(task: str, text: str, project: str, index: _Index) -> tuple[str, ...]:
    hits = _found(text, project, index)
    if hits:
        return hits
    tasks = index.names.get(text) or index.names.get(_title_key(text)) or [text]
    if len(tasks) == 1:
        return (tasks[0],)
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
    loose = {task for task, theirs in outside.items() if task in tied and any(one in tied for one in theirs)}
    if not loose:
        return {}
    circle = spell(find_cycle({task: blocked_by[task] for task in blocked_by if task in tied}))
    for task in loose:
        gone = {blocker for blocker in outside[task] if blocker in tied}
        blocked_by[task] = tuple(blocker for blocker in blocked_by[task] if blocker not in gone)
    return dict.fromkeys(sorted(loose), f"they wait for each other: {circle}")
