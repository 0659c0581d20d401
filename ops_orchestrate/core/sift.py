"""What is planned of the work that was found. Everything left out is listed with its reason.

Left out is what this run cannot work on, what earlier and concurrent runs have of it (crossref), and with
`--fires-only` what is no fire. Nothing is taken over from a run that has ended without what it waits for there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ops_orchestrate.core.crossref import (
    NOBODYS,
    ClaimView,
    Left,
    Standing,
    Trace,
    Verdict,
    adopted,
    standing,
    weightiest,
)
from ops_orchestrate.core.finding import AuditPart, FindingKind
from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.mark import wholes
from ops_orchestrate.core.ownership import problem
from ops_orchestrate.core.project import Project, Repository
from ops_orchestrate.core.specs import Item
from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.triage import Work

NOT_A_FIRE = "not a fire, and no fire waits for it (--fires-only)"

Claims = Mapping[tuple[str, str], ClaimView]
Mine = Mapping[tuple[str, str], Left]
_PLANNED = frozenset({Verdict.NEW, Verdict.OVER, Verdict.AGAIN})
_ELSEWHERE = Standing(Verdict.SKIP, "its repository is not in this run's registry")


class Sifted(NamedTuple):
    """All work, parted into what is planned and what is left out."""

    items: dict[str, Item]
    left_out: dict[str, Standing]

    @property
    def taken_over(self) -> dict[str, Left]:
        """What is planned of runs that have ended, by the task that goes on with it."""
        return {task: left for task, item in self.items.items() if (left := item.standing.left)}

    def without(self, left_out: dict[str, Standing]) -> Sifted:
        """The same with these tasks left out as well."""
        items = {task: item for task, item in self.items.items() if task not in left_out} if left_out else self.items
        return Sifted(items, self.left_out | left_out)


class History(NamedTuple):
    """What others have of the work, each by project and fingerprint."""

    claims: Claims
    """Who has it, this run's own left out."""
    mine: Mine
    """What an earlier try of this run took over with its own claim."""
    traces: Mapping[tuple[str, str], Sequence[Trace]]
    """Merges that only git and the forge remember, the newest of each source first."""


def sift(
    works: Mapping[str, Work],
    whole: Graph,
    projects: Mapping[str, Project],
    parts: Sequence[AuditPart],
    history: History,
) -> Sifted:
    """Part the work, by its tasks' ids. `whole`: the graph of all of it."""
    closed = {repo: why for part in parts for repo, why in part.read_only.items()}
    places = {(project.alias, one.key): (project, one) for project in projects.values() for one in project.repositories}
    items: dict[str, Item] = {}
    left_out: dict[str, Standing] = {}
    for task, work in works.items():
        finding = work.finding
        place = places.get((work.project, finding.repo))
        if finding.repo in closed:
            left_out[task] = Standing(Verdict.SKIP, closed[finding.repo])
        elif place is None:
            left_out[task] = _ELSEWHERE
        else:
            project, repository = place
            found = _standing(work, repository, history)
            if found.verdict in _PLANNED:
                held, red = bool(finding.human or finding.hold), work.kind is FindingKind.RED_BASELINE
                items[task] = Item(task, work, project, repository, found, held, red)
            else:
                left_out[task] = found
    sifted = Sifted(items, left_out)
    if sifted.taken_over:
        sifted = sifted.without(_behind_unseen(sifted, parts, projects, works.values()))
        sifted = sifted.without(_behind_left_out(sifted, whole))
    return sifted


def only_fires(sifted: Sifted, whole: Graph) -> Sifted:
    """P0 and whatever blocks them: a fire behind a P1 would never be put out."""
    items = sifted.items
    graph = Graph({task: [b for b in whole.blockers[task] if b in items] for task in items})
    hot = graph.needed_by(task for task, item in items.items() if item.work.priority is Priority.P0)
    return sifted.without({task: Standing(Verdict.SKIP, NOT_A_FIRE) for task in items if task not in hot})


def is_missing(left_out: Standing | None) -> bool:
    """Whether whoever waits for it waits in vain: it is left out, and not because it is done."""
    return left_out is not None and left_out.verdict is not Verdict.DONE


def traces_of(parts: Iterable[AuditPart]) -> dict[tuple[str, str], list[Trace]]:
    """Merges by project and fingerprint, the newest of each source first."""
    found: dict[tuple[str, str], list[Trace]] = {}
    merges = [one for part in parts for one in part.merged]
    for merged in (*merges, *wholes(merges)):
        for print_, cause in merged.prints:
            found.setdefault((merged.project, print_), []).append(Trace(merged.said, cause))
    return found


def _standing(work: Work, repository: Repository, history: History) -> Standing:
    """What the ledger says of each of its fingerprints; what git and the forge say where the ledger knows nothing."""
    paths = work.finding.paths
    wrong = problem(paths) if paths else None
    if wrong:
        return Standing(Verdict.SKIP, f"its declared paths cannot be used: {wrong}")
    if not any(history):
        return NOBODYS
    claims, mine, traces = history
    found = []
    for print_, cause in work.claims:
        key = work.project, print_
        if key in mine:
            found.append(Standing(Verdict.OVER, left=mine[key]))
        elif key in claims:
            found.append(standing(claims[key], cause, gate=repository.gate))
        else:
            found.append(adopted(work.kind, traces.get(key, ()), cause))
    return found[0] if len(found) == 1 else weightiest(found)


def _behind_unseen(
    sifted: Sifted, parts: Sequence[AuditPart], projects: Mapping[str, Project], works: Iterable[Work]
) -> dict[str, Standing]:
    """What an ended run has left stays there also while it waits for what this run has not looked for.

    Of another project, or of a source that did not answer. What was looked for and not found is gone, and waited for no
    more.
    """
    found = {(work.project, print_) for work in works for print_, _ in work.claims}
    unknown = {one.name.removeprefix("source:").partition("/")[0] for part in parts for one in part.unknown}
    whole = not any(name.startswith("projects:") for name in unknown)  # a part that was lost names its projects so
    stays: dict[str, Standing] = {}
    for task, left in sifted.taken_over.items():
        for blocker in left.behind:
            seen = (
                whole and blocker.project in projects and not unknown.intersection((blocker.project, *blocker.sources))
            )
            if not seen and (blocker.project, blocker.fingerprint) not in found:
                why = f"it waits there for {blocker.task} of {blocker.project}, which this run has not looked for"
                stays[task] = Standing(Verdict.SKIP, f"left to run {left.run}: {why}")
    return stays


def _behind_left_out(sifted: Sifted, whole: Graph) -> dict[str, Standing]:
    """What an ended run has left is taken over from it with all that it waits for, or stays with that.

    Else it would be cut off: whoever moves its blocker on there starts nothing here.
    """
    left_out = dict(sifted.left_out)
    taken_over = sifted.taken_over
    stays: dict[str, Standing] = {}
    roots: dict[str, str] = {}
    for task in whole.order:
        left = taken_over.get(task)
        missing = next((b for b in whole.blockers[task] if is_missing(left_out.get(b))), None) if left else None
        if left is None or missing is None:
            continue
        root = roots.get(missing, missing)
        roots[task] = root
        why = f"it waits for {root} ({left_out[root].reason})"
        stays[task] = left_out[task] = Standing(Verdict.SKIP, f"left to run {left.run}: {why}")
    return stays
