"""Phase 1 starts: the audit is published as one chord whose body is the planner."""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate import canvas
from ops_orchestrate.core.placement import ANYONE, batch, ranges
from ops_orchestrate.core.project import Project
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.sources import sources_of
from ops_orchestrate.engine.placing import looked_at_by
from ops_orchestrate.engine.toolbox import Toolbox

PROJECTS = "projects:"
SOURCE = "source:"


def parts_of(request: RunRequest, batch: int, places: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """The names of the audit's parts: batches of projects, and sources.

    A part's name says which projects it covers, so that a worker needs nothing but the name and the request. `places`:
    the machine of each project; those of two machines are in two parts.
    """
    batches = [
        f"{PROJECTS}{start}-{end}" for start, end in ranges(places or [ANYONE] * len(request.portfolio.projects), batch)
    ]
    names = [*(["tasks-file"] if request.tasks else []), *sources_of(request.portfolio)]
    return batches, [f"{SOURCE}{name}" for name in names]


def projects_of(part: str, request: RunRequest) -> Sequence[Project]:
    """The projects that the part `projects:A-B` covers."""
    first, _, last = part.removeprefix(PROJECTS).partition("-")
    return request.portfolio.projects[int(first) : int(last)]


def submit(run: str, request: RunRequest, tools: Toolbox) -> None:
    """Write the run to the ledger and publish its beginning. Called by the command and by beat."""
    places = [looked_at_by([project], tools) for project in request.portfolio.projects]
    batches, sources = parts_of(request, batch(len(places), tools.settings.audit_batch), places)
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
        host = machine_of(part, tools.ledger.runs.request(run), tools)
        canvas.publish(canvas.audit_edge(run, part, index=every.index(part), host=host))


def machine_of(part: str, request: RunRequest, tools: Toolbox) -> str:
    """The machine that has the checkouts of a part's projects; a source is anybody's."""
    return looked_at_by(projects_of(part, request), tools) if part.startswith(PROJECTS) else ANYONE
