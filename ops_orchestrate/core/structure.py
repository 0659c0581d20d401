"""Phase 2: what the audit found becomes a plan. Facts in, a plan out; the same facts give the same plan.

findings → one piece of work a defect (triage) → ids and blockers (references) → a checked graph → what
earlier and concurrent runs have of it (crossref) → `--fires-only` → waves, ranks, modes (specs). Everything
left out is listed with its reason. Nothing is claimed or stored here, and no text from outside becomes an id,
a path or an edge unchecked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from ops_orchestrate.core.attempt import Settlement
from ops_orchestrate.core.crossref import ClaimView, Left, Standing, Trace, Verdict, adopted, standing, weightiest
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.mark import wholes
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.opened import going_on
from ops_orchestrate.core.ownership import problem
from ops_orchestrate.core.project import Project, Repository, Skipped
from ops_orchestrate.core.references import name_tasks, resolve
from ops_orchestrate.core.rest import collector_rests
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.specs import Item, Setting, make_specs
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import Priority, TaskSpec
from ops_orchestrate.core.triage import Work, triage
from ops_orchestrate.core.value import Value

NOT_A_FIRE = "not a fire, and no fire waits for it (--fires-only)"

Claims = Mapping[tuple[str, str], ClaimView]
Traces = Mapping[tuple[str, str], Sequence[Trace]]
Mine = Mapping[tuple[str, str], Left]
_PLANNED = frozenset({Verdict.NEW, Verdict.OVER, Verdict.AGAIN})


class Plan(Value):
    """What planning decided, ready to be claimed and stored."""

    tasks: tuple[TaskSpec, ...] = ()
    """Every task after its blockers, the urgent ones first where that leaves a choice."""
    blocked: dict[str, Settlement] = Field(default_factory=dict)
    """Tasks that start out waiting for a person, and what they wait for."""
    takes: tuple[tuple[str, str, str, str], ...] = ()
    """Claims to take: project, fingerprint, task, cause."""
    over: tuple[tuple[str, str], ...] = ()
    """(run, task) of other runs whose claims may be taken over."""
    left: dict[str, Left] = Field(default_factory=dict)
    """What tasks take over from runs that have ended."""
    skipped: tuple[Skipped, ...] = ()
    unknown: tuple[Skipped, ...] = ()
    notes: tuple[Finding, ...] = ()
    """Findings that are reported and not worked on."""


class _Sifted(NamedTuple):
    """All work, parted into what is planned and what is left out."""

    items: dict[str, Item]
    left_out: dict[str, Standing]


@collector_rests()
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
    closed = {repo: why for part in parts for repo, why in part.read_only.items()}
    traces = _traces(parts)
    sifted = _sift(dict(zip(ids, works, strict=True)), projects, claims, traces, closed=closed, mine=mine or {})
    sifted = _not_without_blockers(_not_without_unseen(sifted, parts, projects, works), whole)
    if request.fires_only:
        sifted = _only_fires(sifted, whole)
    items = sifted.items
    all_planned = len(items) == len(whole.blockers)
    graph = whole if all_planned else Graph({task: [b for b in whole.blockers[task] if b in items] for task in items})
    branches = {repo: branch for part in parts for repo, branch in part.branches.items()}
    setting = Setting(request.mode, branches, lengths, now, tuple(sensitive), planner_help=request.planner_help)
    return Plan(
        tasks=make_specs(graph, items, setting),
        blocked=_blocked(whole, sifted, named.knotted),
        takes=tuple(take for item in items.values() for take in _takes(item)),
        over=_over(items.values(), claims),
        left={task: item.standing.left for task, item in items.items() if item.standing.left},
        skipped=_listed(parts, "skipped") + _reasons(dict(zip(ids, works, strict=True)), sifted.left_out),
        unknown=_listed(parts, "unknown"),
        notes=(*notes, *named.notes),
    )


def _in_plan_order(works: Sequence[Work], request: RunRequest) -> list[Work]:
    """By priority, registry, red baselines first, then as the tasks file has them; never as answers came."""
    place = {project.alias: at for at, project in enumerate(request.portfolio.projects)}
    wanted = {task.id: at for at, task in enumerate(request.tasks)}

    def key(work: Work) -> tuple[Priority, int, bool, int, str, str]:
        finding = work.finding
        return (
            work.priority,
            place.get(finding.project, len(place)),
            finding.kind is not FindingKind.RED_BASELINE,
            wanted.get(finding.task_id or "", len(wanted)),
            finding.title if finding.kind is FindingKind.PHASE else finding.task_id or "",
            finding.fingerprint,
        )

    return sorted(works, key=key)


def _sift(
    works: Mapping[str, Work],
    projects: Mapping[str, Project],
    claims: Claims,
    traces: Traces,
    *,
    closed: Mapping[str, str],
    mine: Mine,
) -> _Sifted:
    """`closed`: why nothing may be pushed to a repository, by its key."""
    repos = {
        (project.alias, repository.key): repository
        for project in projects.values()
        for repository in project.repositories
    }
    items: dict[str, Item] = {}
    left_out: dict[str, Standing] = {}
    for task, work in works.items():
        finding = work.finding
        repository = repos.get((finding.project, finding.repo))
        if finding.repo in closed:
            left_out[task] = Standing(Verdict.SKIP, closed[finding.repo])
            continue
        found = _standing(work, repository, claims, traces, mine)
        if repository is not None and found.verdict in _PLANNED:
            items[task] = Item(task, work, projects[finding.project], repository, found)
        else:
            left_out[task] = found
    return _Sifted(items, left_out)


def _standing(work: Work, repository: Repository | None, claims: Claims, traces: Traces, mine: Mine) -> Standing:
    """What the ledger says of each of its fingerprints; what git and the forge say where the ledger knows nothing."""
    finding = work.finding
    if repository is None:
        return Standing(Verdict.SKIP, "its repository is not in this run's registry")
    wrong = problem(finding.paths)
    if wrong:
        return Standing(Verdict.SKIP, f"its declared paths cannot be used: {wrong}")
    keys = [((finding.project, print_), cause) for print_, cause in work.claims]
    return weightiest(
        Standing(Verdict.OVER, left=mine[key])
        if key in mine
        else standing(claims[key], cause, gate=repository.gate)
        if key in claims
        else adopted(finding.kind, traces.get(key, ()), cause)
        for key, cause in keys
    )


def _traces(parts: Iterable[AuditPart]) -> Traces:
    """Merges by project and fingerprint, the newest of each source first."""
    found: dict[tuple[str, str], list[Trace]] = {}
    merges = [one for part in parts for one in part.merged]
    for merged in (*merges, *wholes(merges)):
        for print_, cause in merged.prints:
            found.setdefault((merged.project, print_), []).append(Trace(merged.said, cause))
    return found


def _not_without_unseen(
    sifted: _Sifted, parts: Sequence[AuditPart], projects: Mapping[str, Project], works: Iterable[Work]
) -> _Sifted:
    """What an ended run has left stays there also while it waits for what this run has not looked for.

    Of another project, or of a source that did not answer. What was looked for and not found is gone, and waited for no
    more.
    """
    found = {(work.finding.project, print_) for work in works for print_, _ in work.claims}
    unknown = {one.name.removeprefix("source:").partition("/")[0] for part in parts for one in part.unknown}
    whole = not any(name.startswith("projects:") for name in unknown)  # a part that was lost names its projects so
    left_out = dict(sifted.left_out)
    for task, item in sifted.items.items():
        for blocker in item.standing.left.behind if item.standing.left else ():
            seen = (
                whole and blocker.project in projects and not unknown.intersection((blocker.project, *blocker.sources))
            )
            if not seen and (blocker.project, blocker.fingerprint) not in found:
                run = item.standing.left.run if item.standing.left else ""
                why = f"it waits there for {blocker.task} of {blocker.project}, which this run has not looked for"
                left_out[task] = Standing(Verdict.SKIP, f"left to run {run}: {why}")
    return _Sifted({task: item for task, item in sifted.items.items() if task not in left_out}, left_out)


def _not_without_blockers(sifted: _Sifted, whole: Graph) -> _Sifted:
    """What an ended run has left is taken over from it with all that it waits for, or stays with that.

    Else it would be cut off: whoever moves its blocker on there starts nothing here.
    """
    left_out = dict(sifted.left_out)
    roots: dict[str, str] = {}
    for task in whole.order:
        item = sifted.items.get(task)
        missing = next((b for b in whole.blockers[task] if _is_missing(left_out.get(b))), None)
        if item is None or item.standing.left is None or missing is None:
            continue
        root = roots.get(missing, missing)
        roots[task] = root
        why = f"it waits for {root} ({left_out[root].reason})"
        left_out[task] = Standing(Verdict.SKIP, f"left to run {item.standing.left.run}: {why}")
    return _Sifted({task: item for task, item in sifted.items.items() if task not in left_out}, left_out)


def _only_fires(sifted: _Sifted, whole: Graph) -> _Sifted:
    """P0 and whatever blocks them: a fire behind a P1 would never be put out."""
    items = sifted.items
    graph = Graph({task: [b for b in whole.blockers[task] if b in items] for task in items})
    hot = graph.needed_by(task for task, item in items.items() if item.work.priority is Priority.P0)
    cold = {task: Standing(Verdict.SKIP, NOT_A_FIRE) for task in items if task not in hot}
    return _Sifted({task: item for task, item in items.items() if task in hot}, sifted.left_out | cold)


def _blocked(whole: Graph, sifted: _Sifted, knotted: Mapping[str, str]) -> dict[str, Settlement]:
    blocked: dict[str, Settlement] = {}
    for task, item in sifted.items.items():
        human, hold = item.work.finding.human, item.work.finding.hold
        missing = next((b for b in whole.blockers[task] if _is_missing(sifted.left_out.get(b))), None)
        waits = f"waits for {missing}, which is left out: {sifted.left_out[missing].reason}" if missing else ""
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


def _is_missing(left_out: Standing | None) -> bool:
    return left_out is not None and left_out.verdict is not Verdict.DONE


def _takes(item: Item) -> Iterator[tuple[str, str, str, str]]:
    """A claim on each fingerprint: a source that another run finds first must not make the work anew there."""
    for print_, cause in item.work.claims:
        yield item.work.finding.project, print_, item.id, cause


def _over(items: Iterable[Item], claims: Claims) -> tuple[tuple[str, str], ...]:
    """Who gives up claims. Where one of a work's claims is taken over, its ended ones are, too."""
    taken = (
        claims[item.work.finding.project, print_]
        for item in items
        if item.standing.verdict is Verdict.OVER
        for print_, _ in item.work.claims
        if (item.work.finding.project, print_) in claims
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
