"""What one process of Claude Code has said so far, added up: for its end, its cost, and the words about it."""

from __future__ import annotations

import json

from ops_orchestrate.adapters.agents.claude.wire import Assistant, Denied, Frame, Init, Limit, Result, Retry
from ops_orchestrate.core.claude_outcome import ClaudeRun
from ops_orchestrate.core.names import clean_text

_NOISE = 2_000
_DENIALS = 20


class Tally:
    """Adds up frames, in whatever order they come."""

    def __init__(self) -> None:
        self.version = ""
        self.resets_at = 0.0
        self.tokens = 0
        self.answer = ""
        """What it gave as its structured output, in its last turn, as JSON."""
        self._cost = 0.0
        self._priced = True
        self._run = ClaudeRun()

    @property
    def cost_usd(self) -> float | None:
        """What its turns cost; None before the first has ended, or where a model has no known price."""
        return round(self._cost, 6) if self._run.results and self._priced else None

    @property
    def spent(self) -> bool:
        """Whether its tokens are known: a turn has ended."""
        return self._run.results > 0

    @property
    def summary(self) -> str:
        """Its last turn's own words."""
        return clean_text(self._run.text, 4_000)

    def run(self, exit_code: int | None) -> ClaudeRun:
        """Everything, for the rule."""
        return self._run.model_copy(update={"exit_code": exit_code})

    def noise(self, text: str) -> None:
        """It printed something beside its protocol."""
        self._put(noise=(self._run.noise + text)[-_NOISE:])

    def spoke(self) -> None:
        """A line of its protocol was seen."""
        self._put(spoke=True)

    def take(self, frame: Frame) -> None:
        """Add one frame."""
        if isinstance(frame, Init):
            self.version = frame.claude_code_version or self.version
        elif isinstance(frame, Retry):
            self._put(retries=self._run.retries + 1, api_error=_error(frame.error, frame.error_status))
        elif isinstance(frame, Assistant):
            self._put(retries=self._run.retries if frame.error else 0, api_error=frame.error or "")
        elif isinstance(frame, Denied):
            self._put(denied=(*self._run.denied, frame.tool_name)[:_DENIALS])
        elif isinstance(frame, Limit) and frame.rate_limit_info.status == "rejected":  # others only warn
            self.resets_at = float(frame.rate_limit_info.resets_at or self.resets_at)
        elif isinstance(frame, Result):
            self._ended(frame)

    def _ended(self, result: Result) -> None:
        self.answer = "" if result.structured_output is None else json.dumps(result.structured_output)
        for usage in (result.model_usage_since_last_result or {}).values():
            self.tokens += usage.tokens
            self._cost += usage.cost_usd
            self._priced = self._priced and usage.basis != "unknown"
        self._priced = self._priced and result.model_usage_since_last_result is not None
        named = tuple(denial.tool_name for denial in result.permission_denials)
        self._put(
            results=self._run.results + 1,
            subtype=result.subtype,
            is_error=result.is_error,
            terminal_reason=result.terminal_reason,
            api_status=result.api_error_status,
            text=result.result or "; ".join(result.errors),
            denied=tuple(dict.fromkeys((*self._run.denied, *named)))[:_DENIALS],
        )

    def _put(self, **changes: object) -> None:
        self._run = self._run.model_copy(update=changes)


def _error(name: str, status: int | None) -> str:
    """The name alone where it says it: the rule compares names."""
    return name if name and name != "unknown" else f"HTTP {status}" if status else ""
