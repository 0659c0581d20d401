"""A model's API on loopback: real HTTP, answers as a test scripts them, and what came in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-ant-the-real-key-0123456789"


def sse(*events: dict[str, Any]) -> list[bytes]:
    """Events of a stream, each a piece of its own."""
    return [f"event: {one.get('type', '')}\ndata: {json.dumps(one)}\n\n".encode() for one in events]


def said(text: str = "hello", *, given: int = 10, made: int = 5, cached: int = 0) -> list[bytes]:
    """An answer of Anthropic's, as a stream."""
    usage = {"input_tokens": given, "output_tokens": 1, "cache_read_input_tokens": cached}
    return sse(
        {"type": "message_start", "message": {"id": "m", "usage": usage}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": made}},
        {"type": "message_stop"},
    )


class Model:
    """What it will say next, and what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.kind = "text/event-stream"
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = said()
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.go = threading.Event()
        """Set: it says everything at once. Cleared: it waits after the first piece."""
        self.go.set()
        self.waiting = threading.Event()
        self.cut_off = threading.Event()
        """Somebody has gone while it was speaking."""
        self.url = ""
        self.server: ThreadingHTTPServer

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        length = int(call.headers.get("content-length", "0"))
        body = call.rfile.read(length)
        self.asked.append((call.command, call.path, {k.lower(): v for k, v in call.headers.items()}, body))
        call.send_response(self.status)
        for name, value in {"content-type": self.kind, **self.headers}.items():
            call.send_header(name, value)
        call.send_header("transfer-encoding", "chunked")
        call.end_headers()
        try:
            for piece in [*self.pieces, b""]:
                call.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                call.wfile.flush()
                if not self.go.is_set():
                    self.waiting.set()
                    while not self.go.wait(0.05):  # whoever has gone is noticed by writing
                        call.wfile.write(b"7\r\n: ping\n\r\n")
        except OSError:
            self.cut_off.set()


@contextmanager
def model() -> Iterator[Model]:
    """It runs for the length of the block."""
    made = Model()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            made.answer(self)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made.server = server
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.go.set()
            with suppress(OSError):
                server.shutdown()
            thread.join(60)
