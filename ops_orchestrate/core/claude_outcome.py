"""How one process of Claude Code ended, from what it said and how it exited. Its own "success" proves little.

Every row was seen on the real program; tests/core/test_claude_outcome.py is the table. It judges the process, never
the work: even the best end is only the start of verifying.
"""

from __future__ import annotations

from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.value import Value

#: HTTP statuses and names of errors that say "not now": of a limit, of money, of a provider that is overloaded.
_QUOTA_STATUSES = frozenset({402, 429, 529})
_QUOTA_ERRORS = frozenset({"rate_limit", "billing_error", "overloaded", "overloaded_error", "rate_limit_error"})
#: Those that say "not you": another attempt with the same key ends the same way.
_KEY_STATUSES = frozenset({401, 403})
_KEY_ERRORS = frozenset({"authentication_failed", "authentication_error", "permission_error", "oauth_org_not_allowed"})
#: How our own proxy begins what it refuses: a limit of ours, never the provider's.
_OURS = "ops-orchestrate: "


class ClaudeRun(Value):
    """What one process said until it ended."""

    exit_code: int | None = None
    spoke: bool = False
    """Whether any line of its protocol was seen."""
    results: int = 0
    """How many turns it has ended; what follows is of the last one."""
    subtype: str = ""
    is_error: bool = False
    terminal_reason: str = ""
    api_status: int | None = None
    api_error: str = ""
    """The last trouble with the model's API that it named, in a retry or in its last message."""
    text: str = ""
    """The last turn's result, or its errors."""
    denied: tuple[str, ...] = ()
    """Tools whose call was denied."""
    retries: int = 0
    """How often the model was asked again since it last answered."""
    noise: str = ""
    """The end of what it printed beside its protocol."""


def claude_end(run: ClaudeRun) -> tuple[AgentEnd, str]:
    """How it ended, and a sentence. The first that fits: killed, silent, the API, a limit, anything odd, done."""
    code = run.exit_code or 0
    if 128 < code < 160 or run.exit_code is None:  # bubblewrap, like a shell, turns a signal into 128 + n
        signal = f" by signal {code - 128}" if code else ""
        rest = "." if run.results else f", without a result.{_asked(run)}"
        return AgentEnd.CRASHED, f"It was ended{signal}{rest}"
    if not run.results:
        return _silent(run, code)
    if run.terminal_reason == "api_error" or (run.is_error and run.api_status):
        return _refused(run)
    limit = {"error_max_turns": "OPS_MAX_TURNS", "error_max_budget_usd": "OPS_MAX_ATTEMPT_USD"}.get(run.subtype)
    if limit:
        return AgentEnd.FAILED, f"It reached its limit ({limit}): {_said(run)}"
    if run.is_error or run.subtype != "success" or run.terminal_reason != "completed" or code:
        how = ", ".join(filter(None, (run.subtype, run.terminal_reason)))
        return AgentEnd.FAILED, f"It ended with {code} as {one_line(how, 100)}: {_said(run)}".rstrip(": ")
    if run.denied:
        return AgentEnd.DONE, f"Denied to it: {one_line(', '.join(dict.fromkeys(run.denied)), 200)}."
    return AgentEnd.DONE, ""


def _silent(run: ClaudeRun, code: int) -> tuple[AgentEnd, str]:
    """No turn came to an end."""
    noise = one_line(run.noise, 300)
    if not run.spoke and code:
        return AgentEnd.UNSTARTED, f"It did not start (exit code {code}): {noise}".rstrip(": ")
    return AgentEnd.CRASHED, f"It exited with {code}, without a result.{_asked(run)} {noise}".strip()


def _refused(run: ClaudeRun) -> tuple[AgentEnd, str]:
    """The model's API had the last word."""
    status = f" ({run.api_status})" if run.api_status else ""
    said = f"{_said(run).rstrip('. ') or 'no reason'}.{_asked(run)}"
    if run.api_status in _QUOTA_STATUSES and _OURS in run.text:
        return AgentEnd.FAILED, f"A limit of ours ended it{status}: {said}"
    if run.api_status in _QUOTA_STATUSES or run.api_error in _QUOTA_ERRORS:
        return AgentEnd.QUOTA, f"The model's provider gives no more for now{status}: {said}"
    if run.api_status in _KEY_STATUSES or run.api_error in _KEY_ERRORS:
        return AgentEnd.UNSTARTED, f"The model's provider does not accept the key{status}: {said}"
    return AgentEnd.FAILED, f"The model's API failed{status}: {said}"


def _asked(run: ClaudeRun) -> str:
    if not run.retries:
        return ""
    return f" It had asked its model {run.retries} more times ({one_line(run.api_error, 60) or 'no answer'})."


def _said(run: ClaudeRun) -> str:
    return one_line(run.text, 300)
