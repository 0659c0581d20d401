"""Plans made from findings, claims and history, for tests."""

from __future__ import annotations

from typing import Any, NamedTuple

from ops_orchestrate.core.crossref import Blocker, Left
from ops_orchestrate.core.finding import Finding
from ops_orchestrate.core.mark import Merged, Print, cause_mark
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.core.structure import Plan, structure
from ops_orchestrate.core.task import TaskSpec
from tests.builders import make_finding, make_part, make_portfolio, make_project, make_request

NOW = 1_700_000_000.0


class Claim(NamedTuple):
    """A claim as the ledger shows it."""

    state: TaskState
    run_state: RunState = RunState.HALTED
    cause: str = ""
    run: str = "r0"
    task: str = "t0"
    merge: str = ""
    ask: str = ""
    head: str = ""
    gate: str = ""
    behind: tuple[Blocker, ...] = ()
    left: Left | None = None


def want(task: str, *blockers: str, **kw: Any) -> Finding:
    """A task that a person asked for."""
    return make_finding(f"fp-{task}", task_id=task, blocked_by=blockers, **kw)


def plan_of(*findings: Finding, claims: dict[str, Claim] | None = None, **kw: Any) -> Plan:
    """The plan of these findings; claims by fingerprint, of project `app`."""
    projects = kw.pop("projects", (make_project("app"), make_project("api"), make_project("web")))
    lengths = kw.pop("lengths", {})
    held = {("app", fingerprint): claim for fingerprint, claim in (claims or {}).items()}
    mine = {("app", fingerprint): left for fingerprint, left in kw.pop("mine", {}).items()}
    traces = {name: tuple(kw.pop(name, ())) for name in ("merged", "opened", "unknown")}
    part = make_part("one", *findings, **traces)
    request = make_request(portfolio=make_portfolio(*projects), **kw)
    return structure(request, [part], held, lengths, NOW, mine=mine)


def merged(*prints: tuple[str, str], task: str = "a") -> Merged:
    """A merge of project `app` that only git or the forge remember, with the cause of each finding then."""
    return Merged(
        project="app",
        run="r0",
        task=task,
        where="0123456789ab",
        prints=tuple(Print(name, cause_mark(cause)) for name, cause in prints),
    )


def task_of(plan: Plan, task: str) -> TaskSpec:
    """One task of a plan."""
    return next(spec for spec in plan.tasks if spec.id == task)


def reasons(plan: Plan) -> dict[str, str]:
    """Why what is left out is left out."""
    return {one.name: one.reason for one in plan.skipped}
