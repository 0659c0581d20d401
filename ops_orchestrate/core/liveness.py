"""Is the agent alive? Several signals, and the seed's stall protocol: ask, wait, stop, try again with a narrower brief.

A healthy agent that thinks or runs a long test writes no file, and a stuck one may touch a file for ever: what counts
is that something was said, printed or changed in content, or that its processes compute. What goes on without end is
not stopped here but by the time limit of an attempt. Nothing is started or killed by this rule.
"""

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
    last_log_growth: float = 0.0
    last_busy: float = 0.0
    cpu_recent: float = 0.0
    """Share of one core since the last look, of all its processes together."""
    children: int = 0
    """Its processes, itself included."""
    waiting_since: float = 0.0
    """When it asked for something (a permission, an answer) that it did not get yet."""
    nudged_at: float = 0.0
    can_message: bool = True
    """Whether it can be told anything while it runs."""

    @property
    def last_sign(self) -> float:
        """When it last showed that it is alive."""
        return max(self.last_event, self.last_file_change, self.last_log_growth, self.last_busy)


State = Literal["never-started", "waiting-for-input", "thinking", "running-a-tool", "working", "stalled"]


class NextStep(Value):
    """What to do about it."""

    state: State
    action: Literal["none", "nudge", "stop"] = "none"
    reason: str = ""


def assess(signals: Signals, limits: Limits) -> State:
    """How the agent is doing. Only `never-started`, `waiting-for-input` and `stalled` call for anything."""
    if signals.cpu_recent >= BUSY:
        return _at_work(signals)
    last = signals.last_sign
    if signals.waiting_since and signals.waiting_since >= last:
        return "waiting-for-input"
    if not last:
        waited = signals.now - signals.started_at
        return "never-started" if waited >= min(limits.start, limits.stall) else "thinking"
    return "stalled" if signals.now - last >= limits.stall else _at_work(signals)


def next_step(signals: Signals, limits: Limits) -> NextStep:
    """The stall protocol. An agent that cannot be told anything is stopped where another one is asked first."""
    state = assess(signals, limits)
    silent = signals.now - (signals.last_sign or signals.started_at)
    if state == "never-started":
        return NextStep(state=state, action="stop", reason=f"no sign of life for {silent:.0f} s")
    if state not in ("stalled", "waiting-for-input"):
        return NextStep(state=state)
    why = f"silent for {silent:.0f} s" if state == "stalled" else "it waits for an input that nobody will give"
    if signals.can_message and not _was_asked(signals):
        return NextStep(state=state, action="nudge", reason=why)
    if signals.can_message and signals.now - signals.nudged_at < limits.nudge_wait:
        return NextStep(state=state)
    asked = ", also after being asked" if signals.can_message else ""
    # Whoever stops it records a stall: to the retry rule there is no difference.
    return NextStep(state="stalled", action="stop", reason=f"{why}{asked}")


def _was_asked(signals: Signals) -> bool:
    """Whether it was asked since it last showed a sign of life, and since it began to wait."""
    return bool(signals.nudged_at) and signals.nudged_at >= max(signals.last_sign, signals.waiting_since)


def _at_work(signals: Signals) -> State:
    busy = signals.cpu_recent >= BUSY
    if busy and signals.children > 1:
        return "running-a-tool"
    spoke_last = signals.last_event >= max(signals.last_file_change, signals.last_busy, signals.last_log_growth)
    if busy or not spoke_last:
        return "working"
    return "running-a-tool" if signals.children > 1 else "thinking"
