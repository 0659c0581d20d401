"""How Claude Code ended: every row that was seen on the real program, and what must never pass for success."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.core.claude_outcome import ClaudeRun, claude_end

DONE = ClaudeRun(
    exit_code=0, spoke=True, results=1, subtype="success", terminal_reason="completed", text="The file says two."
)
API = DONE.model_copy(update={"exit_code": 1, "is_error": True, "terminal_reason": "api_error", "text": "API Error"})
SILENT = ClaudeRun(exit_code=1, spoke=True)

ROWS = [
    # what was seen, the end, a word of the sentence
    (DONE, {}, AgentEnd.DONE, ""),
    (DONE, {"denied": ("Bash", "Write", "Bash")}, AgentEnd.DONE, "Denied to it: Bash, Write."),
    (API, {"api_status": 400, "api_error": "billing_error"}, AgentEnd.QUOTA, "gives no more for now (400)"),
    (API, {"api_status": 402}, AgentEnd.QUOTA, "(402)"),
    (API, {"api_status": 402, "text": "API Error: 402 ops-orchestrate: No."}, AgentEnd.FAILED, "A limit of ours"),
    (API, {"api_status": 429, "api_error": "rate_limit", "retries": 4}, AgentEnd.QUOTA, "4 more times (rate_limit)"),
    (API, {"api_status": 529, "api_error": "server_error"}, AgentEnd.QUOTA, "(529)"),
    (API, {"api_status": 401, "api_error": "authentication_failed"}, AgentEnd.UNSTARTED, "does not accept the key"),
    (API, {"api_status": 403}, AgentEnd.UNSTARTED, "does not accept the key"),
    (API, {"api_status": 500, "api_error": "server_error"}, AgentEnd.FAILED, "The model's API failed (500)"),
    (API, {"api_status": 400, "api_error": "unknown"}, AgentEnd.FAILED, "The model's API failed (400)"),
    (API, {"api_status": None}, AgentEnd.FAILED, "The model's API failed: "),
    (API, {"exit_code": 0, "terminal_reason": "", "api_status": 429}, AgentEnd.QUOTA, "(429)"),
    (
        DONE,
        {"exit_code": 1, "is_error": True, "subtype": "error_max_turns", "terminal_reason": "max_turns"},
        AgentEnd.FAILED,
        "OPS_MAX_TURNS",
    ),
    (
        DONE,
        {"exit_code": 1, "is_error": True, "subtype": "error_max_budget_usd", "terminal_reason": "budget_exhausted"},
        AgentEnd.FAILED,
        "OPS_MAX_ATTEMPT_USD",
    ),
    (
        DONE,
        {"is_error": True, "subtype": "error_during_execution", "terminal_reason": "aborted_tools"},
        AgentEnd.FAILED,
        "error_during_execution, aborted_tools",
    ),
    (  # `--resume` of a session that it does not know: no turn was taken
        DONE,
        {"exit_code": 1, "is_error": True, "subtype": "error_during_execution", "terminal_reason": "", "text": ""},
        AgentEnd.FAILED,
        "ended with 1 as error_during_execution",
    ),
    (DONE, {"terminal_reason": "aborted_tools"}, AgentEnd.FAILED, "success, aborted_tools"),
    (DONE, {"terminal_reason": ""}, AgentEnd.FAILED, "as success"),
    (DONE, {"exit_code": 1}, AgentEnd.FAILED, "ended with 1 as success"),
    (DONE, {"exit_code": 143}, AgentEnd.CRASHED, "by signal 15."),
    (DONE, {"exit_code": None}, AgentEnd.CRASHED, "It was ended."),
    (SILENT, {"exit_code": 143}, AgentEnd.CRASHED, "by signal 15, without a result."),
    (SILENT, {"exit_code": 0}, AgentEnd.CRASHED, "exited with 0, without a result."),
    (SILENT, {"retries": 3, "api_error": "authentication_failed"}, AgentEnd.CRASHED, "3 more times"),
    (SILENT, {"spoke": False, "noise": "error: unknown option"}, AgentEnd.UNSTARTED, "unknown option"),
    (SILENT, {"spoke": False, "exit_code": 0}, AgentEnd.CRASHED, "without a result"),
]


@pytest.mark.parametrize(("seen", "changes", "end", "says"), ROWS)
def test_how_it_ended(seen: ClaudeRun, changes: dict[str, object], end: AgentEnd, says: str) -> None:
    found, detail = claude_end(seen.model_copy(update=changes))
    assert found is end
    assert says in detail
    assert bool(detail) is (end is not AgentEnd.DONE or "denied" in changes)


words = st.sampled_from(
    ["", "success", "completed", "api_error", "error_max_turns", "aborted_tools", "rate_limit", "?"]
)


@given(
    st.builds(
        ClaudeRun,
        exit_code=st.sampled_from([None, 0, 1, 2, 137, 255]),
        spoke=st.booleans(),
        results=st.integers(0, 3),
        subtype=words,
        is_error=st.booleans(),
        terminal_reason=words,
        api_status=st.sampled_from([None, 200, 400, 401, 429, 500]),
        api_error=words,
        retries=st.integers(0, 3),
    )
)
def test_only_a_clean_end_is_done(run: ClaudeRun) -> None:
    end, detail = claude_end(run)
    clean = (run.exit_code, run.subtype, run.is_error, run.terminal_reason) == (0, "success", False, "completed")
    assert (end is AgentEnd.DONE) is (clean and run.results > 0)
    assert detail or end is AgentEnd.DONE
    assert len(detail) < 1_000


def test_its_words_are_one_line_and_short() -> None:
    _, detail = claude_end(API.model_copy(update={"text": "a\n\x1b[31mb" + "c" * 5_000, "api_status": 500}))
    assert "\n" not in detail
    assert "\x1b" not in detail
    assert len(detail) < 500
