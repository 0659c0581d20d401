"""From a piece of work in a checked graph to the task as it is stored: wave, rank, estimate, mode, metadata.

The last step of planning: it decides nothing about who waits for whom, and it drops nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.core.crossref import Left, Standing
from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.mark import MOST_PRINTS
from ops_orchestrate.core.members import member_names
from ops_orchestrate.core.mode import task_mode
from ops_orchestrate.core.planner_help import big_because
from ops_orchestrate.core.project import Project, Repository
from ops_orchestrate.core.rank import bonus, first_in_repository
from ops_orchestrate.core.recheck import WorkflowName, read_name
from ops_orchestrate.core.sensitive import sensitive_reason
from ops_orchestrate.core.task import Mode, Priority, TaskSpec
from ops_orchestrate.core.triage import Work
from ops_orchestrate.core.value import assembler, defaults

#: Seconds of one attempt where no history tells.
DEFAULT_SECONDS = 600.0

_task = assembler(TaskSpec)
_FIELDS = defaults(TaskSpec)


class Item(NamedTuple):
    """One piece of work that is planned."""

    id: str
    work: Work
    project: Project
    repo: Repository
    standing: Standing
    held: bool
    """Whether a person has to do it, or to say yes to it."""
    red: bool
    """Whether it is the repository's red baseline."""


class Setting(NamedTuple):
    """What the specs need beside the work itself."""

    mode: Mode
    branches: Mapping[str, str]
    """Repository key to its integration branch."""
    lengths: Mapping[str, float]
    now: float
    sensitive: tuple[str, ...]
    planner_help: bool = False
    """Whether an agent is asked how to split what is big."""


#: What the graph says of one task: blockers, the repositories (by their keys) of its blockers and of its dependants,
#: wave, seconds, rank, urgency.
_Scheduled = tuple[tuple[str, ...], Iterable[str], Iterable[str], int, float, float, Priority]


class _Site(NamedTuple):
    """What all tasks of one repository have in common, looked up once."""

    fields: dict[str, object]
    sensitive: tuple[str, ...]
    branch: str | None
    """Its integration branch, as far as the audit saw it."""
    names: Mapping[str, str]
    """What people call this repository and the others, by their keys."""


def make_specs(graph: Graph, items: Mapping[str, Item], setting: Setting) -> tuple[TaskSpec, ...]:
    """The tasks in the graph's order: each after its blockers. `items`: all that are in the graph, in plan order."""
    listed = tuple(items.values())
    repos = [item.repo.key for item in listed]
    names = {item.repo.key: item.repo.name for item in listed}
    lengths = {key: estimate(key, setting.lengths) for key in names}
    seconds = [lengths[key] for key in repos]
    members = member_names((graph.tasks[at], _place(listed[at])) for at in graph.walk)
    repo_at = repos.__getitem__
    scheduled: Iterable[_Scheduled] = zip(
        graph.blockers.values(),
        (map(repo_at, before) for before in graph.before),
        (map(repo_at, after) for after in graph.after),
        graph.depths(),
        seconds,
        _ranks(graph.lengths(seconds), listed, setting.now),
        graph.least([item.work.priority for item in listed]),
        strict=True,
    )
    sites = {at: _site(item, setting, names) for at, item in {id(item.repo): item for item in listed}.items()}
    specs = [
        _spec(item, one, members[item.id], sites[id(item.repo)], setting)
        for item, one in zip(listed, scheduled, strict=True)
    ]
    return tuple([specs[at] for at in graph.walk])


def _place(item: Item) -> str:
    """Where the work is done, as people call it: the project, or the repository where the project has several."""
    return item.project.alias if len(item.project.repositories) == 1 else item.repo.name


def estimate(repo: str, lengths: Mapping[str, float]) -> float:
    """Expected seconds of an attempt: the repository's own history, else everybody's, else ten minutes."""
    known = lengths.get(repo) or lengths.get("") or 0.0
    return float(known) if known > 0 else DEFAULT_SECONDS


def _ranks(left: Sequence[float], items: Sequence[Item], now: float) -> Sequence[float]:
    """The rank of each item. `left`: seconds of the longest chain of work that begins with it."""
    projects = {item.project.alias: item.project for item in items}
    standing = {alias: bonus(project, now) for alias, project in projects.items()}
    ranks = [path + standing[item.project.alias] for item, path in zip(items, left, strict=True)]
    red = [item.id for item in items if item.red]
    if not red:
        return ranks
    ids = [item.id for item in items]
    raised = first_in_repository(dict(zip(ids, ranks, strict=True)), {item.id: item.repo.key for item in items}, red)
    return [raised[task] for task in ids]


def _site(item: Item, setting: Setting, names: Mapping[str, str]) -> _Site:
    repo = item.repo
    branch = setting.branches.get(repo.key)
    fields = _FIELDS.copy()
    fields["project"] = item.project.alias
    fields["repo"] = repo.key
    fields["gate"] = repo.gate
    fields["base"] = (repo.integration or "") if branch is None else branch
    return _Site(fields, repo.sensitive + setting.sensitive, branch, names)


def _spec(item: Item, scheduled: _Scheduled, member: str, site: _Site, setting: Setting) -> TaskSpec:
    task, work, _, repo, found, _, red = item
    finding = work.finding
    blocked_by, blockers, dependants, wave, seconds, rank, urgency = scheduled
    reason = sensitive_reason(finding.paths, (finding.title, finding.detail, *finding.acceptance), site.sensitive)
    mode, why = task_mode(
        setting.mode, sensitive=reason, repo=repo.key, blockers=blockers, dependants=dependants, names=site.names
    )
    of = site.fields.copy()
    of["id"] = task
    of["title"] = finding.title
    of["description"] = "\n\n".join(filter(None, (found.reason, finding.detail))) if found.reason else finding.detail
    of["acceptance"] = finding.acceptance
    of["paths"] = finding.paths
    of["priority"] = work.priority
    of["label"] = work.label
    of["urgency"] = urgency
    of["blocked_by"] = blocked_by
    of["mode"] = mode
    of["mode_reason"] = why
    of["member"] = member
    of["wave"] = wave
    of["rank"] = round(rank, 3)
    of["estimate"] = seconds
    of["fingerprint"] = finding.fingerprint
    of["prints"] = work.claims[:MOST_PRINTS]
    of["sources"] = work.sources
    of["sensitive"] = reason
    of["human"] = finding.human
    of["change"] = finding.change
    of["change_branch"] = finding.change_branch
    of["names"] = work.names
    of["closes"] = finding.closes
    of["cause"] = finding.cause
    of["fixes_base"] = red or _mends_ci(work.names, site.branch)
    if found.left:
        of["begun_at"], of["begun_by"] = _begun(found.left)
    spec = _task(of)
    return spec.model_copy(update={"big": big_because(spec)}) if setting.planner_help else spec


def _begun(left: Left) -> tuple[str, str]:
    """What there is of it already: an open change of its own goes before that, and is its own beginning."""
    return (left.head, f"{left.run}/{left.task}") if left.head else ("", "")


def _mends_ci(names: Sequence[str], branch: str | None) -> bool:
    """Whether it is about a workflow that fails on the integration branch: nothing else can turn that green."""
    found = map(read_name, names) if names else ()
    return any(isinstance(one, WorkflowName) and one.branch == branch for one in found)
