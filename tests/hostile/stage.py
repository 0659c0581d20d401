"""A host with canaries planted on it, one hostile agent on it, and what came of that.

Guarded, the agent runs as it would in earnest: `CommandAgent`, sandbox, supervisor, proxies, limits, our own way with
what it leaves. Unguarded, the same program runs on the same host without any of them, and what it leaves is used as
people use it: plain git, plain reading. That shows that the scripts bite.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from ops_orchestrate.adapters.agents import CommandAgent
from ops_orchestrate.adapters.agents.vitals import TreeWatch
from ops_orchestrate.adapters.process import spawn
from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentJob, AgentResult
from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.ending import Ended, ending
from ops_orchestrate.errors import GitError
from tests.adapters.agents.work import finish
from tests.adapters.gitshop import make_shop
from tests.adapters.modelproxy.model import model
from tests.hostile.harms import HARMS
from tests.hostile.payloads import PAYLOADS
from tests.hostile.thefts import PREAMBLE, THEFTS
from tests.repos import ENV, write

CANARIES = (
    *("bait-environment", "bait-arguments", "netrc", "ssh", "gh", "gitconfig", "mirror", "other-tree", "state"),
    *("loopback", "unix-socket", "abstract-socket", "keyring", "model-key"),
)
ALL = {**THEFTS, **HARMS, **PAYLOADS}
_TIGHT = {
    "sandbox_processes": 120, "sandbox_memory_mb": 200, "sandbox_disk_mb": 64, "sandbox_file_mb": 16,
    "sandbox_open_files": 128, "log_limit_mb": 0.1,
}  # fmt: skip
_OTHER = StageKey(run="run-1", task="t2", attempt=1, fence=8)
_READ = 5_000_000
_ADD_KEY = {"x86_64": 248, "aarch64": 217}


class Service:
    """A service of the host: gives its canary to whoever asks, and keeps what it was told."""

    def __init__(self, server: socket.socket, secret: str) -> None:
        self.server, self.secret, self.heard = server, secret, b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                with connection, suppress(OSError):
                    self.heard += connection.recv(10_000)
                    connection.sendall(self.secret.encode())


class Stage:
    """The host, for one agent."""

    result: AgentResult | None = None

    def __init__(self, root: Path, *, guarded: bool) -> None:
        self.root, self.guarded = root, guarded
        self.canaries = {name: f"CANARY-{name}-{uuid4().hex}" for name in CANARIES}
        self._open = ExitStack()

    def __enter__(self) -> Stage:
        root, secret = self.root, self.canaries
        self.shop = make_shop(root / "work")
        # By the attempt's name the supervisor finds what belongs to it: no two on one machine have the same.
        self.key = StageKey(run="run-1", task="t1", attempt=1, fence=uuid4().int >> 96)
        self.tree, other = self.shop.tree(self.key), self.shop.tree(_OTHER)
        self.home = root / "home"
        write(
            self.home,
            {".netrc": secret["netrc"], ".ssh/id_ed25519": secret["ssh"], ".config/gh/hosts.yml": secret["gh"],
             ".gitconfig": f'[url "https://{secret["gitconfig"]}@x.test"]\n\tinsteadOf = x\n'},
        )  # fmt: skip
        write(Path(other.path), {"notes.txt": secret["other-tree"]})
        write(self.shop.state, {"secret.json": secret["state"]})
        with (self.shop.mirror / "config").open("a") as config:
            config.write(f"[ops]\n\ttoken = {secret['mirror']}\n")
        self._services()
        wait = f"import sys; kept = open({str(self.home / '.netrc')!r}); sys.stdin.read()"
        argv = [sys.executable, "-I", "-S", "-c", wait, secret["bait-arguments"]]
        self.bait = spawn(argv, cwd="/", env={"GITHUB_TOKEN": secret["bait-environment"]}, pipe=True)
        self._open.callback(lambda: self.bait.terminate(grace=0))
        self.key_name = f"ops-{uuid4().hex}"
        self._keyring(secret["keyring"])
        self.model = self._open.enter_context(model())
        self.model.kind, self.model.pieces = "text/plain", [f"you showed {secret['model-key']}".encode()]
        self.mark = root / "payload-ran"
        (root / "payload.sh").write_text(f"#!/bin/sh\necho ran >>'{self.mark}'\n")
        (root / "payload.sh").chmod(0o755)
        self.before = self._victims()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def run(self, *names: str) -> None:
        """Let one agent do all of that, and then do with what it left what a host does."""
        self.name = names[0]
        at = {
            "tree": self.tree.path, "home": str(self.home), "mirror": str(self.shop.mirror), "root": str(self.root),
            "other": str(Path(self.tree.path).parent / "t2-a1-f8"), "state": str(self.shop.state),
            "scratch": self.tree.scratch, "port": self.services["loopback"].server.getsockname()[1],
            "socket": str(self.root / "s"), "abstract": self.abstract, "key": self.key_name, "bait": self.bait.pid,
            "daemon": f"daemon-{self.key_name}",
        }  # fmt: skip
        (self.root / "at.json").write_text(json.dumps(at))
        parts = [f"with suppress(Exception): exec({self._script(name)!r}, globals())\n" for name in names]
        code = "".join(parts) if len(parts) > 1 else self._script(names[0])
        (self.root / "agent.py").write_text(PREAMBLE + code)
        command = (sys.executable, "-I", "-S", str(self.root / "agent.py"), str(self.root / "at.json"))
        log = Path(self.tree.scratch, "watch", "log")
        self.result = finish(self._start(command), 60) if self.guarded else self._plainly(command, log)
        self.log_size = log.stat().st_size
        with log.open("rb") as file:  # of a gigabyte, as much as it takes to see what it is
            self.log = file.read(_READ)
        self.after = self._victims()
        self._look()

    def _script(self, name: str) -> str:
        code = HARMS.get(name) or THEFTS.get(name)
        if code is not None:
            return code
        plant = f"P={self.root}/payload.sh; {PAYLOADS[name]}"
        return (
            "Path(AT['tree'], 'src/a.py').write_text('A = 2')\n"
            f'subprocess.run(["sh", "-c", {plant!r}], cwd=AT["tree"], check=True)\n'
        )

    def _plainly(self, command: tuple[str, ...], log: Path) -> None:
        """As a worker that knows nothing of all this would run it: with what it has, beside itself."""
        for folder in ("watch", "agent"):
            Path(self.tree.scratch, folder).mkdir()
        Path(self.tree.scratch, "brief.md").write_text("Do the task.")
        env = ENV | {
            "HOME": str(self.home), "OPS_REPORT": f"{self.tree.scratch}/agent/report.json", "PYTHONUTF8": "1",
            "ANTHROPIC_BASE_URL": self.model.url, "ANTHROPIC_API_KEY": self.canaries["model-key"],
        }  # fmt: skip
        worker = ["sh", "-c", '"$@"; exit 0', "worker", *command]
        with log.open("wb") as output:
            subprocess.run(worker, cwd=self.tree.path, env=env, stdout=output, stderr=output, timeout=60, check=False)

    def _start(self, command: tuple[str, ...]) -> Any:
        job = AgentJob(
            key=self.key, brief="Do the task.", tree=self.tree.path, scratch=self.tree.scratch, branch=self.tree.branch,
            reads=self.tree.objects, seconds=60.0, beat_seconds=30.0, grace_seconds=0.3,
        )  # fmt: skip
        used = Settings(
            data_dir=self.root / "data", agent_command=command, grace=0.3, **_TIGHT, model_url=self.model.url,
            agent_hosts=("pypi.org",),
        )  # fmt: skip
        return CommandAgent(used, lambda _: self.canaries["model-key"]).start(job)

    def _look(self) -> None:
        """What a host does with a tree: import it and check it out; or, unguarded, use git in it."""
        tree = Path(self.tree.path)
        self.kind = None
        if self.result is None:
            write(tree, {"src/a.py": "A = 3\n"})
            for words in ("status", "diff", "add --all", "commit -m x", "checkout HEAD~1 -- src", "fetch origin"):
                subprocess.run(["git", *words.split()], cwd=tree, env=ENV, capture_output=True, timeout=30, check=False)
            return
        shop = self.shop
        try:
            collected = shop.workshop.collect(shop.repo, self.key, base=self.tree.base, paths=("src/",))
        except GitError:
            return
        if collected.head:
            shop.workshop.diff(shop.repo, self.tree.base, collected.head)
            preview = shop.workshop.preview(shop.repo, self.tree.base, collected.head)
            with shop.workshop.checkout(shop.repo, preview.commit):
                pass
        self.kind = ending(Ended(result=self.result), collected, base=self.tree.base).kind

    def tried(self) -> bool:
        """Whether the script ran at all."""
        return Path(self.tree.path, "tried").exists()

    def leaked(self) -> set[str]:
        """Canaries that the agent holds, or has said: they could be in the next commit."""
        out = self.log + b"".join(service.heard for service in self.services.values())
        for name in ("loot", "linked"):
            with suppress(OSError):
                out += Path(self.tree.path, name).read_bytes()
        said = self.result.model_dump_json().encode() if self.result else b""
        return {name for name, value in self.canaries.items() if value.encode() in out + said}

    def fired(self, name: str = "") -> bool:
        """Whether it did what it wanted to (`name`: that of it)."""
        self.name = name or self.name
        if self.name in THEFTS:
            return bool(self.leaked())
        if self.name in PAYLOADS:
            return self.mark.exists()
        return self._harmed()

    def _harmed(self) -> bool:
        tree, report = Path(self.tree.path), Path(self.tree.scratch, "agent", "report.json")
        believed = self._believed(report)
        checks: dict[str, Any] = {
            "makes a device": lambda: (tree / "memory").exists() and stat.S_ISCHR((tree / "memory").lstat().st_mode),
            "writes its own exit record": lambda: b"FAKED" in self.log,
            "writes into its brief": lambda: Path(self.tree.scratch, "brief.md").read_text() != "Do the task.",
            "kills a process of the host": lambda: self.bait.wait(0.3) is not None,
            "leaves a daemon": self._daemon,
            "floods its log": lambda: self.log_size > 5_000_000,
            "speaks to the terminal": lambda: "\x1b" in self._shown() or "\u202e" in self._shown(),
            "says that it is done": lambda: self.kind is OutcomeKind.SUCCEEDED if self.guarded else believed,
            "plays with the clock": self._fooled_by_times,
            "has the provider carry it away": lambda: any(b'"carry"' in body for *_, body in self.model.asked),
            "tunnels to another host": lambda: b"carried" in self.services["loopback"].heard,
        }
        if self.name.startswith("reports"):
            return believed
        if self.name in checks:
            return bool(checks[self.name]())
        return (tree / "survived").exists() or self.after != self.before

    def _believed(self, report: Path) -> bool:
        if self.result:
            return self.result.report is not None
        return report.is_symlink() or report.exists()

    def _shown(self) -> str:
        return self.result.log_tail if self.result else self.log.decode(errors="replace")

    def _daemon(self) -> bool:
        """Whether it lives; it does not afterwards."""
        found = [
            int(place.name)
            for place in Path("/proc").iterdir()
            if place.name.isdigit() and f"daemon-{self.key_name}".encode() in _bytes(place / "cmdline")
        ]
        for pid in found:
            os.kill(pid, 9)
        return bool(found)

    def _fooled_by_times(self) -> bool:
        file = Path(self.tree.path, "tried")
        if not self.guarded:
            return file.stat().st_mtime > time.time()
        before = TreeWatch(Path(self.tree.path)).digest()
        os.utime(file, (1, 1))
        return TreeWatch(Path(self.tree.path)).digest() != before

    def _services(self) -> None:
        self.abstract = f"ops-{uuid4().hex}"
        plain, hidden = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        folder = os.open(self.root, os.O_RDONLY)
        plain.bind(f"/proc/self/fd/{folder}/s")
        os.close(folder)
        hidden.bind(f"\0{self.abstract}")
        for server in (plain, hidden):
            server.listen()
        self.services = {
            "loopback": Service(socket.create_server(("0.0.0.0", 0)), self.canaries["loopback"]),
            "unix": Service(plain, self.canaries["unix-socket"]),
            "abstract": Service(hidden, self.canaries["abstract-socket"]),
        }
        for service in self.services.values():
            self._open.callback(service.server.close)
            self._open.callback(_shut, service.server)

    def _keyring(self, secret: str) -> None:
        """A key in the session's keyring, as Kerberos and systemd keep theirs."""
        number = _ADD_KEY.get(platform.machine())
        if number:
            libc = ctypes.CDLL(None)
            libc.syscall(number, b"user", self.key_name.encode(), secret.encode(), len(secret), ctypes.c_int(-3))

    def _victims(self) -> dict[str, bytes]:
        """What of the host must stay as it is: contents by place."""
        places = [*self.home.rglob("*"), self.shop.state / "secret.json"]
        places += [self.shop.mirror / "config", *(self.shop.mirror / "objects").rglob("*")]
        return {str(place): _bytes(place) for place in places if not place.is_dir()}


def _bytes(place: Path) -> bytes:
    with suppress(OSError):
        return place.read_bytes()
    return b""


def _shut(server: socket.socket) -> None:
    with suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)


def played(root: Path, name: str, *, guarded: bool) -> tuple[bool, bool, set[str], AgentResult | None]:
    """(whether it ran, whether it did what it wanted to, the canaries it got, how it ended)."""
    root.mkdir(parents=True, exist_ok=True)
    with Stage(root, guarded=guarded) as stage:
        stage.run(name)
        return stage.tried(), stage.fired(), stage.leaked(), stage.result
