"""What a person does to a run from outside: answer, retry, cancel, stop, resume. Each says what it did.

None of them grants: caps, prices and the owner's midnight are told to the planners' machines, maybe not to this one.
"""

from __future__ import annotations

from ops_orchestrate import canvas
from ops_orchestrate.core.ask import apply
from ops_orchestrate.core.own_change import OwnChange, own_change
from ops_orchestrate.core.states import FINAL, RUN_OPEN, STARTABLE, STATE_OF_STAGE, RunState, TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.core.value import Value
from ops_orchestrate.engine.admit import newest, publish_edges
from ops_orchestrate.engine.placing import publish_tail
from ops_orchestrate.engine.promotion.answer import approve, decline
from ops_orchestrate.engine.regate import take_gate
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError, UsageError
from ops_orchestrate.ledger import Ledger

#: What a person moves here is judged by the gate later: by the one that the registry has now.
_VERIFIED_LATER = frozenset({TaskState.VERIFYING, *STARTABLE})


class Answered(Value):
    """What came of it, in one sentence, and whether the run goes on because of it."""

    text: str
    goes_on: bool = False


def answer(run: str, task: str, reply: str, *, by: str, tools: Toolbox, note: str = "") -> Answered:
    """Apply an answer to what the task waits for, or to a change of the run's own (`promote:REPO`, `revert:REPO`).

    Raises UsageError for one that does not fit, naming those that do.
    """
    own = own_change(task)
    if own is not None:
        return _own(run, own, reply, by=by, tools=tools)
    record = tools.ledger.tasks.get(run, task)
    change = apply(reply, record)
    if isinstance(change, str):
        raise UsageError(change)
    if change.to is TaskState.CANCELLED:
        return cancel(run, task, by=by, reason=note or f"answered {reply!r} by {by}", tools=tools)
    gate = ""
    if change.to in _VERIFIED_LATER:
        gate = take_gate(record, by=by, needed=record.ask == "verify" and change.to is TaskState.VERIFYING, tools=tools)
    if change.to in STARTABLE:
        _claim_again(record, tools)
    if change.approves:
        tools.ledger.tasks.approve(run, task, record.head, by)
    moved = tools.ledger.tasks.reopen(run, task, to=change.to, expect=change.expect, by=by, answer=reply, note=note)
    if moved is None:
        raise OpsError(f"{task} has moved meanwhile; `ops-orchestrate explain {run} {task}` says where it is.")
    _go_on(run, moved, tools)
    text = "its parts that have not completed get fresh sets of attempts" if moved.spec.parts else change.text
    return Answered(text=f"{task}: {text}{gate}.", goes_on=True)


def _claim_again(record: TaskRecord, tools: Toolbox) -> None:
    """Take back the claim on a task's finding: since it ended, another run may have planned it anew.

    Raises OpsError where that one still has it, or has done it.
    """
    spec = record.spec
    found = (spec.project, spec.fingerprint)
    view = tools.ledger.claims.look([found]).get(found)
    ended = view is not None and view.state in FINAL and view.state is not TaskState.COMPLETED
    over = ((view.run, view.task),) if view and ended else ()
    refused = tools.ledger.claims.take(record.run, [(*found, spec.id, spec.cause)], over=over)
    if refused:
        owner = refused[found]
        raise OpsError(
            f"Run {owner.run} has planned {spec.id} since then ({owner.task}, {owner.state}): "
            f"`ops-orchestrate explain {owner.run} {owner.task}` says how far it is."
        )


def _own(run: str, own: OwnChange, reply: str, *, by: str, tools: Toolbox) -> Answered:
    word = reply.strip().lower()
    if word not in ("yes", "no"):
        raise UsageError(f"A {own.noun} cannot be answered {reply!r}: it takes yes or no.")
    text = approve(run, own, tools=tools) if word == "yes" else decline(run, own, by=by, tools=tools)
    tools.ledger.runs.resume(run)
    canvas.publish(canvas.finish(run, again=f"{own.kind}-{own.repo}-{tools.ledger.now():.3f}"))
    return Answered(text=text, goes_on=True)


def _go_on(run: str, record: TaskRecord, tools: Toolbox) -> None:
    """Publish what the new state is due: an admission, the tail of the attempt's chain, or the edges."""
    if record.state is TaskState.COMPLETED:
        publish_edges(run, record.spec.id, tools)
        again = f"answered-{record.spec.id}-{tools.ledger.now():.3f}"
        canvas.publish(canvas.admit(run, again=again))
        canvas.publish(canvas.finish(run, again=again))
        return
    for stage, state in reversed(STATE_OF_STAGE.items()):  # verify before the review that it may ask for
        if record.state is state:
            publish_tail(newest(record), stage, tools)
            return
    for task in record.spec.parts or (record.spec.id,):  # a composite has no work of its own
        canvas.publish(canvas.admit(run, task, again=f"answered-{tools.ledger.now():.3f}"))


def cancel(run: str, task: str, *, by: str, reason: str, tools: Toolbox) -> Answered:
    """Withdraw a task; one in flight is interrupted and its work kept."""
    what = tools.ledger.tasks.cancel(run, task, by=by, reason=reason)
    if what == "ended":
        record = tools.ledger.tasks.get(run, task)
        raise OpsError(f"{task} is {record.state} already; there is nothing to cancel.")
    canvas.publish(canvas.finish(run, again=f"cancelled-{task}-{tools.ledger.now():.3f}"))
    if what == "asked":
        return Answered(text=f"{task} is being interrupted; its work is kept under a salvage ref.", goes_on=True)
    return Answered(text=f"{task} is cancelled.")


def stop(run: str, how: str, *, by: str, ledger: Ledger) -> str:
    """Ask a run to stop. Says so when there is nothing to stop."""
    record = ledger.runs.get(run)
    if record.state not in RUN_OPEN:
        return f"Run {run} is {record.state} already."
    ledger.runs.request_stop(run, how, by=by)
    canvas.publish(canvas.finish(run, again=f"stop-{how}-{ledger.now():.3f}"))
    return f"Run {run} is stopping; `ops-orchestrate resume {run}` goes on."


def resume(run: str, tools: Toolbox) -> str:
    """Go on with a stopped or halted run, or one whose command died. What was lost is driven on at once."""
    record = tools.ledger.runs.get(run)
    if record.state in (RunState.DONE, RunState.FAILED):
        raise OpsError(f"Run {run} is {record.state}: {record.reason or 'nothing is left to do'}.")
    tools.ledger.runs.resume(run)
    canvas.publish(canvas.reconcile(f"resumed-{run}-{tools.ledger.now():.3f}"))
    return f"Going on with run {run}."
