"""What a sandbox must hide, planted: files, a variable, a process, listeners; and what of the kind is here anyway.

Used by the sandbox's probe. The things are on this machine for as long as the `with` block lasts.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from ops_orchestrate.adapters.canary import INSIDE, VSOCK, WRITE
from ops_orchestrate.adapters.process import Child, spawn
from ops_orchestrate.adapters.syscalls import program

_WELL_KNOWN = (
    *("/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock"),
    *("/run/dbus/system_bus_socket", "/run/redis/redis.sock", "/run/redis/redis-server.sock", "/run/systemd/private"),
    *("/run/snapd.socket", "/run/libvirt/libvirt-sock", "/run/mysqld/mysqld.sock", "/tmp/.X11-unix/X0"),  # noqa: S108 - looked for only
)


def service_sockets(more: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Sockets of this host's services that are really there: containers, agents of keys, buses, Redis; and `more`."""
    return tuple(dict.fromkeys(path for path in (*map(Path, _WELL_KNOWN), *_of_the_user(), *more) if _is_socket(path)))


def _of_the_user() -> Iterator[Path]:
    folder = Path(f"/run/user/{os.getuid()}")
    yield from (folder / "bus", folder / "gnupg/S.gpg-agent", folder / "docker.sock", folder / "podman/podman.sock")
    yield Path(os.environ.get("SSH_AUTH_SOCK") or "/")
    yield Path(os.environ.get("DBUS_SESSION_BUS_ADDRESS", "").removeprefix("unix:path=").partition(",")[0] or "/")
    yield Path(os.environ.get("DOCKER_HOST", "").removeprefix("unix://") or "/")


def _is_socket(path: Path) -> bool:
    with suppress(OSError):
        return path.is_socket()
    return False


class Trap:
    """The planted things, and what a canary's answer says about them."""

    def __init__(self, services: Iterable[Path] = ()) -> None:
        """`services`: sockets that are no less to be out of reach than our own."""
        self._services = tuple(services)

    def __enter__(self) -> Trap:
        self._folder = Path(tempfile.mkdtemp(prefix="ops-trap-"))
        self.inside = self._folder / "inside"
        self.inside.mkdir()
        self.borrowed = self.inside / "borrowed"
        self.borrowed.mkdir()
        self._home = _in_home()
        self._secret = self._folder / "secret"
        self._secret.write_text("planted", encoding="utf-8")
        self._target = self._folder / "target"
        self._variable, self._process = uuid4().hex, uuid4().hex
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._abstract = f"ops-trap-{uuid4().hex}"
        self._sockets = [_listens(f"\0{self._abstract}"), _listens(str(self._folder / "socket"))]
        self._bait = self._plant()
        return self

    def _plant(self) -> Child:
        """A process of the host with the planted variable and a planted argument; it ends with its pipe."""
        wait = "import sys; sys.stdin.read()"
        argv = [sys.executable, "-I", "-S", "-c", wait, self._process]
        return spawn(argv, cwd="/", env={"OPS_CANARY": self._variable}, pipe=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bait.terminate(grace=0)
        for listener in (self._listener, *self._sockets):
            listener.close()
        if self._home:
            self._home.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def arguments(self) -> list[str]:
        """The canary's arguments."""
        port = self._listener.getsockname()[1]
        inside = self.inside / "written"
        planted = (self._secret, self._target, self._variable, self._process, port, inside, self._home or "/nothing")
        sockets = (f"@{self._abstract}", self._folder / "socket", *self._services)
        return [*map(str, (*planted, self.borrowed / "written", *sockets))]

    def leaks(self, answer: str) -> list[str] | None:
        """What the canary managed to do and should not have; None where it did not even do what it may."""
        try:
            managed = json.loads(answer.strip().splitlines()[-1])
        except (ValueError, IndexError):
            return None
        if INSIDE not in managed or not (self.inside / "written").exists():
            return None
        allowed = {INSIDE} if self._target.exists() else {INSIDE, WRITE}  # else it wrote to a file system of its own
        allowed |= set() if program() else {VSOCK}  # without a filter for this kind of machine; doctor says so
        return [name for name in managed if name not in allowed]


def _in_home() -> Path | None:
    """A planted file in the user's home; None where there is none to write in."""
    with suppress(OSError, RuntimeError):
        handle, name = tempfile.mkstemp(prefix=".ops-trap-", dir=Path.home())
        with os.fdopen(handle, "w") as file:
            file.write("planted")
        return Path(name)
    return None


def _listens(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(1)
    return listener
