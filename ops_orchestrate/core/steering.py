"""How a message reaches the agent of a task: at once, by an interruption, or with its next brief.

An agent with a protocol is told while it works. One without is stopped, its work is kept, and its next attempt goes on
from there with the message in its brief; that costs it no attempt. Whoever sends too often is not let to keep an agent
from ever getting anywhere.
"""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.states import FINAL, TaskState

#: So often the agent of one task is interrupted for a message; further ones wait for its next brief.
MOST_INTERRUPTIONS = 5


class Delivery(StrEnum):
    """What is done with a message."""

    NOW = "session"  #: said into the running session
    INTERRUPT = "interrupt"  #: the attempt is stopped, its work kept; the next one begins with it
    BRIEF = "brief"  #: it stands in the next attempt's brief
    REFUSED = "refused"  #: nobody will ever read it


def delivery(state: TaskState, *, steerable: bool, interruptions: int = 0) -> Delivery:
    """What to do with a message to a task in this state.

    `steerable`: its agent can be told something while it runs. `interruptions`: how often it was stopped for one.
    """
    if state in FINAL:
        return Delivery.REFUSED
    if state is not TaskState.RUNNING:
        return Delivery.BRIEF
    if steerable:
        return Delivery.NOW
    return Delivery.INTERRUPT if interruptions < MOST_INTERRUPTIONS else Delivery.BRIEF


def meaning(state: TaskState, name: str) -> str:
    """What becomes of a message to a task that no agent works on now: one sentence."""
    if state is TaskState.COMPLETED:
        return f"{name} has finished: its work is merged, and nobody would read it."
    if state in FINAL:
        return f"{name} is {state}; `retry` it first, with --note for what its agent should know."
    if state in (TaskState.VERIFYING, TaskState.SHIPPING):
        return f"{name} has delivered and is {state}: it is kept, and told if another attempt is made."
    waits = "waits for you" if state is TaskState.BLOCKED else f"is {state}"
    return f"{name} {waits}: it is kept, and stands in its next brief."
