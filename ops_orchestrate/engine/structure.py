"""Phase 2: what the audit brought back becomes tasks, a graph, and the ledger's plan."""

from __future__ import annotations

from uuid import uuid4

from ops_orchestrate import canvas
from ops_orchestrate.core.crossref import left_to
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.names import is_name, is_run_id, one_line
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.rest import collector_rests
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import RunState
from ops_orchestrate.core.structure import Plan, structure
from ops_orchestrate.engine.admit import fill
from ops_orchestrate.engine.finish import finish
from ops_orchestrate.engine.lease import hold
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import PlanError, UnknownRun, UnknownTask
from ops_orchestrate.ledger import Ledger

#: How often the plan is made anew because another run claimed one of its findings in between.
_TRIES = 5


@collector_rests()
def plan(run_id: str, tools: Toolbox) -> None:
    """Store the plan and start its roots. Repeated, the first plan stays.

    The chord counts deliveries: a part that was published twice may still be at work when both have returned. The
    reconciler publishes the plan again when the last part is in, unless somebody is at it: the lock says so. A delivery
    that comes when there is a plan must not even look: it would take over what other runs have begun since.
    """
    with hold(f"plan:{run_id}", f"{tools.host}:{uuid4().hex}", tools) as mine:
        if not mine or not _is_to_be_planned(run_id, tools):
            return
        made = store(run_id, tools, boards=tools.ledger)
    if made is None:
        return
    for note in made.notes:
        if note.rerun:
            canvas.publish(canvas.rerun(run_id, note.repo, note.rerun))
    for task in made.tasks:
        if not task.blocked_by and task.id not in made.blocked:
            tools.ledger.board.offer(run_id, task.id)
    fill(tools)
    finish(run_id, tools)


def _is_to_be_planned(run_id: str, tools: Toolbox) -> bool:
    runs = tools.ledger.runs
    return runs.get(run_id).state is RunState.AUDITING and not runs.missing_parts(run_id)


def store(run_id: str, tools: Toolbox, *, boards: Ledger) -> Plan | None:
    """Make the plan and store it; None where it could not be made: the run has failed and says why.

    `boards` is the ledger whose earlier and concurrent runs are compared with: another one only for a dry run.
    """
    run = tools.ledger.runs.get(run_id)
    try:
        made = make_plan(run, tools, boards=boards)
    except PlanError as error:
        tools.ledger.runs.fail(run_id, str(error))
        return None
    runs = tools.ledger.runs
    if not runs.store_plan(run_id, made.tasks, blocked=made.blocked, skipped=made.skipped, unknown=made.unknown):
        return made  # a second delivery: the first plan stays, and its notes are there
    for note in made.notes:
        data = {"what": str(note.kind), "project": note.project, "text": note.title, "detail": note.detail}
        tools.ledger.runs.note(run_id, EventKind.EVIDENCE, data=data)
    return made


def make_plan(run: RunRecord, tools: Toolbox, *, boards: Ledger) -> Plan:
    """Structure the findings; where another run takes a finding first, structure once more without it.

    Claims are taken all at once, and say what they took over: whoever plans again, because the planner died between
    them and the plan, makes the same of them, and gives back those that it no longer plans. Raises PlanError.
    """
    whole = _parts(run, tools)
    keys = [(f.project, f.fingerprint) for part in whole for f in part.findings if f.actionable]
    parts = [_left_alone(part, run.id, boards) for part in whole]
    lengths = boards.facts.lengths()
    for _ in range(_TRIES):
        seen = boards.claims.look(keys)
        claims = {key: view for key, view in seen.items() if view.run != run.id}
        mine = {key: view.left for key, view in seen.items() if view.run == run.id and view.left}
        sensitive = tools.settings.sensitive_paths
        made = structure(run.request, parts, claims, lengths, tools.ledger.now(), sensitive=sensitive, mine=mine)
        if run.request.dry_run:
            return made
        if not tools.ledger.claims.take(run.id, made.takes, over=made.over, left=made.left):
            planned = {take[:2] for take in made.takes}
            stale = [key for key, view in seen.items() if view.run == run.id and key not in planned]
            tools.ledger.claims.give_back(run.id, stale)
            return made
    raise PlanError("Other runs keep taking the same findings; wait for them to be planned, then `resume` this one.")


def _left_alone(part: AuditPart, run: str, boards: Ledger) -> AuditPart:
    """The part with changes that another run still pursues as something to report."""
    found = tuple(_pursued(one, run, boards) if one.kind is FindingKind.CHANGE else one for one in part.findings)
    return part.model_copy(update={"findings": found})


def _pursued(finding: Finding, run: str, boards: Ledger) -> Finding:
    _, owner, task = (*finding.change_branch.split("/"), "", "")[:3]
    if not finding.actionable or owner == run or not is_run_id(owner) or not is_name(task):
        return finding
    try:
        record = boards.tasks.get(owner, task)
        why = left_to(owner, record.state, record.ask, boards.runs.get(owner).state)
    except (UnknownRun, UnknownTask):
        return finding
    title = one_line(f"{finding.title} ({why})", 300)
    return finding.model_copy(update={"actionable": False, "title": title}) if why else finding


def _parts(run: RunRecord, tools: Toolbox) -> list[AuditPart]:
    """Every part; one that never came back is unknown, never nothing found."""
    parts = tools.ledger.runs.parts(run.id)
    missing = tools.ledger.runs.missing_parts(run.id)
    lost = [
        AuditPart(part=name, unknown=(Skipped(name=name, reason="this part of the audit did not come back"),))
        for name in missing
    ]
    return [*parts.values(), *lost]
