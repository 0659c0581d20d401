"""From findings to work: one piece for one defect, whoever noticed it, with a priority and its seed label.

One defect from several sources (core/dedupe.py) is one piece with all sources, the highest priority and every
detail. A person's own task keeps the priority that the person gave it. Where a trusted source reports what a
stranger reported too, the trusted one wins: nobody has to be asked, and nothing of the stranger's text is used. The
user's uncommitted and unpushed work never becomes a task, whatever a source claims: it is reported and not touched.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ops_orchestrate.core.dedupe import same_defects, stable
from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.names import clean_text, one_line, slugify
from ops_orchestrate.core.project import Project
from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.value import slim

#: Kinds that are never worked on.
_ONLY_REPORTED = frozenset(
    {
        FindingKind.UNCOMMITTED,
        FindingKind.UNPUSHED,
        FindingKind.STATE_DRIFT,
        FindingKind.NOTICE,
    }
)
#: Where a project earns money, a P0 or P1 is `-revenue`, as in the seed's example.
_EARNING = frozenset({"growth", "active", "production"})
_LABEL = re.compile(r"(P[0-3])(?:-(.+))?", re.IGNORECASE)

#: Whose fingerprint and kind a merged piece of work goes by: the first of these that is among its findings.
_ANCHORS = (
    FindingKind.REQUESTED,
    FindingKind.RED_BASELINE,
    FindingKind.CI_FAILURE,
    FindingKind.ISSUE,
    FindingKind.TICKET,
    FindingKind.ERROR,
    FindingKind.CHANGE,
    FindingKind.PHASE,
)


class Work(NamedTuple):
    """A finding to be worked on, merged over its sources, its texts cleaned."""

    finding: Finding
    """Its `blocked_by` is a person's where it was asked for, else the sources'; see `waits_for`."""
    sources: tuple[str, ...]
    priority: Priority
    label: str
    claims: tuple[tuple[str, str], ...]
    """(fingerprint, cause) of all that a run claims with it, so that no other run takes one of them: every fingerprint
    that it has, with what each rests on; the finding's own comes first."""
    waits_for: tuple[str, ...]
    """Blockers that sources name for something that a person asked for: a source's mistake is no error of the plan."""
    project: str
    kind: FindingKind
    task_id: str | None
    blocked_by: tuple[str, ...]
    names: tuple[str, ...]
    """These five are the finding's (`own`): most steps look at them, and every look into a finding costs."""


def fingerprint(kind: str, project: str, repo: str, *parts: str) -> str:
    """16 hex digits that name a defect over runs and sources.

    `parts` are what makes it this defect and no other; leave out what changes while it stays the same one
    (line numbers, times, SHAs: those are its cause).
    """
    text = json.dumps([str(kind), project, repo, *parts])  # a list: ("ab", "c") is not ("a", "bc")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def triage(findings: Iterable[Finding], projects: Mapping[str, Project]) -> tuple[list[Work], tuple[Finding, ...]]:
    """The work, and the findings that are only reported.

    `projects` are those of the portfolio by alias. The order of the findings matters to that of the work, and to
    nothing else.
    """
    found: list[Finding] = []
    alone: list[Work] = []
    notes: list[Finding] = []
    for finding in findings:
        if _is_work(finding):
            found.append(finding)
            alone.append(_alone(finding, projects.get(finding.project)))
        elif _is_left(finding):
            found.append(finding)
        else:
            notes.append(finding)
    notes.sort(key=stable)
    groups = same_defects(found)
    if len(groups) == len(found) == len(alone):  # each defect was noticed once, and is to be worked on
        return alone, tuple(dict.fromkeys(notes))
    works, not_done = _grouped(groups, projects)
    for group in sorted(not_done, key=lambda group: stable(group[0])):
        notes += _left(group)
    return works, tuple(dict.fromkeys(notes))


def _grouped(
    groups: Iterable[list[Finding]], projects: Mapping[str, Project]
) -> tuple[list[Work], list[list[Finding]]]:
    """The work of these defects, and the defects of which a source leaves something to others."""
    works: list[Work] = []
    not_done: list[list[Finding]] = []
    for group in groups:
        work = [one for one in group if _is_work(one)]
        if len(work) < len(group):
            not_done.append(group)
            if not any(one.kind is FindingKind.REQUESTED for one in work):
                continue
        project = projects.get(work[0].project)
        works.append(_merged(work, project) if len(work) > 1 else _alone(work[0], project))
    return works, not_done


