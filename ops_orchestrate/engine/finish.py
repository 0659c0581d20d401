"""Phase 6: is the run at its end? Asked after a settlement that leaves nothing in flight, after whatever else may have
been a run's last step, and by the reconciler; answered by a rule.

The cheap question (counters) is asked first; only when nothing is in flight is the whole board of the run looked at.
"""

from __future__ import annotations

from collections import Counter

from ops_orchestrate import canvas
from ops_orchestrate.core.halt import finish_state
from ops_orchestrate.core.own_change import OwnKind, own_key
from ops_orchestrate.core.split import composite_is_done
from ops_orchestrate.core.states import IN_FLIGHT, RUN_OPEN, STARTABLE, RunState, TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.budget import short_of_money
from ops_orchestrate.engine.promotion.book import is_watching, promotions_due
from ops_orchestrate.engine.promotion.book import waiting as promotions_waiting
from ops_orchestrate.engine.red_base import overtaken
from ops_orchestrate.engine.toolbox import Toolbox

#: Where a run has tasks in none of these, no record of a task says anything that the counters do not.
_TO_BE_READ = (*STARTABLE, TaskState.BLOCKED)


def finish(run_id: str, tools: Toolbox) -> None:
    """Finish the run if nothing is in flight, due or admissible; start promotions that are due before that."""
    counts = tools.ledger.runs.counts(run_id)
    if any(counts.get(state, 0) for state in IN_FLIGHT):
        return
    run = tools.ledger.runs.get(run_id)
    if run.state not in RUN_OPEN or (run.state is RunState.AUDITING and not run.stop):
        return  # a run whose plan is still being made has no tasks, and is not done because of that
    tasks = tools.ledger.tasks.all(run_id) if any(map(counts.get, _TO_BE_READ)) else []
    short = None
    if not run.stop:
        offered = _offer(run_id, tasks, tools)
        short = short_of_money(run_id, tools) if offered else None
        if offered and not short:
            canvas.publish(canvas.admit(run_id, again=f"{run_id}:{tools.ledger.now():.3f}"))
            return
        if _whole(run_id, tasks, tools) or overtaken(tasks, tools) or _promote_what_is_due(run_id, tools):
            return
    limit = run.request.max_waves
    beyond = sum(1 for task in tasks if task.state in STARTABLE and limit is not None and task.spec.wave >= limit)
    asked = Counter(own_key(key).noun for key in promotions_waiting(run_id, tools))
    now = tools.ledger.now()
    paused = 0 if run.stop else sum(1 for task in tasks if task.state in STARTABLE and task.wake_at > now)
    ending = finish_state(
        counts=counts,
        candidates=0,
        in_flight=0,
        snoozed=paused,
        beyond_waves=beyond,
        stop=run.stop,
        own=asked,
        short=(short.tasks, short.text) if short else (0, ""),
        skipped=len(run.skipped),
    )
    if ending is not None:
        state, reason = ending
        goes_on_at = short.until if short else None
        tools.ledger.runs.finish(run_id, state, reason, held=short is not None, goes_on_at=goes_on_at)


def offer_what_is_ready(run: str, tools: Toolbox) -> None:
    """Offer startable tasks whose blockers are done, also while others are at work: repairs an edge that was lost."""
    if any(tools.ledger.runs.counts(run).get(state, 0) for state in STARTABLE):
        tasks = tools.ledger.tasks.all(run)
        _whole(run, tasks, tools)
        _offer(run, tasks, tools)


def _offer(run: str, tasks: list[TaskRecord], tools: Toolbox) -> bool:
    """True if one may start."""
    done = {task.spec.id for task in tasks if task.state is TaskState.COMPLETED}
    ready = [t.spec.id for t in tasks if t.state in STARTABLE and done.issuperset(t.spec.blocked_by)]
    offered = [task for task in ready if tools.ledger.board.offer(run, task)]
    return bool(offered)


def _whole(run: str, tasks: list[TaskRecord], tools: Toolbox) -> bool:
    """True if a composite is to be completed: its parts have, and the last edge is under way, or was lost."""
    by_id = {task.spec.id: task for task in tasks}
    due = [
        task.spec.id
        for task in tasks
        if task.state is TaskState.QUEUED and composite_is_done(task.spec, [by_id[part] for part in task.spec.parts])
    ]
    for task_id in due:
        canvas.publish(canvas.admit(run, task_id, again=f"{tools.ledger.now():.3f}"))
    return bool(due)


def _promote_what_is_due(run: str, tools: Toolbox) -> bool:
    """Publish promotions that have not been tried. True while one is under way."""
    waiting = False
    for key, stamp in promotions_due(run, tools):
        waiting = True
        if stamp:
            _publish(run, key, stamp, tools)
    return waiting


def _publish(run: str, key: str, stamp: str, tools: Toolbox) -> None:
    if own_key(key).kind is not OwnKind.PROMOTE:
        canvas.publish(canvas.pursue(run, key, again=stamp))
    elif is_watching(run, key, tools):
        canvas.publish(canvas.watch(run, key, again=stamp))
    else:
        canvas.publish(canvas.promote(run, key, again=stamp))
