"""Phase 1 starts: the audit is published as one chord whose body is the planner."""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate import canvas
from ops_orchestrate.core.project import Project
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.sources import sources_of
from ops_orchestrate.engine.toolbox import Toolbox

PROJECTS = "projects:"
SOURCE = "source:"


def parts_of(request: RunRequest, batch: int) -> tuple[list[str], list[str]]:
    """The names of the audit's parts: batches of projects, and sources.

    A part's name says which projects it covers, so that a worker needs nothing but the name and the request.
    """
    count = len(request.portfolio.projects)
    batches = [f"{PROJECTS}{start}-{min(start + batch, count)}" for start in range(0, count, batch)]
    names = [*(["tasks-file"] if request.tasks else []), *sources_of(request.portfolio)]
    return batches, [f"{SOURCE}{name}" for name in names]


def projects_of(part: str, request: RunRequest) -> Sequence[Project]:
    """The projects that the part `projects:A-B` covers."""
    first, _, last = part.removeprefix(PROJECTS).partition("-")
    return request.portfolio.projects[int(first) : int(last)]


def submit(run: str, request: RunRequest, tools: Toolbox) -> None:
    """Write the run to the ledger and publish its beginning. Called by the command and by beat."""
    batches, sources = parts_of(request, tools.settings.audit_batch)
    tools.ledger.runs.begin(run, request, host=tools.host, parts=[*batches, *sources])
    canvas.publish(canvas.begin(run))


def begin(run: str, tools: Toolbox) -> None:
    """Publish the audit's chord. Repeated, it publishes only parts that are missing (their ids are fixed)."""
    missing = tools.ledger.runs.missing_parts(run)
    if not missing:
        canvas.publish(canvas.plan(run))
        return
    every = sorted({*missing, *tools.ledger.runs.parts(run)})
    canvas.open_audit(run, len(every))
    for part in missing:
        canvas.publish(canvas.audit_edge(run, part, index=every.index(part)))