def _left(group: Sequence[Finding]) -> list[Finding]:
    """What is said of a defect that a source leaves to others; what a person asks for is worked on all the same."""
    left = [one for one in group if not _is_work(one)]
    due = [one for one in group if _is_work(one)]
    asked = any(one.kind is FindingKind.REQUESTED for one in due)
    return left if asked else [*left, *(_follows(one, left[0]) for one in due)]


def priority_of(finding: Finding, stage: str | None) -> Priority:
    """Its own priority, else its label's, else by kind: a red baseline P1 (P0 in production), the rest P2."""
    if finding.priority:
        return finding.priority
    labelled = _LABEL.fullmatch(finding.label) if finding.label else None
    if labelled:
        return Priority(labelled[1].upper())
    if finding.kind is FindingKind.RED_BASELINE:
        return Priority.P0 if stage == "production" else Priority.P1
    return Priority.P2


@lru_cache(maxsize=4096)  # a plan has few labels, each for thousands of its tasks
def label_of(priority: Priority, label: str | None, stage: str | None) -> str:
    """The seed's long form, such as `P1-revenue`.

    A given label keeps its word behind the priority that counts. Without one, P0 and P1 of a project that
    earns money are `-revenue`; everything else is the bare priority.
    """
    given = _LABEL.fullmatch(label or "")
    word = given[2] if given else label
    if word:
        return f"{priority}-{slugify(word, 24)}"
    urgent = priority in {Priority.P0, Priority.P1}
    return f"{priority}-revenue" if urgent and not given and stage in _EARNING else str(priority)


def _is_work(finding: Finding) -> bool:
    return finding.actionable and finding.kind not in _ONLY_REPORTED


def _is_left(finding: Finding) -> bool:
    """An issue or a ticket that its source says is not to be worked on (somebody does already, or nobody should).

    The same defect seen elsewhere is left with it, unless a person asks for it; a stranger's issue says nothing here.
    """
    return finding.kind in {FindingKind.ISSUE, FindingKind.TICKET} and bool(finding.names) and not finding.hold


def _follows(finding: Finding, left: Finding) -> Finding:
    title = one_line(f"{finding.title} (not worked on, as it is {left.names[0]}: {left.title})", 300)
    return finding.model_copy(update={"actionable": False, "title": title})


def _alone(one: Finding, project: Project | None) -> Work:
    """What `_merged` makes of a single finding: nearly all of a large plan, so what stays as it is is not copied."""
    stage = project.stage if project else None
    priority = priority_of(one, stage)
    finding = _cleaned(one)
    label, claims = label_of(priority, one.label or None, stage), ((one.fingerprint, finding.cause),)
    return Work(finding, (one.source,), priority, label, claims, (), *own(finding))


def own(finding: Finding) -> tuple[str, FindingKind, str | None, tuple[str, ...], tuple[str, ...]]:
    """The last five fields of its work."""
    return finding.project, finding.kind, finding.task_id, finding.blocked_by, finding.names


def _cleaned(one: Finding) -> Finding:
    changed: dict[str, object] = {}
    fields = vars(one)
    for name, clean in _CLEANERS.items():
        if text := fields[name]:
            cleaned = clean(text)
            if cleaned is not text and cleaned != text:
                changed[name] = cleaned
    if not changed.get("human", one.human) and one.human is not None:
        changed["human"] = None
    if one.change_branch and not one.change:
        changed["change_branch"] = ""
    return slim(one.model_copy(update=changed)) if changed else one


