"""Out of this machine: directly or through the proxy of its network; and whose certificates are believed."""

from __future__ import annotations

import base64
import errno
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from ops_orchestrate.adapters.door import receive
from ops_orchestrate.config import Settings
from ops_orchestrate.core.relay import Relay, goes_past, read_relay

_TIMEOUT = 15.0
_PATIENCE = 30.0
_HEAD = 16_384

_TOLD = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"),
    *("npm_config_cafile", "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO"),
)
"""Variables by which Python, requests, curl, pip, node, npm, git and cargo find an authority's certificates."""


@dataclass(frozen=True, slots=True, repr=False)
class Outward:
    """How this machine reaches others. It may hold a password, so it shows nothing of itself."""

    relay: Relay | None = None
    past: tuple[str, ...] = ()
    ca_file: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> Outward:
        """As the settings say."""
        url = settings.https_proxy
        return cls(read_relay(url.get_secret_value()) if url else None, settings.no_proxy, settings.ca_file)

    def relay_to(self, host: str, port: int) -> Relay | None:
        """The proxy that leads to a host; None where it is reached directly."""
        return None if self.relay is None or goes_past(host, port, self.past) else self.relay

    def trust(self) -> ssl.SSLContext | bool:
        """Whom a client of ours believes; True: the usual authorities. Raises OSError for a file that holds none."""
        try:
            return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else True
        except ssl.SSLError:
            raise OSError(errno.EINVAL, "holds no certificates that can be read", str(self.ca_file)) from None

    @property
    def env(self) -> dict[str, str]:
        """The variables by which programs in the sandbox believe the same ones."""
        return dict.fromkeys(_TOLD, str(self.ca_file)) if self.ca_file else {}

    @property
    def reads(self) -> tuple[Path, ...]:
        """What they have to be able to read for it."""
        return (self.ca_file, self.ca_file.resolve()) if self.ca_file else ()


DIRECT = Outward()


def connect_through(relay: Relay, host: str, port: int) -> socket.socket:
    """A tunnel to a host through that proxy, which resolves the name. Raises OSError."""
    connection = socket.create_connection((relay.host, relay.port), _TIMEOUT)
    try:
        connection.sendall(_question(relay, f"{host}:{port}"))
        status = _status(connection)
        if status != 200:
            raise OSError(f"the network's proxy answers {status}")
    except BaseException:
        connection.close()
        raise
    return connection


def _question(relay: Relay, target: str) -> bytes:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if relay.user or relay.password:
        pair = base64.b64encode(f"{relay.user}:{relay.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {pair}")
    return "\r\n".join([*lines, "", ""]).encode()


def _status(connection: socket.socket) -> int:
    """The status of its answer, which is read to its end and no further. Raises OSError."""
    deadline, head = time.monotonic() + _PATIENCE, b""
    while not head.endswith(b"\r\n\r\n"):
        byte = receive(connection, deadline, 1)
        if not byte or len(head) > _HEAD:
            raise OSError("the network's proxy gives no answer that is one")
        head += byte
    words = head.split(b" ", 2)
    return int(words[1]) if words[0].startswith(b"HTTP/1.") and len(words) > 1 and words[1][:3].isdigit() else 0
