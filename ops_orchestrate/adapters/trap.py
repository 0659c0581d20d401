"""What a sandbox must hide, planted: a file, a variable, a process and a listener on loopback.

Used by the sandbox's probe. The things are on this machine for as long as the `with` block lasts.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from ops_orchestrate.adapters.canary import INSIDE, WRITE
from ops_orchestrate.adapters.process import Child, spawn


class Trap:
    """The planted things, and what a canary's answer says about them."""

    def __enter__(self) -> Trap:
        self._folder = Path(tempfile.mkdtemp(prefix="ops-trap-"))
        self.inside = self._folder / "inside"
        self.inside.mkdir()
        self._secret = self._folder / "secret"
        self._secret.write_text("planted", encoding="utf-8")
        self._target = self._folder / "target"
        self._variable, self._process = uuid4().hex, uuid4().hex
        self._listener = socket.create_server(("127.0.0.1", 0))
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
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def arguments(self) -> list[str]:
        """The canary's arguments."""
        port = self._listener.getsockname()[1]
        inside = self.inside / "written"
        return [*map(str, (self._secret, self._target, self._variable, self._process, port, inside))]

    def leaks(self, answer: str) -> list[str] | None:
        """What the canary managed to do and should not have; None where it did not even do what it may."""
        try:
            managed = json.loads(answer.strip().splitlines()[-1])
        except (ValueError, IndexError):
            return None
        if INSIDE not in managed or not (self.inside / "written").exists():
            return None
        allowed = {INSIDE} if self._target.exists() else {INSIDE, WRITE}  # else it wrote to a file system of its own
        return [name for name in managed if name not in allowed]
