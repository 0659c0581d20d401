"""Phase 2: what the audit found becomes a plan. Facts in, a plan out; the same facts give the same plan.

findings → one piece of work a defect (triage) → ids and blockers (references) → a checked graph → what
earlier and concurrent runs have of it and `--fires-only` (sift) → waves, ranks, modes (specs). Everything left
out is listed with its reason. Nothing is claimed or stored here, and no text from outside becomes an id,
a path or an edge unchecked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.core.attempt import Settlement
from ops_orchestrate.core.crossref import Left, Standing, Verdict
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.opened import going_on
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.references import name_tasks, resolve
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.sift import Claims, History, Mine, Sifted, is_missing, only_fires, sift, traces_of
from ops_orchestrate.core.specs import Item, Setting, make_specs
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import Priority, TaskSpec
from ops_orchestrate.core.triage import Work, triage


class Plan(NamedTuple):
    """What planning decided, ready to be claimed and stored."""

    tasks: tuple[TaskSpec, ...]
    """Every task after its blockers, the urgent ones first where that leaves a choice."""
    blocked: dict[str, Settlement]
    """Tasks that start out waiting for a person, and what they wait for."""
    takes: tuple[tuple[str, str, str, str], ...]
    """Claims to take: project, fingerprint, task, cause."""
    over: tuple[tuple[str, str], ...]
    """(run, task) of other runs whose claims may be taken over."""
    left: dict[str, Left]
    """What tasks take over from runs that have ended."""
    skipped: tuple[Skipped, ...]
    unknown: tuple[Skipped, ...]
    notes: tuple[Finding, ...]
    """Findings that are reported and not worked on."""


def structure(
    request: RunRequest,
    parts: Sequence[AuditPart],
    claims: Claims,
    lengths: Mapping[str, float],
    now: float,
    *,
    sensitive: Sequence[str] = (),
    mine: Mine | None = None,
) -> Plan:
    """Plan what was found.

    `claims`: who has which (project, fingerprint), this run's own left out; `mine`: what an earlier try took over with
    its own. `lengths`: learned seconds of an attempt by repository key, "" for all. `sensitive`: globs of the settings,
    beside each repository's own.
    Raises PlanError for a person's unknown blockers, self-dependencies and cycles.
    """
    parts = sorted(parts, key=lambda part: part.part)
    projects = {project.alias: project for project in request.portfolio.projects}
    found = going_on([one for part in parts for one in part.findings], (one for part in parts for one in part.opened))
    works, notes = triage(found, projects)
    works = _in_plan_order(works, request)
    ids = name_tasks(works)
    named = resolve(works, ids)
    whole = Graph(named.blocked_by)
    by_id = dict(zip(ids, works, strict=True))
    sifted = sift(by_id, whole, projects, parts, History(claims, mine or {}, traces_of(parts)))
    if request.fires_only:
        sifted = only_fires(sifted, whole)
    items = sifted.items
    all_planned = len(items) == len(whole.blockers)
    graph = whole if all_planned else Graph({task: [b for b in whole.blockers[task] if b in items] for task in items})
    branches = {repo: branch for part in parts for repo, branch in part.branches.items()}
    setting = Setting(request.mode, branches, lengths, now, tuple(sensitive), planner_help=request.planner_help)
    return Plan(
        tasks=make_specs(graph, items, setting),
        blocked=_blocked(whole, sifted, named.knotted),
        takes=_takes(items.values()),
        over=_over(items.values(), claims),
        left=sifted.taken_over,
        skipped=_listed(parts, "skipped") + _reasons(by_id, sifted.left_out),
        unknown=_listed(parts, "unknown"),
        notes=(*notes, *named.notes),
    )


def _in_plan_order(works: Sequence[Work], request: RunRequest) -> list[Work]:
    """By priority, registry, red baselines first, then as the tasks file has them; never as answers came."""
    place = {project.alias: at for at, project in enumerate(request.portfolio.projects)}
    wanted = {task.id: at for at, task in enumerate(request.tasks)}

    def key(work: Work) -> tuple[Priority, int, bool, int, str, str, str]:
        task_id = work.task_id or ""
        return (
            work.priority,
            place.get(work.project, len(place)),
            work.kind is not FindingKind.RED_BASELINE,
            wanted.get(task_id, len(wanted)),
            work.finding.title if work.kind is FindingKind.PHASE else task_id,
            work.claims[0][0],
            work.project,
        )

    return sorted(works, key=key)


def _blocked(whole: Graph, sifted: Sifted, knotted: Mapping[str, str]) -> dict[str, Settlement]:
    blocked: dict[str, Settlement] = {}
    left_out = sifted.left_out
    for task, item in sifted.items.items():
        if not (item.held or left_out or knotted):
            continue
        finding = item.work.finding
        human, hold = finding.human, finding.hold
        missing = next((b for b in whole.blockers[task] if is_missing(left_out.get(b))), None) if left_out else None
        waits = f"waits for {missing}, which is left out: {left_out[missing].reason}" if missing else ""
        stuck = waits or knotted.get(task, "")
        if human:
            blocked[task] = Settlement(state=TaskState.BLOCKED, reason=human, ask="done")
        elif hold:
            # Whoever says yes must know of both: it starts then, also where it waits for what is not planned.
            why = f"{hold}; it {stuck}" if waits else hold
            blocked[task] = Settlement(state=TaskState.BLOCKED, reason=why, ask="dispatch")
        elif stuck:
            blocked[task] = Settlement(state=TaskState.BLOCKED, reason=stuck, ask="retry")
    return blocked


def _takes(items: Iterable[Item]) -> tuple[tuple[str, str, str, str], ...]:
    """A claim on each fingerprint: a source that another run finds first must not make the work anew there."""
    return tuple([(item.project.alias, print_, item.id, cause) for item in items for print_, cause in item.work.claims])


def _over(items: Iterable[Item], claims: Claims) -> tuple[tuple[str, str], ...]:
    """Who gives up claims. Where one of a work's claims is taken over, its ended ones are, too."""
    taken = (
        claims[item.work.project, print_]
        for item in items
        if item.standing.verdict is Verdict.OVER
        for print_, _ in item.work.claims
        if (item.work.project, print_) in claims
    )
    return tuple(dict.fromkeys((claim.run, claim.task) for claim in taken))


def _listed(parts: Iterable[AuditPart], field: str) -> tuple[Skipped, ...]:
    return tuple(dict.fromkeys(one for part in parts for one in getattr(part, field)))


def _reasons(works: Mapping[str, Work], left_out: Mapping[str, Standing]) -> tuple[Skipped, ...]:
    """What is left out, by the name a person knows it by."""
    return tuple(
        Skipped(name=_shown(works[task].finding, task), reason=found.reason) for task, found in left_out.items()
    )


def _shown(finding: Finding, task: str) -> str:
    return task if finding.task_id == task else one_line(f"{finding.project}: {finding.title}")
