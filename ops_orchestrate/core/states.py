"""The states of a task and of a run, who moves them, and the table of allowed moves.

`docs/states.md` shows the same table; a test holds the two together. The ledger's scripts enforce the moves,
each as a compare-and-set, and the table is what they are tested against.
"""

from __future__ import annotations

from enum import StrEnum


class TaskState(StrEnum):
    """Where a task stands. Readiness ("its blockers are done") is computed from these, never stored."""

    QUEUED = "queued"  #: planned; may start when its blockers have completed and a slot is free
    RUNNING = "running"  #: an agent's attempt holds the claim
    VERIFYING = "verifying"  #: diff, gate and guards of the attempt's commit are being checked
    SHIPPING = "shipping"  #: verified; the merge is in progress
    RETRYABLE = "retryable"  #: the last attempt failed; a different brief is due
    BLOCKED = "blocked"  #: only a person moves it on; the reason says what to answer
    COMPLETED = "completed"  #: merged and proved, or found to be done already
    CANCELLED = "cancelled"  #: withdrawn on purpose (the seed's `deleted`)
    DISCARDED = "discarded"  #: every allowed attempt failed


IN_FLIGHT = frozenset({TaskState.RUNNING, TaskState.VERIFYING, TaskState.SHIPPING})
STARTABLE = frozenset({TaskState.QUEUED, TaskState.RETRYABLE})
FINAL = frozenset({TaskState.COMPLETED, TaskState.CANCELLED, TaskState.DISCARDED})

#: From each state, the states it may move to. Who moves it stands in docs/states.md.
MOVES: dict[TaskState, frozenset[TaskState]] = {
    TaskState.QUEUED: frozenset({TaskState.RUNNING, TaskState.BLOCKED, TaskState.COMPLETED, TaskState.CANCELLED}),
    TaskState.RUNNING: frozenset(
        {
            TaskState.QUEUED,  # the grant was never claimed: no attempt was spent; or it was split
            TaskState.VERIFYING,
            TaskState.COMPLETED,  # what was found has gone away by itself: no agent was started
            TaskState.RETRYABLE,
            TaskState.BLOCKED,
            TaskState.DISCARDED,
            TaskState.CANCELLED,
        }
    ),
    TaskState.VERIFYING: frozenset(
        {
            TaskState.SHIPPING,
            TaskState.RETRYABLE,
            TaskState.BLOCKED,
            TaskState.COMPLETED,
            TaskState.DISCARDED,
            TaskState.CANCELLED,
        }
    ),
    TaskState.SHIPPING: frozenset(
        {
            TaskState.COMPLETED,
            TaskState.VERIFYING,  # the base moved: the verdict no longer holds
            TaskState.RETRYABLE,
            TaskState.BLOCKED,
            TaskState.DISCARDED,
            TaskState.CANCELLED,
        }
    ),
    TaskState.RETRYABLE: frozenset({TaskState.RUNNING, TaskState.BLOCKED, TaskState.DISCARDED, TaskState.CANCELLED}),
    TaskState.BLOCKED: frozenset(
        {
            TaskState.QUEUED,
            TaskState.RETRYABLE,
            TaskState.VERIFYING,
            TaskState.SHIPPING,
            TaskState.COMPLETED,
            TaskState.CANCELLED,
        }
    ),
    TaskState.COMPLETED: frozenset(),
    TaskState.CANCELLED: frozenset({TaskState.QUEUED}),
    TaskState.DISCARDED: frozenset({TaskState.QUEUED}),
}


class RunState(StrEnum):
    """Where a run stands."""

    AUDITING = "auditing"  #: begun; the audit parts are out
    RUNNING = "running"  #: planned; tasks are being worked on
    STOPPED = "stopped"  #: stopped by a person; `resume` goes on
    HALTED = "halted"  #: nothing more can be done without a person: tasks are blocked, or beyond --max-waves
    DONE = "done"  #: every task has ended and none waits
    FAILED = "failed"  #: the plan could not be made; the reason says why


RUN_OPEN = frozenset({RunState.AUDITING, RunState.RUNNING})


class Stage(StrEnum):
    """The stages of one attempt: a Celery chain, each claimed on its own."""

    IMPLEMENT = "implement"
    REVIEW = "review"  #: only where verify finds that one is due: verify follows it, and judges with it
    VERIFY = "verify"
    LAND = "land"


#: The state a task is in while a stage of its attempt is under way.
STATE_OF_STAGE: dict[Stage, TaskState] = {
    Stage.IMPLEMENT: TaskState.RUNNING,
    Stage.REVIEW: TaskState.VERIFYING,
    Stage.VERIFY: TaskState.VERIFYING,
    Stage.LAND: TaskState.SHIPPING,
}