def _merged(group: Sequence[Finding], project: Project | None) -> Work:
    stage = project.stage if project else None
    told = [one for one in group if not one.hold] or group
    asked = [one for one in told if one.kind is FindingKind.REQUESTED]
    first = asked[0] if asked else min(told, key=lambda one: priority_of(one, stage))
    # A person's priority wins over what any source thinks of the same defect.
    voices = [one for one in asked if one.priority or _LABEL.fullmatch(one.label or "")] or told
    priority = min(priority_of(one, stage) for one in voices)
    label = next((one.label for one in (first, *told) if one.label), None)
    waits_for = _all(one.blocked_by for one in told if one.kind is not FindingKind.REQUESTED) if asked else ()
    finding = first.model_copy(update=_common(group, told, first))
    sources = _all((one.source,) for one in group)
    return Work(finding, sources, priority, label_of(priority, label, stage), _claims(group), waits_for, *own(finding))


def _common(group: Sequence[Finding], told: Sequence[Finding], first: Finding) -> dict[str, object]:
    """What the merged finding has of all: texts of those who may tell (`told`), names and ends of the whole group."""
    anchor = min(group, key=_place)
    waits = [one for one in told if one.kind is FindingKind.REQUESTED] or told
    # Number and branch of one and the same pull request, and rather of one that knows both.
    pursued = max((one for one in group if one.change), key=lambda one: bool(one.change_branch), default=None)
    return {
        "kind": anchor.kind,
        "fingerprint": anchor.fingerprint,
        "title": _line(first.title),
        "detail": _joined(told, first) + _left_out(group, told),
        "acceptance": tuple(_line(text, 500) for text in _all(one.acceptance for one in told)),
        # One source that could name no paths may be right: then the task owns the repository.
        "paths": _all(one.paths for one in told) if all(one.paths for one in told) else (),
        "blocked_by": _all(one.blocked_by for one in waits),
        "human": _line(next((one.human for one in told if one.human), ""), 300) or None,
        "cause": _line("+".join(_all((one.cause,) for one in group if one.cause))),
        "names": _all(one.names for one in group),
        "hold": _line(next((one.hold for one in told if one.hold), ""), 300),
        "change": pursued.change if pursued else "",
        "change_branch": pursued.change_branch if pursued else "",
        "closes": _all(one.closes for one in group),
    }


def _left_out(group: Sequence[Finding], told: Sequence[Finding]) -> str:
    """Where else it is reported, by whom nobody vouches for: named, so that a person can look; never quoted."""
    names = _all(one.names for one in group if one.hold) if len(told) < len(group) else ()
    return f"\n\nAlso reported as {_line(', '.join(names))}; that text is not trusted and is left out." if names else ""


def _place(finding: Finding) -> tuple[int, str]:
    return _ANCHORS.index(finding.kind), finding.fingerprint


def _claims(group: Sequence[Finding]) -> tuple[tuple[str, str], ...]:
    causes: dict[str, list[str]] = {}
    for one in sorted(group, key=_place):
        causes.setdefault(one.fingerprint, []).append(one.cause)
    return tuple((print_, _line("+".join(_all((c,) for c in some if c)))) for print_, some in causes.items())


def _joined(group: Sequence[Finding], first: Finding) -> str:
    details = dict.fromkeys(one.detail.strip() for one in (first, *group))
    return _prose("\n\n".join(detail for detail in details if detail))


# Nearly all text is plain; looking at every character of it twice was most of the time of a large plan.
def _prose(text: str) -> str:
    plain = text.isascii() and text.replace("\n", "").isprintable() and len(text) <= 20_000
    return text if plain else clean_text(text)


def _line(text: str, limit: int = 200) -> str:
    plain = text.isascii() and text.isprintable() and len(text) <= limit and "  " not in text
    return text.strip() if plain else one_line(text, limit)


def _unique(items: tuple[str, ...]) -> tuple[str, ...]:
    return items if len(items) < 2 or len(set(items)) == len(items) else tuple(dict.fromkeys(items))


def _all(groups: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))


#: What is made of a finding's texts before anybody reads them, by field.
_CLEANERS: Mapping[str, Callable[[Any], object]] = {
    "title": _line,
    "detail": lambda text: _prose(text.strip()),
    "acceptance": lambda texts: tuple(_line(text, 500) for text in _unique(texts)),
    "paths": _unique,
    "blocked_by": _unique,
    "human": lambda text: _line(text, 300),
    "cause": _line,
    "names": _unique,
    "hold": lambda text: _line(text, 300),
    "closes": _unique,
}
