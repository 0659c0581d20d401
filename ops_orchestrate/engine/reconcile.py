"""The reconciler: find what was lost, and drive it on. Idempotent; run by beat, by planners, and for `resume`.

Celery's Redis transport can lose a message, deliver it twice or deliver it late; a worker can die between two lines.
None of that matters, because everything that is due can be read off the ledger.
"""

from __future__ import annotations

from ops_orchestrate import canvas
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import RunState
from ops_orchestrate.engine.admit import fill, publish_edges
from ops_orchestrate.engine.audit import give_up, part_lock
from ops_orchestrate.engine.begin import machine_of
from ops_orchestrate.engine.finish import finish, offer_what_is_ready
from ops_orchestrate.engine.placing import publish_tail
from ops_orchestrate.engine.toolbox import Toolbox

#: How often a part of an audit is published again, and for how long (seconds) that is remembered.
_PART_TRIES = 5
_DAY = 24 * 3600


def reconcile(tools: Toolbox) -> None:
    """Republish the tails of what has no living lease, wake what is due, and ask open runs whether they have ended."""
    stamp = f"{tools.ledger.now():.3f}"
    _tails(stamp, tools)
    for run, task in tools.ledger.tasks.edges_pending():
        publish_edges(run, task, tools)
    for run in tools.ledger.runs.unfinished():
        record = tools.ledger.runs.get(run)
        if record.state is RunState.AUDITING and not record.stop:
            _audit_again(record, stamp, tools)
            continue
        if not record.stop:
            offer_what_is_ready(run, tools)
        finish(run, tools)
    fill(tools)


def wake(tools: Toolbox) -> None:
    """Publish the tails of snoozed attempts that are due, and look at runs whose last steps are."""
    for key, stage in tools.ledger.board.wake():
        publish_tail(key, stage, tools)
    for run in tools.ledger.runs.woken():
        tools.ledger.runs.goes_on(run)
        canvas.publish(canvas.finish(run, again=f"woken-{tools.ledger.now():.3f}"))


def _tails(stamp: str, tools: Toolbox) -> None:
    settings = tools.settings
    late = max(settings.lease / 2, 2 * settings.reconcile_every)
    for lost in tools.ledger.board.reap(grant_timeout=settings.grant_timeout, lease=settings.lease, late=late):
        if lost.what == "republish":
            publish_tail(lost.key, lost.stage, tools)
        elif lost.what in ("lost", "settle"):
            canvas.publish(canvas.settle(lost.key, again=stamp))
    wake(tools)


def _audit_again(run: RunRecord, stamp: str, tools: Toolbox) -> None:
    """An audit that nobody works on: its missing parts once more, or its plan.

    A part's own lock says that somebody works on it. Between two tries of the same part lies a lease, so that parts
    that merely wait in the queue are not published on every look. A run of a time to come is old enough: the server's
    clock has gone back since it began.
    """
    if 0 <= tools.ledger.now() - run.created_at < tools.settings.grant_timeout:
        return
    again = int(float(stamp) * 1000)
    missing = tools.ledger.runs.missing_parts(run.id)
    for part in missing:
        if _is_nobodys(part_lock(run.id, part), stamp, tools):
            _part_again(run.id, part, again, tools)
    if not missing and _is_nobodys(f"plan:{run.id}", stamp, tools):
        canvas.publish(canvas.plan(run.id, again=again))


def _part_again(run: str, part: str, again: int, tools: Toolbox) -> None:
    """Publish a part once more, but not for ever: one that ends every worker that looks at it is unknown."""
    for number in range(_PART_TRIES):
        if tools.ledger.locks.acquire(f"tried:{run}:{part}:{number}", str(again), _DAY):
            host = machine_of(part, tools.ledger.runs.request(run), tools)
            canvas.publish(canvas.audit_part(run, part, again=again, host=host))
            return
    give_up(run, part, f"its worker was lost {_PART_TRIES} times", tools)


def _is_nobodys(lock: str, stamp: str, tools: Toolbox) -> bool:
    locks = tools.ledger.locks
    holder = f"reconcile:{stamp}"
    if not locks.acquire(lock, holder, tools.settings.lease):
        return False
    locks.release(lock, holder)
    return locks.acquire(f"again:{lock}", holder, tools.settings.lease)
