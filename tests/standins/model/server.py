"""The server: one path a scenario, one counter a path, ordinary server-sent events."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.standins.loopback import listening
from tests.standins.model.dialects import USAGE, chat, contents, is_aside, responses, tree_in
from tests.standins.model.scenarios import BY_TREE, SCENARIOS, Refuse, Say, Turn, Use

_PATH = re.compile(
    r"/(?P<scenario>[a-z]+)/(?P<who>[^/]+)"
    r"/(?:(?P<messages>v1/messages)|(?P<chat>v1/chat/completions)|(?P<responses>v1/responses)|(?P<contents>v1beta/models/[\w.-]+:\w+))"
)
_DIALECTS = {"chat": chat, "contents": contents, "responses": responses}
_TITLE = Say("A title")
#: The mark of a question, as it stands in what the agent is asked.
_MARK = re.compile(r"mark\W+([0-9a-f]{24})\b")


class Model:
    """Where it is, and what it was asked."""

    def __init__(self) -> None:
        self.address = ""
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        """Of every request: who (the path's second part), headers in lower case, body."""
        self._count: Counter[str] = Counter()
        self._flags: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def url(self, scenario: str, who: str = "x") -> str:
        """The base URL of a scenario; each `who` plays it from its start."""
        assert scenario in SCENARIOS, scenario
        return f"{self.address}/{scenario}/{who}"

    def flag(self, name: str) -> threading.Event:
        """What a turn with `wait` waits for."""
        with self._lock:
            return self._flags.setdefault(name, threading.Event())

    def bodies(self, who: str = "x") -> list[dict[str, Any]]:
        """The requests of one `who`."""
        return [body for name, _, body in self.asked if name == who]

    def turn(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Turn | None:
        """What to answer; None for a path that is nothing of ours."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        if found.lastgroup != "messages" and is_aside(body):
            return _TITLE
        with self._lock:
            counted = path + (tree_in(body) if found["scenario"] in BY_TREE else "")
            number = self._count[counted]
            self._count[counted] += 1
            self.asked.append((found["who"], headers, body))
        turns = SCENARIOS[found["scenario"]]
        return turns[min(number, len(turns) - 1)]


def events(turn: Say | Use, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answer as the API streams it."""
    used = {"input_tokens": USAGE[0], "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body.get("model"), "content": []}
    yield {"type": "message_start", "message": {**message, "stop_reason": None, "usage": used}}
    blocks = _blocks(turn, body)
    for index, (block, delta) in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    reason = "tool_use" if isinstance(turn, Use) else "end_turn"
    yield {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": USAGE[1]}}
    yield {"type": "message_stop"}


def _blocks(turn: Say | Use, body: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    blocks: list[tuple[dict[str, Any], dict[str, Any]]] = []
    if turn.text:
        blocks.append(({"type": "text", "text": ""}, {"type": "text_delta", "text": turn.text}))
    if isinstance(turn, Use):
        asked = _MARK.search(json.dumps(body))
        text = json.dumps(turn.input).replace("{tree}", tree_in(body)).replace("{mark}", asked[1] if asked else "")
        call = f"toolu_{len(body['messages'])}"
        start = {"type": "tool_use", "id": call, "name": turn.tool, "input": {}}
        blocks.append((start, {"type": "input_json_delta", "partial_json": text}))
    return blocks


def lines(path: str, turn: Say | Use, body: dict[str, Any]) -> Iterator[str]:
    """The answer as server-sent events, in the words of the API that the path is of."""
    found = _PATH.fullmatch(path)
    dialect = _DIALECTS.get(found.lastgroup or "") if found else None
    if dialect is None:
        yield from (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events(turn, body))
        return
    for event in dialect(turn, body):
        named = f"event: {event['type']}\n" if dialect is responses else ""
        yield f"{named}data: {json.dumps(event)}\n\n"
    if dialect is chat:
        yield "data: [DONE]\n\n"


@contextmanager
def serving_model() -> Iterator[Model]:
    """The model, answering on a port of its own."""
    model = Model()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            turn = model.turn(self.path.partition("?")[0], headers, body)
            with suppress(OSError):  # who was interrupted is not there any more
                if turn is None:
                    self._json(404, Refuse(404, "not_found_error", self.path))
                elif isinstance(turn, Refuse):
                    self._json(turn.status, turn)
                else:
                    self._stream(turn, body)

        def _json(self, status: int, refuse: Refuse) -> None:
            error = {"type": "error", "error": {"type": refuse.kind, "message": refuse.message}}
            data = json.dumps(error).encode()
            self.send_response(status)
            for name, value in (("content-type", "application/json"), *refuse.headers):
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, turn: Say | Use, body: dict[str, Any]) -> None:
            while isinstance(turn, Say) and turn.wait and not over.is_set():
                if model.flag(turn.wait).wait(0.05):
                    break
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for line in lines(self.path.partition("?")[0], turn, body):
                self.wfile.write(line.encode())
            self.close_connection = True

        def do_GET(self) -> None:
            self._json(404, Refuse(404, "not_found_error", self.path))

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are quiet."""

    with listening(Handler, over) as model.address:
        yield model
