"""A company's network on loopback: a proxy that everything goes through, an authority of its own, hosts behind it."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path

import trustme

USER, PASSWORD = "worker", "c0rrect horse"


class Company:
    """Hosts by their names, reached through its proxy alone, which wants a password."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.ca_file = folder / "company.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self._ports: dict[str, int] = {}
        self.asked: list[str] = []
        """Targets of its proxy, in their order."""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.proxy = f"http://{USER}:c0rrect%20horse@127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def add(self, name: str, server: ThreadingHTTPServer) -> None:
        """That server is `name`, over TLS; it runs already or will."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(name).configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._ports[f"{name}:443"] = server.server_address[1]

    def close(self) -> None:
        """Answer nobody any more.

        Closing alone does not end who waits in `accept`: with the number of a closed socket it goes on, and takes the
        connections of whatever server of this process gets that number next.
        """
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(30)
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                more = near.recv(1)
                if not more:
                    return
                head += more
            first, *lines = head.decode().split("\r\n")
            pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if not any(line.lower() == f"proxy-authorization: basic {pair}".lower() for line in lines):
                near.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            target = first.split()[1]
            self.asked.append(target)
            if target not in self._ports:
                near.sendall(b"HTTP/1.1 503 No Such Host\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self._ports[target])) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\nVia: company\r\n\r\n")
                back = threading.Thread(target=_copy, args=(far, near), daemon=True)
                back.start()
                _copy(near, far)
                back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def company(folder: Path) -> Iterator[Company]:
    """It is there for the length of the block."""
    made = Company(folder)
    try:
        yield made
    finally:
        made.close()
