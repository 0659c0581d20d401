"""Phase 1: look at projects, read only. What can't be looked at is *unknown*, never *nothing found*.

The user's own checkout is only read. Everything else (gate on the integration head, planning files, traces of our
own earlier work) is asked of our mirror.
"""

from __future__ import annotations

from ops_orchestrate.core.change import GateEnd, GateResult, OwnBranch, WorkState
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.mark import Merged
from ops_orchestrate.core.names import one_line, short
from ops_orchestrate.core.planning import parse_roadmap, parse_state, planning_findings, plans_done
from ops_orchestrate.core.progress import Phase
from ops_orchestrate.core.project import Project, Repository, Skipped
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.triage import fingerprint
from ops_orchestrate.core.wanted import requested_findings
from ops_orchestrate.engine.begin import SOURCE, projects_of
from ops_orchestrate.engine.lease import hold
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.unlisted import gate_wanted
from ops_orchestrate.engine.verify import gate_on
from ops_orchestrate.errors import GitError, LedgerUnavailable, OpsError, SourceUnavailable

_BAD_GATES = frozenset({GateEnd.FAILED, GateEnd.TIMED_OUT})


class _Notebook:
    """What one part has gathered so far."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.findings: list[Finding] = []
        self.skipped: list[Skipped] = []
        self.unknown: list[Skipped] = []
        self.merged: list[Merged] = []
        self.heads: dict[str, str] = {}
        self.branches: dict[str, str] = {}
        self.red: dict[str, str] = {}

    def close(self) -> AuditPart:
        """The part, as it is stored."""
        return AuditPart(
            part=self.part,
            findings=tuple(self.findings),
            skipped=tuple(self.skipped),
            unknown=tuple(self.unknown),
            merged=tuple(self.merged),
            heads=self.heads,
            branches=self.branches,
            red=self.red,
        )


def part_lock(run: str, part: str) -> str:
    """The lock that says that somebody works on this part."""
    return f"part:{run}:{part}"


def audit_part(run_id: str, part: str, holder: str, tools: Toolbox) -> None:
    """Do one part of a run's audit and store what it brought back. Repeated, the first answer stays."""
    with hold(part_lock(run_id, part), holder, tools) as mine:
        if mine and part in tools.ledger.runs.missing_parts(run_id):
            tools.ledger.runs.put_part(run_id, look(part, tools.ledger.runs.get(run_id).request, tools))


def give_up(run_id: str, part: str, reason: str, tools: Toolbox) -> None:
    """Store a part that can't be had as unknown: the plan waits for every part."""
    request = tools.ledger.runs.get(run_id).request
    names = [part.removeprefix(SOURCE)] if part.startswith(SOURCE) else [p.alias for p in projects_of(part, request)]
    unknown = tuple(Skipped(name=name, reason=one_line(reason, 400)) for name in names)
    tools.ledger.runs.put_part(run_id, AuditPart(part=part, unknown=unknown))


def look(part: str, request: RunRequest, tools: Toolbox) -> AuditPart:
    """What one part of the audit finds: a batch of projects, or a source. Writes nothing to the ledger's runs."""
    return _source(part, request, tools) if part.startswith(SOURCE) else _projects(part, request, tools)


def _projects(part: str, request: RunRequest, tools: Toolbox) -> AuditPart:
    """One project's failure never takes the others with it."""
    book = _Notebook(part)
    for project in projects_of(part, request):
        for repository in project.repositories:
            tools.doing(Phase.AUDITING, _name(project, repository))
            try:
                _audit_repository(project, repository, book, tools)
            except LedgerUnavailable:
                raise  # that says nothing about the project: the whole part is done again
            except OpsError as error:
                book.unknown.append(Skipped(name=_name(project, repository), reason=one_line(str(error), 400)))
    return book.close()


def _source(part: str, request: RunRequest, tools: Toolbox) -> AuditPart:
    """A source that fails is unknown."""
    name = part.removeprefix(SOURCE)
    tools.doing(Phase.AUDITING, name)
    if name == "tasks-file":
        return AuditPart(part=part, findings=requested_findings(request.tasks, request.portfolio))
    try:
        found = tools.sources[name].findings(request.portfolio.projects, request)
    except (KeyError, SourceUnavailable) as error:
        return AuditPart(part=part, unknown=(Skipped(name=name, reason=one_line(str(error), 400)),))
    return found.model_copy(update={"part": part})


def _name(project: Project, repository: Repository) -> str:
    return project.alias if len(project.repositories) == 1 else f"{project.alias}/{repository.name}"


def _audit_repository(project: Project, repository: Repository, book: _Notebook, tools: Toolbox) -> None:
    for path in (repository.path, *repository.checkouts):
        _own_work(project, repository.model_copy(update={"path": path}), book, tools)
    tools.workshop.refresh(repository)
    branch = tools.workshop.integration(repository)
    head = tools.workshop.head(repository, branch)
    if head is None:
        raise GitError(f"{repository.name} has no branch {branch}; set `ops.integration` in its registry entry.")
    book.branches[repository.key] = branch
    book.heads[repository.key] = head
    _traces(project, repository, book, tools)
    _planning(project, repository, head, book, tools)
    _baseline(project, repository, book, tools)


