"""The dry run: phases 1 and 2 in this process, on a ledger of its own that is thrown away afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ops_orchestrate.core.event import Event
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.engine.audit import look
from ops_orchestrate.engine.begin import parts_of
from ops_orchestrate.engine.structure import store
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ledger import Ledger

#: Audits wait for git and gates, which are processes of their own.
_AT_ONCE = 4


def preview(run: str, request: RunRequest, tools: Toolbox, *, boards: Ledger) -> Sequence[Event]:
    """Audit and plan as a run would, and return the events of it. Dispatches and ships nothing.

    `tools` work in a throw-away folder with a throw-away ledger; `boards` is the ledger of the real runs, only read.
    """
    batches, sources = parts_of(request, 1)
    names = [*batches, *sources]
    tools.ledger.runs.begin(run, request, host=tools.host, parts=names)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for part in pool.map(lambda name: _look(name, request, tools), names):
            tools.ledger.runs.put_part(run, part)
    store(run, tools, boards=boards)
    return _all(run, tools)


def _look(name: str, request: RunRequest, tools: Toolbox) -> AuditPart:
    try:
        return look(name, request, tools)
    except OpsError as error:
        return AuditPart(part=name, unknown=(Skipped(name=name, reason=str(error)),))


def _all(run: str, tools: Toolbox) -> list[Event]:
    events: list[Event] = []
    while page := tools.ledger.events.read(run, events[-1].seq if events else 0):
        events += page
    return events
