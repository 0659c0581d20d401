"""When a run is at its end, and how it ended. The seed's loop, corrected: never while anything is in flight."""

from __future__ import annotations

from collections.abc import Mapping

from ops_orchestrate.core.states import RunState, TaskState


def finish_state(
    *,
    counts: Mapping[TaskState, int],
    candidates: int,
    in_flight: int,
    snoozed: int,
    beyond_waves: int,
    stop: str,
    own: Mapping[str, int] | None = None,
    short: tuple[int, str] = (0, ""),
    skipped: int = 0,
) -> tuple[RunState, str] | None:
    """The state to end in and the reason; None while something is in flight, due or admissible.

    `own` are changes of the run's own that wait for a person, by what they are called (`promotion`); `short` are tasks
    that nothing but the owner's money keeps from starting, and why; `skipped` is what was found or asked for and is
    not this run's.
    """
    if in_flight or snoozed or (candidates and not stop):
        return None
    if stop:
        return RunState.STOPPED, "stopped on request; `resume` goes on"
    blocked = counts.get(TaskState.BLOCKED, 0)
    waiting = counts.get(TaskState.QUEUED, 0) + counts.get(TaskState.RETRYABLE, 0)
    discarded = counts.get(TaskState.DISCARDED, 0)
    asked = {noun: count for noun, count in (own or {}).items() if count}
    if not (blocked or waiting or discarded or asked):
        return RunState.DONE, "every task has ended" if any(counts.values()) else _nothing(skipped)
    held = waiting - beyond_waves - short[0]
    parts = [
        f"{short[0]} waiting: {short[1]}" if short[0] else "",
        f"{blocked} wait{'' if blocked > 1 else 's'} for you" if blocked else "",
        f"{held} behind what has not been done" if held > 0 else "",
        f"{discarded} given up" if discarded else "",
        f"{beyond_waves} beyond --max-waves" if beyond_waves else "",
        *(f"{count} {noun}{'s wait' if count > 1 else ' waits'} for you" for noun, count in sorted(asked.items())),
    ]
    return RunState.HALTED, ", ".join(part for part in parts if part)


def _nothing(skipped: int) -> str:
    return f"there was nothing for it to do; {skipped} skipped" if skipped else "there was nothing to do"
