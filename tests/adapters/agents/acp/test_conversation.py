"""The conversation without an agent: what it is answered, what it says then, and how that counts as an end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops_orchestrate.adapters.agents.acp.conversation import Conversation, Terms
from ops_orchestrate.adapters.agents.acp.wire import hello, read_line
from ops_orchestrate.core.acp_outcome import acp_end
from ops_orchestrate.core.agent import AgentEnd


class Peer:
    """The other end, in the words of the protocol: hears what is said, and answers when it is told to."""

    def __init__(self) -> None:
        self.talk = Conversation(Terms(brief="Fix it.", tree="/tree", sandboxed=True))
        self.heard: list[dict[str, Any]] = [json.loads(hello("1"))]

    def listen(self) -> list[dict[str, Any]]:
        """Every message so far."""
        while self.talk.outbox:
            self.heard.append(json.loads(self.talk.outbox.popleft()))
        return self.heard

    def last(self, method: str) -> dict[str, Any]:
        """The newest request of this kind."""
        return next(one for one in reversed(self.listen()) if one["method"] == method)

    def prompts(self) -> list[str]:
        """What it was asked to do, in its order."""
        return [one["params"]["prompt"][0]["text"] for one in self.listen() if one["method"] == "session/prompt"]

    def answer(self, method: str, number: int | None = None, **fields: Any) -> None:
        """Answer the newest request of this kind, or the one with this number."""
        self.say(id=self.last(method)["id"] if number is None else number, **fields)

    def say(self, **fields: Any) -> None:
        message = read_line(json.dumps({"jsonrpc": "2.0", **fields}).encode())
        assert message is not None
        self.talk.take(message)

    def meet(self, version: int = 1, **more: Any) -> Peer:
        self.answer("initialize", result={"protocolVersion": version, **more})
        return self

    def begin(self, **more: Any) -> Peer:
        """It has the brief, and is at work."""
        self.meet(**more).answer("session/new", result={"sessionId": "s1"})
        return self

    def end_turn(self, reason: str = "end_turn") -> Peer:
        self.answer("session/prompt", result={"stopReason": reason})
        return self


def test_it_is_met_before_it_is_told() -> None:
    peer = Peer()
    assert [one["method"] for one in peer.listen()] == ["initialize"]
    peer.begin()
    assert [one["method"] for one in peer.listen()] == ["initialize", "session/new", "session/prompt"]
    assert peer.last("session/new")["params"]["cwd"] == "/tree"
    assert (peer.prompts(), peer.talk.over) == (["Fix it."], False)
    peer.end_turn()
    assert peer.talk.over


NO = {"error": {"code": -32603, "message": "Node 22 is needed"}}
SIGN_IN = {"error": {"code": -32000, "message": "Who are you?"}}


def ended(reason: Any) -> dict[str, Any]:
    return {"result": {"stopReason": reason}}


#: What it answers last, to which question.
ROWS: list[tuple[str, dict[str, Any], AgentEnd, str]] = [
    ("session/prompt", ended("end_turn"), AgentEnd.DONE, ""),
    ("session/prompt", ended("max_tokens"), AgentEnd.FAILED, "cut at its limit"),
    ("session/prompt", ended("max_turn_requests"), AgentEnd.FAILED, "its own limit"),
    ("session/prompt", ended("refusal"), AgentEnd.FAILED, "refuses to go on"),
    ("session/prompt", ended("cancelled"), AgentEnd.FAILED, "nobody has"),
    ("session/prompt", ended(7), AgentEnd.FAILED, "nothing that is known"),
    ("session/prompt", NO, AgentEnd.FAILED, "Node 22 is needed (-32603)"),
    ("initialize", {"result": {"protocolVersion": 7}}, AgentEnd.UNSTARTED, "version 7"),
    ("initialize", {"result": []}, AgentEnd.UNSTARTED, "none that is known"),
    ("initialize", NO, AgentEnd.UNSTARTED, "initialize was refused: Node 22 is needed"),
    ("session/new", SIGN_IN, AgentEnd.UNSTARTED, "sign in"),
    ("session/new", {"result": {}}, AgentEnd.UNSTARTED, "no session"),
]


@pytest.mark.parametrize(("asked", "answer", "end", "says"), ROWS)
def test_how_it_ends(asked: str, answer: dict[str, Any], end: AgentEnd, says: str) -> None:
    peer = Peer()
    {"initialize": lambda: peer, "session/new": peer.meet, "session/prompt": peer.begin}[asked]()
    assert not peer.talk.over
    peer.answer(asked, **answer)
    assert peer.talk.over
    found, detail = acp_end(peer.talk.run.model_copy(update={"exit_code": 0}))
    assert (found, says in detail) == (end, True), detail
