"""How an agent that speaks the Agent Client Protocol ended, from its last answer, its exit, and its model's last word.

The protocol says why a turn ended, and nothing about the model's API: what an agent tells of that is free text, and a
refused call may even end as `end_turn`. What counts is what our own proxy saw. tests/core/test_acp_outcome.py is the
table. It judges the process, never the work.
"""

from __future__ import annotations

import re

from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.core.modelusage import ModelTrouble
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.value import Value

_QUOTA_STATUSES = frozenset({402, 429, 529})
_KEY_STATUSES = frozenset({401, 403})
#: Anthropic refuses a call for money with an ordinary 400; the words are in the answer.
_MONEY = re.compile(r"credit balance|insufficient.quota|billing", re.IGNORECASE)
_SIGNED_OUT = -32000
"""ACP's error for an agent that has to be signed in first."""
GIVEN_UP = "given up"
"""Our own word for a turn that was ended because its model says no again and again."""
_STOPS = {
    "max_tokens": "Its model's answer was cut at its limit.",
    "max_turn_requests": "It reached its own limit of questions to its model.",
    "refusal": "It refuses to go on.",
    "cancelled": "It says that it was cancelled, and nobody has.",
}


class AcpRun(Value):
    """What one process said until it ended."""

    exit_code: int | None = None
    spoke: bool = False
    """Whether any line of the protocol was seen."""
    asked: str = ""
    """The method that it was asked last: `initialize`, `authenticate`, `session/new`, `session/prompt`."""
    stop: str = ""
    """Why its last turn ended; empty where it did not end."""
    error: int | None = None
    """The code of an error that it answered with."""
    said: str = ""
    """That error's words."""
    version_problem: str = ""
    """Where it speaks another version of the protocol: a sentence."""
    flooded: bool = False
    """It said more than its log holds, so that its end could not be heard."""
    trouble: ModelTrouble | None = None
    """What its model's API said last, if that was no answer."""
    denied: tuple[str, ...] = ()
    """Tools whose call was denied."""
    noise: str = ""
    """The end of what it printed beside its protocol."""


def acp_end(run: AcpRun) -> tuple[AgentEnd, str]:
    """How it ended, and a sentence. The first that fits: the model's API, an error, no end, a stop reason, done."""
    if run.version_problem:
        return AgentEnd.UNSTARTED, run.version_problem
    if run.flooded and not run.stop:
        return AgentEnd.FAILED, "It said more than OPS_LOG_LIMIT_MB holds, so its end could not be heard."
    if run.trouble is not None and _broke(run, run.trouble):
        return _refused(run, run.trouble)
    if run.error is not None:
        return _erred(run, run.error)
    if not run.stop:
        return _unanswered(run)
    if run.stop != "end_turn":
        return AgentEnd.FAILED, _STOPS.get(run.stop, f"It ended as {one_line(run.stop, 60)}.")
    denied = one_line(", ".join(dict.fromkeys(run.denied)), 200)
    return AgentEnd.DONE, f"Denied to it: {denied}." if denied else ""


def _broke(run: AcpRun, trouble: ModelTrouble) -> bool:
    """Whether that trouble is what ended it: it says that something went wrong, or nothing has gone well since."""
    return run.error is not None or run.stop == GIVEN_UP or (trouble.last and run.stop not in ("", "cancelled"))


def _erred(run: AcpRun, code: int) -> tuple[AgentEnd, str]:
    said = f"{one_line(run.said, 300).rstrip('. ') or 'no reason'} ({code})."
    if code == _SIGNED_OUT:
        return AgentEnd.UNSTARTED, f"It wants somebody to sign in first: {said}"
    if run.asked != "session/prompt":
        return AgentEnd.UNSTARTED, f"It did not start, {run.asked} was refused: {said}"
    return AgentEnd.FAILED, f"It ended with an error: {said}"


def _unanswered(run: AcpRun) -> tuple[AgentEnd, str]:
    """It ended without the end of a turn."""
    code, noise = run.exit_code or 0, one_line(run.noise, 300)
    if 128 < code < 160 or run.exit_code is None:  # bubblewrap, like a shell, turns a signal into 128 + n
        return AgentEnd.CRASHED, f"It was ended{f' by signal {code - 128}' if code else ''}, within its turn."
    if run.asked != "session/prompt":
        why = "It does not speak ACP" if not run.spoke else f"It did not start, {run.asked} had no answer"
        return AgentEnd.UNSTARTED, f"{why} (exit code {code}): {noise}".rstrip(": ")
    return AgentEnd.CRASHED, f"It exited with {code}, within its turn. {noise}".strip()


def _refused(run: AcpRun, trouble: ModelTrouble) -> tuple[AgentEnd, str]:
    """Its model's API, or our proxy before it, had the last word."""
    said = f"{one_line(trouble.words or run.said, 300).rstrip('. ') or 'no reason'}."
    again = f" It was asked {trouble.times} times." if trouble.times > 1 else ""
    status = trouble.status
    if trouble.ours:
        return AgentEnd.FAILED, f"A limit of ours ended it ({status}): {said}"
    if status in _QUOTA_STATUSES or (status == 400 and _MONEY.search(trouble.words)):
        return AgentEnd.QUOTA, f"The model's provider gives no more for now ({status}): {said}{again}"
    if status in _KEY_STATUSES:
        return AgentEnd.UNSTARTED, f"The model's provider does not accept the key ({status}): {said}{again}"
    return AgentEnd.FAILED, f"The model's API failed ({status}): {said}{again}"
