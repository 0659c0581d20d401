"""How an agent over ACP ended, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.acp_outcome import AcpRun, acp_end
from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.core.modelusage import ModelTrouble

TURN: dict[str, Any] = {"spoke": True, "asked": "session/prompt", "exit_code": 0}
ENDED = TURN | {"stop": "end_turn"}


def no(status: int, words: str = "", **more: Any) -> ModelTrouble:
    return ModelTrouble(status=status, words=words, **more)


ROWS: list[tuple[dict[str, Any], AgentEnd, str]] = [
    # Why its turn ended, by its own word
    (ENDED, AgentEnd.DONE, ""),
    (
        ENDED | {"denied": ("execute (git push)", "execute (git push)")},
        AgentEnd.DONE,
        "Denied to it: execute (git push).",
    ),
    (ENDED | {"exit_code": 137}, AgentEnd.DONE, ""),
    (ENDED | {"flooded": True}, AgentEnd.DONE, ""),
    (TURN | {"stop": "max_tokens"}, AgentEnd.FAILED, "Its model's answer was cut at its limit."),
    (TURN | {"stop": "max_turn_requests"}, AgentEnd.FAILED, "It reached its own limit of questions to its model."),
    (TURN | {"stop": "refusal"}, AgentEnd.FAILED, "It refuses to go on."),
    (TURN | {"stop": "cancelled"}, AgentEnd.FAILED, "It says that it was cancelled, and nobody has."),
    (TURN | {"stop": "x\nMERGED"}, AgentEnd.FAILED, "It ended as x MERGED."),
    # An error in place of an answer
    (
        TURN | {"error": -32603, "said": "Internal error"},
        AgentEnd.FAILED,
        "It ended with an error: Internal error (-32603).",
    ),
    (TURN | {"error": 0, "said": ""}, AgentEnd.FAILED, "It ended with an error: no reason (0)."),
    (
        TURN | {"error": -32603, "said": "quota exceeded, rate limit"},
        AgentEnd.FAILED,
        "It ended with an error: quota exceeded, rate limit (-32603).",
    ),
    (
        TURN | {"asked": "session/new", "error": -32000, "said": "Authentication required"},
        AgentEnd.UNSTARTED,
        "It wants somebody to sign in first: Authentication required (-32000).",
    ),
    (
        TURN | {"asked": "initialize", "error": -32601, "said": "no"},
        AgentEnd.UNSTARTED,
        "It did not start, initialize was refused: no (-32601).",
    ),
    ({"version_problem": "It speaks version 7."}, AgentEnd.UNSTARTED, "It speaks version 7."),
    # No answer at all
    ({"exit_code": 2, "noise": "usage: x"}, AgentEnd.UNSTARTED, "It does not speak ACP (exit code 2): usage: x"),
    ({"exit_code": 0}, AgentEnd.UNSTARTED, "It does not speak ACP (exit code 0)"),
    (
        TURN | {"asked": "session/new", "exit_code": 1},
        AgentEnd.UNSTARTED,
        "It did not start, session/new had no answer (exit code 1)",
    ),
    (TURN, AgentEnd.CRASHED, "It exited with 0, within its turn."),
    (TURN | {"exit_code": 3, "noise": "boom"}, AgentEnd.CRASHED, "It exited with 3, within its turn. boom"),
    (TURN | {"exit_code": 137}, AgentEnd.CRASHED, "It was ended by signal 9, within its turn."),
    (TURN | {"exit_code": None}, AgentEnd.CRASHED, "It was ended, within its turn."),
    (TURN | {"exit_code": 137, "trouble": no(429)}, AgentEnd.CRASHED, "It was ended by signal 9, within its turn."),
    (
        TURN | {"flooded": True},
        AgentEnd.FAILED,
        "It said more than OPS_LOG_LIMIT_MB holds, so its end could not be heard.",
    ),
    # Its model's API had the last word, whatever the agent made of it
    (
        ENDED | {"trouble": no(429, "Slow down.", times=3)},
        AgentEnd.QUOTA,
        "The model's provider gives no more for now (429): Slow down. It was asked 3 times.",
    ),
    (
        TURN | {"error": -32603, "said": "Internal error", "trouble": no(402)},
        AgentEnd.QUOTA,
        "The model's provider gives no more for now (402): Internal error.",
    ),
    (ENDED | {"trouble": no(429, last=False)}, AgentEnd.DONE, ""),
    (
        TURN | {"error": 1, "trouble": no(429, "Slow down.", last=False)},
        AgentEnd.QUOTA,
        "The model's provider gives no more for now (429): Slow down.",
    ),
    (
        TURN | {"stop": "given up", "trouble": no(529, last=False)},
        AgentEnd.QUOTA,
        "The model's provider gives no more for now (529): no reason.",
    ),
    (
        TURN | {"error": 1, "trouble": no(400, "Your credit balance is too low")},
        AgentEnd.QUOTA,
        "The model's provider gives no more for now (400): Your credit balance is too low.",
    ),
    (
        TURN | {"error": 1, "said": "credit balance", "trouble": no(400, "bad request")},
        AgentEnd.FAILED,
        "The model's API failed (400): bad request.",
    ),
    (
        TURN | {"error": 1, "trouble": no(401)},
        AgentEnd.UNSTARTED,
        "The model's provider does not accept the key (401): no reason.",
    ),
    (
        TURN | {"error": 1, "trouble": no(403)},
        AgentEnd.UNSTARTED,
        "The model's provider does not accept the key (403): no reason.",
    ),
    (TURN | {"error": 1, "trouble": no(500)}, AgentEnd.FAILED, "The model's API failed (500): no reason."),
    (
        TURN | {"error": 1, "trouble": no(502, "It cannot be reached.")},
        AgentEnd.FAILED,
        "The model's API failed (502): It cannot be reached.",
    ),
    (
        ENDED | {"trouble": no(402, "The attempt has used all the tokens that it may.", ours=True)},
        AgentEnd.FAILED,
        "A limit of ours ended it (402): The attempt has used all the tokens that it may.",
    ),
]


@pytest.mark.parametrize(("run", "end", "says"), ROWS)
def test_how_it_ended(run: dict[str, Any], end: AgentEnd, says: str) -> None:
    assert acp_end(AcpRun(**run)) == (end, says)