def _own_work(project: Project, repository: Repository, book: _Notebook, tools: Toolbox) -> None:
    """The user's uncommitted and unpushed work: reported, never touched."""
    state: WorkState = tools.workshop.look(repository)
    where = one_line(state.path)
    if state.uncommitted:
        what = f"{state.uncommitted} uncommitted file{'s' if state.uncommitted > 1 else ''} in {where}"
        book.findings.append(_note(FindingKind.UNCOMMITTED, project, repository, what))
    if state.unpushed:
        what = f"{state.unpushed} unpushed commit{'s' if state.unpushed > 1 else ''} in {where}"
        book.findings.append(_note(FindingKind.UNPUSHED, project, repository, what))
    for text in (f"a {state.ongoing} is in progress in {where}" if state.ongoing else "", *state.notes):
        if text:
            book.findings.append(_note(FindingKind.NOTICE, project, repository, text))


def _traces(project: Project, repository: Repository, book: _Notebook, tools: Toolbox) -> None:
    """Work of earlier runs of ours: what was merged is done, also where the ledger has forgotten it.

    A change that was never merged, of a run that this ledger does not know, is named and not shipped: nothing says
    any more what it was judged by.
    """
    known = {run.id for run in tools.ledger.runs.list()}
    traces = tools.workshop.own_branches(repository)
    done = {(one.run, one.task) for one in traces if one.merged}
    merged = (_merged_before(project, one) for one in traces if one.merged and one.prints)
    book.merged += dict.fromkeys(merged)  # an attempt and what was salvaged of it have one merge
    for branch in traces:
        # An attempt that was overtaken by another one of its task is not worth a line.
        if not branch.merged and branch.run not in known and (branch.run, branch.task) not in done:
            maker = (
                f"run {branch.run}, which this ledger does not know" if branch.run else "a run that it does not name"
            )
            text = f"unmerged work of {branch.task} from {maker}: {branch.ref}"
            book.findings.append(_note(FindingKind.NOTICE, project, repository, one_line(text, 300)))


def _merged_before(project: Project, branch: OwnBranch) -> Merged:
    where = short(branch.merged)
    return Merged(
        project=project.alias, run=branch.run, task=branch.task, where=where, prints=branch.prints, share=branch.share
    )


def _planning(project: Project, repository: Repository, head: str, book: _Notebook, tools: Toolbox) -> None:
    """`.planning/STATE.md` and `ROADMAP.md` of the integration head; whatever they hold, they never fail the audit."""
    state, roadmap = (
        tools.workshop.read_file(repository, head, f".planning/{name}") for name in ("STATE.md", "ROADMAP.md")
    )
    if state is None and roadmap is None:
        return
    book.findings.extend(
        planning_findings(
            project.alias,
            repository.key,
            parse_state(state) if state is not None else None,
            parse_roadmap(roadmap) if roadmap is not None else None,
            plans_done(tools.workshop.list_files(repository, head, ".planning/phases")),
        )
    )


def _baseline(project: Project, repository: Repository, book: _Notebook, tools: Toolbox) -> None:
    """The gate on the integration head, where it has no result yet. Red is a finding, and is remembered."""
    if repository.gate is None or tools.settings.audit_gate == "never":
        return
    branch, head = book.branches[repository.key], book.heads[repository.key]
    result = gate_on(repository, head, tools.workshop.tree_of(repository, head), None, tools)
    if wanted := gate_wanted(repository, result, tools):
        book.findings.append(_note(FindingKind.NOTICE, project, repository, wanted))
    if result.end is GateEnd.UNAVAILABLE:
        reason = f"its gate could not be run: {one_line(result.log_tail[-300:], 300)}"
        book.unknown.append(Skipped(name=_name(project, repository), reason=reason))
    if result.end not in _BAD_GATES:
        return
    book.red[repository.key] = result.log_tail
    book.findings.append(_red(project, repository, branch, head, result))


def _red(project: Project, repository: Repository, branch: str, head: str, result: GateResult) -> Finding:
    return Finding(
        kind=FindingKind.RED_BASELINE,
        project=project.alias,
        repo=repository.key,
        fingerprint=fingerprint(FindingKind.RED_BASELINE, project.alias, repository.key, branch),
        title=f"fix: the quality gate fails on {branch}",
        detail=result.log_tail,
        source="git",
        actionable=True,
        acceptance=("The quality gate passes.",),
        cause=head,
    )


def _note(kind: FindingKind, project: Project, repository: Repository, text: str) -> Finding:
    return Finding(
        kind=kind,
        project=project.alias,
        repo=repository.key,
        fingerprint=fingerprint(kind, project.alias, repository.key, text),
        title=text,
        source="git",
    )
