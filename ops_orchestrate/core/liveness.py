"""Is the agent alive? Several signals, and the seed's stall protocol: ask, wait, stop, try again with a narrower brief."""

from __future__ import annotations

from typing import Literal

from ops_orchestrate.core.value import Value

#: Share of one core over the last look that counts as work: a test that runs, not a shell that polls.
BUSY = 0.05


class Limits(Value):
    """Periods in seconds, from the settings."""

    start: float
    stall: float
    nudge_wait: float


class Signals(Value):
    """What was seen, on one clock. A time of 0 means never."""

    now: float
    started_at: float
    last_event: float = 0.0
    last_file_change: float = 0.0
    """Of contents: a file that is only touched is no sign of life."""
    last_busy: float = 0.0
    cpu_recent: float = 0.0
    """Share of one core since the last look."""
    children: int = 0
    nudged_at: float = 0.0


State = Literal["working", "quiet", "never-started", "stalled"]


class NextStep(Value):
    """What to do about it."""

    state: State
    action: Literal["none", "nudge", "stop"] = "none"
    reason: str = ""


def next_step(signals: Signals, limits: Limits) -> NextStep:
    """The stall protocol. CPU above BUSY is a sign of life: a long test writes no file."""
    if signals.cpu_recent >= BUSY:
        return NextStep(state="working")
    last = max(signals.last_event, signals.last_file_change, signals.last_busy)
    if not last:
        waited = signals.now - signals.started_at
        if waited >= min(limits.start, limits.stall):
            return NextStep(state="never-started", action="stop", reason=f"no sign of life for {waited:.0f} s")
        return NextStep(state="quiet")
    silent = signals.now - last
    if silent < limits.stall:
        return NextStep(state="working")
    if not signals.nudged_at or signals.nudged_at < last:
        return NextStep(state="stalled", action="nudge", reason=f"silent for {silent:.0f} s")
    if signals.now - signals.nudged_at < limits.nudge_wait:
        return NextStep(state="stalled")
    return NextStep(
        state="stalled", action="stop", reason=f"no sign of life for {silent:.0f} s, also after being asked"
    )
