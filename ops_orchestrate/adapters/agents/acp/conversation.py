"""One conversation with an agent: hello, a session, the brief, and whatever it asks meanwhile. Does no I/O.

Messages of the agent's go in; what is to be said, and the events, come out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from acp import schema

from ops_orchestrate.adapters.agents.acp import wire
from ops_orchestrate.adapters.agents.acp.events import Updates, telling
from ops_orchestrate.adapters.agents.acp.turns import Act, Move, Turns, Way
from ops_orchestrate.core.acp_outcome import GIVEN_UP, AcpRun
from ops_orchestrate.core.agent import AgentEvent, AgentEventKind, ToolState
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.permission import ToolAsk, refuse_tool

_DENIALS = 20
_NOISE = 2_000
#: Answers that wait for an agent to read them; one that asks on gets no more.
_UNREAD = 1_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What a conversation is about."""

    brief: str
    tree: str
    sandboxed: bool
    sign_in: str = ""
    """The method to authenticate with; empty: none."""
    joins: bool = False
    """Whether a second prompt joins its turn."""
    waits: bool = False
    """Whether something is still to be told to it: its session stays open until it is released."""


class Conversation:
    """What has been said. `outbox` holds what is to be said, in its order."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._asked: dict[wire.Id, str] = {0: "initialize"}
        self._steers: dict[wire.Id, str] = {}
        self._number = 0
        self._session = ""
        self._turns = Turns(waits=terms.waits)
        self.updates = Updates()
        self.outbox: deque[str] = deque()
        self.farewell = ""
        """What asks it to stop; empty until there is a session."""
        self.version = ""
        """The agent's, as it says."""
        self.tokens: int | None = None
        self.run = AcpRun(asked="initialize")

    @property
    def over(self) -> bool:
        """Whether nothing more is to come of it."""
        return self._turns.over

    def end(self) -> None:
        """Nothing more of it is waited for."""
        self._turns.over = True

    def take(self, message: wire.Message) -> list[AgentEvent]:
        """Take in one message; the events in it."""
        self._put(spoke=True)
        if message.method == "session/update":
            found = wire.read(schema.SessionNotification, message.body)
            return list(self.updates.take(found.update if found else None))
        if message.method:
            return self._requested(message)
        if message.id in self._steers:
            return self._steered(self._steers.pop(message.id), message)
        method = self._asked.pop(message.id, "") if message.id is not None else ""
        if message.code is not None:
            return self._refused(message, method)
        answers: dict[str, Callable[[object], list[AgentEvent]]] = {
            "initialize": self._met,
            "authenticate": self._signed_in,
            "session/new": self._began,
            "session/prompt": self._turn_ended,
        }
        return answers[method](message.body) if method else []

    def noise(self, text: str) -> None:
        """It printed something beside the protocol."""
        self._put(noise=(self.run.noise + text)[-_NOISE:])

    def steer(self, text: str) -> bool:
        """Say something to it, within its turn or after it; False where it is not there yet, or not any more."""
        moves = self._turns.say(text)
        if moves is None:
            return False
        self._do(moves)
        return True

    def release(self) -> None:
        """What it waited for has been told."""
        self._turns.release()

    def given_up(self) -> None:
        """Its model does not answer, and it would go on asking: end its turn."""
        if self.farewell:
            self.outbox.append(self.farewell)
        self._put(stop=GIVEN_UP)
        self.end()

    def _met(self, body: object) -> list[AgentEvent]:
        met = wire.read(schema.InitializeResponse, body)
        if met is None or met.protocol_version != wire.VERSION:
            spoken = met.protocol_version if met else "none that is known"
            self._put(version_problem=f"It speaks version {spoken} of the protocol, and we speak {wire.VERSION}.")
            self.end()
            return []
        self.version = one_line(met.agent_info.version, 60) if met.agent_info else ""
        self._turns.way = self._way(met)
        offered = {method.id for method in met.auth_methods or []}
        if self._terms.sign_in in offered:
            self._ask("authenticate", schema.AuthenticateRequest(method_id=self._terms.sign_in))
        else:
            self._signed_in(None)
        return []

    def _signed_in(self, _body: object) -> list[AgentEvent]:
        self._ask("session/new", schema.NewSessionRequest(cwd=self._terms.tree, mcp_servers=[]))
        return []

    def _began(self, body: object) -> list[AgentEvent]:
        found = wire.read(schema.NewSessionResponse, body)
        if found is None:
            self._put(error=0, said="no session")
            self.end()
            return []
        self._session = found.session_id
        self.farewell = wire.tell("session/cancel", schema.CancelNotification(session_id=self._session))
        self._do(self._turns.begin(self._terms.brief))
        return []

    def _turn_ended(self, body: object) -> list[AgentEvent]:
        ended = wire.read(schema.PromptResponse, body)
        stop = ended.stop_reason if ended else "nothing that is known"
        if ended and ended.usage:
            self.tokens = (self.tokens or 0) + min(ended.usage.total_tokens, 10**10)
        given_up = self.over  # what it says after we have given up is our own doing
        moves = list(self._turns.ended(stop))
        if not given_up and not self._turns.working:
            self._put(stop=stop)
        self._do(moves)
        return [*self.updates.flush(), AgentEvent(kind=AgentEventKind.STOP, text=one_line(stop, 100))]

    def _steered(self, text: str, message: wire.Message) -> list[AgentEvent]:
        outcome = message.body.get("outcome") if isinstance(message.body, dict) else None
        self._do(self._turns.steered(text, joined=outcome == "injected"))
        return []

    def _refused(self, message: wire.Message, method: str) -> list[AgentEvent]:
        if not method or self.over:
            return []
        self._put(asked=method, error=message.code, said=one_line(message.words, 500), stop="")
        self.end()
        return [*self.updates.flush(), AgentEvent(kind=AgentEventKind.STOP, text="error")]

    def _requested(self, message: wire.Message) -> list[AgentEvent]:
        if message.id is None or len(self.outbox) >= _UNREAD:  # a notification; or it asks on without reading answers
            return []
        asked = wire.read(schema.RequestPermissionRequest, message.body)
        if message.method != "session/request_permission" or asked is None:
            self.outbox.append(wire.no_method(message.id, message.method))
            return []
        return self._permission(message.id, asked)

    def _permission(self, number: wire.Id, asked: schema.RequestPermissionRequest) -> list[AgentEvent]:
        call = asked.tool_call
        why = refuse_tool(_what(call), sandboxed=self._terms.sandboxed, tree=self._terms.tree)
        kinds = ("reject_once", "reject_always") if why else ("allow_once", "allow_always")
        option = next((o.option_id for kind in kinds for o in asked.options if o.kind == kind), None)
        self.outbox.append(wire.chosen(number, option))
        if not why:
            return list(self.updates.take_call(call))
        name = one_line(call.kind or "other", 100)
        self._put(denied=(*self.run.denied, f"{name} ({one_line(why, 100)})")[:_DENIALS])
        state, kind = ToolState.DENIED, AgentEventKind.TOOL_CALL
        return [AgentEvent(kind=kind, text=why, tool=name, call=one_line(call.tool_call_id, 100), state=state)]

    def _way(self, met: schema.InitializeResponse) -> Way:
        """How it can be told something within its turn."""
        if self._terms.joins:
            return Way.PROMPT
        offer = (met.field_meta or {}).get("steering")
        offered = isinstance(offer, dict) and offer.get("supported") is True
        return Way.EXTENSION if offered else Way.CANCEL

    def _do(self, moves: Iterable[Move]) -> None:
        for move in moves:
            if move.act is Act.CANCEL:
                self.outbox.append(self.farewell)
                continue
            block = schema.TextContentBlock(type="text", text=move.text)
            if move.act is Act.STEER:
                self._number += 1
                self._steers[self._number] = move.text
                self.outbox.append(wire.steer(self._number, self._session, block))
                continue
            self._put(stop="")
            self._ask("session/prompt", schema.PromptRequest(session_id=self._session, prompt=[block]))

    def _ask(self, method: str, params: schema.BaseModel) -> None:
        self._number += 1
        self._asked[self._number] = method
        self._put(asked=method)
        self.outbox.append(wire.ask(self._number, method, params))

    def _put(self, **changes: object) -> None:
        self.run = self.run.model_copy(update=changes)


def _what(call: schema.ToolCallUpdate) -> ToolAsk:
    """What a call would do, as far as it says."""
    kind = call.kind or "other"
    given = call.raw_input if isinstance(call.raw_input, dict) else {}
    command = given.get("command")
    words = " ".join(map(str, command)) if isinstance(command, list) else command
    line = words if isinstance(words, str) else (call.title or "") if kind == "execute" else ""
    named = [location.path for location in call.locations or []]
    told = telling(given)
    named += [told] if "/" in told and not line else []
    return ToolAsk(kind=kind, command=line[:20_000], paths=tuple(dict.fromkeys(named)))
