"""The conversation without an agent: what it is answered, what it says then, and how that counts as an end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.adapters.agents.acp.conversation import Conversation, Terms
from ops_orchestrate.adapters.agents.acp.turns import GO_ON, Act, Move, Turns, Way
from ops_orchestrate.adapters.agents.acp.wire import hello, read_line
from ops_orchestrate.core.acp_outcome import acp_end
from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.core.steering import MOST_INTERRUPTIONS


class Peer:
    """The other end, in the words of the protocol: hears what is said, and answers when it is told to."""

    def __init__(self, **terms: Any) -> None:
        self.talk = Conversation(Terms(brief="Fix it.", tree="/tree", sandboxed=True, **terms))
        self.heard: list[dict[str, Any]] = [json.loads(hello("1"))]

    def listen(self) -> list[dict[str, Any]]:
        """Every message so far."""
        while self.talk.outbox:
            self.heard.append(json.loads(self.talk.outbox.popleft()))
        return self.heard

    def last(self, method: str) -> dict[str, Any]:
        """The newest message of this kind."""
        return next(one for one in reversed(self.listen()) if one["method"] == method)

    def prompts(self) -> list[str]:
        """What it was asked to do, in its order."""
        return [one["params"]["prompt"][0]["text"] for one in self.listen() if one["method"] == "session/prompt"]

    def answer(self, method: str, number: int = -1, **fields: Any) -> None:
        """Answer a request of this kind: the newest, or the one with this number among them."""
        found = [one for one in self.listen() if one["method"] == method]
        self.say(id=found[number]["id"], **fields)

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

    def end_turn(self, reason: str = "end_turn", number: int = -1) -> Peer:
        self.answer("session/prompt", number, result={"stopReason": reason})
        return self

    def ended(self) -> tuple[AgentEnd, str]:
        return acp_end(self.talk.run.model_copy(update={"exit_code": 0}))


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
    found, detail = peer.ended()
    assert (found, says in detail) == (end, True), detail


STEERS = {"_meta": {"steering": {"supported": True}}}


def test_nothing_is_said_before_there_is_a_session_nor_after_the_end() -> None:
    peer = Peer().meet()
    assert not peer.talk.steer("Too early.")
    peer.begin().end_turn()
    assert not peer.talk.steer("Too late.")
    assert peer.prompts() == ["Fix it."]


def test_who_asks_on_without_reading_what_it_is_answered_gets_no_more_answers() -> None:
    at = Peer().begin()
    at.listen()
    for number in range(3_000):
        at.say(id=f"x{number}", method="fs/read_everything", params={})
    assert len(at.talk.outbox) == 1_000
    at.listen()
    at.say(id="again", method="fs/read_everything", params={})
    assert at.listen()[-1]["id"] == "again"


def test_a_second_prompt_joins_the_turn_of_who_is_known_for_it() -> None:
    peer = Peer(joins=True).begin(**STEERS)
    assert peer.talk.steer("Use «parse2».")
    assert peer.prompts() == ["Fix it.", "Use «parse2»."]
    peer.end_turn(number=0)
    assert (peer.talk.over, peer.talk.run.stop) == (False, ""), "its second turn is not over yet"
    peer.end_turn()
    assert (peer.talk.over, peer.ended()) == (True, (AgentEnd.DONE, ""))


def test_the_extension_is_used_where_it_is_offered() -> None:
    peer = Peer().begin(**STEERS)
    assert peer.talk.steer("Use «parse2».")
    asked = peer.last("_session/steering")["params"]
    assert asked["prompt"] == [{"type": "text", "text": "Use «parse2»."}]
    assert asked["_meta"] == {"steering": {"idleBehavior": "promptRequired"}}, (
        "it begins no turn that we know nothing of"
    )
    peer.answer("_session/steering", result={"outcome": "injected"})
    assert peer.prompts() == ["Fix it."]
    peer.end_turn()
    assert (peer.talk.over, peer.ended()) == (True, (AgentEnd.DONE, ""))


@pytest.mark.parametrize("answer", [{"result": {"outcome": "promptRequired"}}, {"result": []}, NO])
@pytest.mark.parametrize("ends_first", [True, False])
def test_what_comes_too_late_for_its_turn_is_a_prompt_of_its_own(answer: dict[str, Any], ends_first: bool) -> None:
    peer = Peer().begin(**STEERS)
    assert peer.talk.steer("Use «parse2».")
    if ends_first:
        peer.end_turn()
        assert not peer.talk.over, "whether it was heard is not known yet"
    peer.answer("_session/steering", **answer)
    if not ends_first:
        peer.end_turn()
    assert peer.prompts() == ["Fix it.", "Use «parse2»."]
    peer.end_turn()
    assert (peer.talk.over, peer.ended()) == (True, (AgentEnd.DONE, ""))


def test_the_turn_of_every_other_one_is_ended_and_goes_on() -> None:
    """Once for all that is said meanwhile; and not without end: then messages wait for the end of its turn."""
    peer = Peer().begin()
    assert peer.talk.steer("One.")
    assert peer.talk.steer("Two.")
    assert [one["method"] for one in peer.listen()].count("session/cancel") == 1
    peer.end_turn("cancelled")
    assert peer.prompts() == ["Fix it.", f"One.\n\nTwo.\n\n{GO_ON}"]
    assert not peer.talk.over
    for _ in range(MOST_INTERRUPTIONS):
        assert peer.talk.steer("Again.")
        peer.end_turn("cancelled" if peer.last("session/cancel") is peer.listen()[-1] else "end_turn")
    assert [one["method"] for one in peer.listen()].count("session/cancel") == MOST_INTERRUPTIONS
    assert peer.prompts()[-1] == "Again.", "at the end of its turn, which nobody has ended for it"
    peer.end_turn()
    assert (peer.talk.over, peer.ended()) == (True, (AgentEnd.DONE, ""))


def test_it_is_waited_for_until_what_it_waits_for_has_been_told() -> None:
    peer = Peer(waits=True).begin().end_turn()
    assert not peer.talk.over
    assert peer.talk.steer("The schema is merged.")
    assert peer.prompts() == ["Fix it.", "The schema is merged."], "in the same session, and nothing is ended for it"
    peer.talk.release()
    assert not peer.talk.over, "it is at work on it"
    peer.end_turn()
    assert (peer.talk.over, peer.ended()) == (True, (AgentEnd.DONE, ""))


def test_who_is_released_between_its_turns_has_ended() -> None:
    peer = Peer(waits=True).begin().end_turn()
    peer.talk.release()
    assert (peer.talk.over, peer.ended()) == (True, (AgentEnd.DONE, ""))


@pytest.mark.parametrize("stop", ["refusal", "max_tokens", "cancelled"])
def test_who_has_failed_is_not_waited_for(stop: str) -> None:
    peer = Peer(waits=True).begin().end_turn(stop)
    assert (peer.talk.over, peer.ended()[0]) == (True, AgentEnd.FAILED)


@given(
    way=st.sampled_from(Way),
    waits=st.booleans(),
    steps=st.lists(st.sampled_from(["say", "end", "joined", "late", "release"]), max_size=30),
)
def test_everything_that_was_taken_is_told_exactly_once(way: Way, waits: bool, steps: list[str]) -> None:
    """In whatever order messages, ends of turns and answers come."""
    turns, moves, said, joined = Turns(waits=waits), [], [], []
    turns.way = way

    def do(found: Iterable[Move] | None) -> None:
        moves.extend(found or ())

    def count(act: Act) -> int:
        return sum(1 for move in moves if move.act is act)

    ended = answered = 0
    do(turns.begin("Fix it."))
    for step in [*steps, "release", *(["end", "late"] * 80)]:
        if step == "say" and (found := turns.say(f"<{len(said)}>")) is not None:
            said.append(f"<{len(said)}>")
            do(found)
        elif step == "end" and ended < count(Act.PROMPT):
            ended += 1
            do(turns.ended("end_turn"))
        elif step in ("joined", "late") and answered < count(Act.STEER):
            text = [move.text for move in moves if move.act is Act.STEER][answered]
            answered += 1
            joined += [text] if step == "joined" else []
            do(turns.steered(text, joined=step == "joined"))
        elif step == "release":
            turns.release()
    assert turns.over
    told = "".join([*joined, *(move.text for move in moves if move.act is Act.PROMPT)])
    assert [told.count(text) for text in said] == [1] * len(said)
    assert count(Act.CANCEL) <= MOST_INTERRUPTIONS
