"""A whole installation to be broken: a server with its append-only file, a GitHub, two hosts, beat, and commands.

Everything is real but the agents' brains and GitHub. Leases are seconds long, and whatever dies is started again.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis

from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import RUN_OPEN
from ops_orchestrate.errors import LedgerUnavailable
from ops_orchestrate.ledger import Ledger, connect
from ops_orchestrate.standin.run import Standin
from tests.chaos.estate import ON_DISK, ON_FORGE, OWNER, PLAYBOOK, SPEEDS, make_repositories
from tests.chaos.machine import Clocks, Disk
from tests.chaos.network import Network
from tests.chaos.points import FOLDER, Armed
from tests.chaos.processes import Service, Watchman
from tests.chaos.proxy import Proxy
from tests.chaos.sight import Sight
from tests.conftest import server_binary
from tests.engine.forge_rig import PERIODS as FORGE_PERIODS
from tests.engine.forge_rig import TOKEN
from tests.repos import git

ROOT = Path(__file__).resolve().parents[2]
POOLS = ("planner", "audit", "agent", "ship")

#: Seconds. Short, so that hundreds of faults heal within minutes.
PERIODS = {
    **FORGE_PERIODS,
    "OPS_LEASE": "5",
    "OPS_HEARTBEAT": "1",
    # Clocks jump by much more: leases must hold whatever they say.
    "OPS_CLOCK_SKEW": "1000000",
    "OPS_GRANT_TIMEOUT": "4",
    "OPS_RECONCILE_EVERY": "1",
    "OPS_GRACE": "0.5",
    "OPS_STALL_AFTER": "60",
    "OPS_START_LIMIT": "60",
    "OPS_CI_GRACE": "2",
    "OPS_MAX_ATTEMPTS": "10",
}


def free_port() -> int:
    """A port on loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class World:
    """One installation. `close` ends it and everything in it."""

    def __init__(self, seed: int) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ops"))
        self.rng = random.Random(seed)
        self.began = time.time()
        self.port = free_port()
        self.direct = f"redis://127.0.0.1:{self.port}"
        self.watchman = Watchman(random.Random(seed + 1))
        self.points = Armed(self.home / "points")
        self.clocks = Clocks(self.home)
        self.github = Standin(self.home / "github", clock=lambda: time.time() + self.clocks.shift["server"])
        self.disks = {host: Disk(self.home / host, size) for host, size in (("server", 48), ("two", 48))}
        self.lines = {host: Proxy(self.port) for host in ("one", "two")}
        self.starts: dict[str, str] = {}
        self.commands: list[subprocess.Popen[bytes]] = []
        self.batches = 0
        self.network = Network((self.lines["two"].port, self.github.port))
        self.ledger: Ledger = connect(f"{self.direct}/2")
        self.sight = Sight(self.home)

    def start(self) -> None:
        """Repositories, server, workers; what is begun is ended by `close`, also where this fails."""
        self._write("one/registry.json", {"projects": make_repositories(self.home, self.github)})
        self.starts = {name: git("rev-parse", "dev", cwd=bare) for name, bare in self.bases().items()}
        self._write("playbook.json", PLAYBOOK)
        self._start_services()
        assert self.until(self._is_staffed, 120), "the workers do not join"

    # What there is

    def environment(self, host: str) -> dict[str, str]:
        """What a process of a host is started with: its own way to the server, its own folders."""
        names = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **names,
            **PERIODS,
            "HOME": str(self.home),
            "OPS_DATA_DIR": str(self.home / host),
            "OPS_REDIS_URL": f"redis://127.0.0.1:{self.lines[host].port if host in self.lines else self.port}",
            "OPS_HOST": host,
            "OPS_AGENT": "scripted",
            "OPS_PLAYBOOK": str(self.home / "playbook.json"),
            "OPS_GITHUB_API_URL": self.github.url,
            "GITHUB_TOKEN": TOKEN,
            "PYTHONPATH": str(ROOT),
            FOLDER: str(self.home / "points"),
        }

    def bases(self) -> dict[str, Path]:
        """The bare repository of each project, by its alias."""
        there = {name: self.github.control.repository(f"{OWNER}/{name}").bare.path for name in ON_FORGE}
        return there | {name: self.home / "repos" / f"{name}.git" for name in ON_DISK}

    def broker(self, database: int = 0) -> redis.Redis:
        """A plain client that no proxy stands before."""
        return redis.Redis.from_url(f"{self.direct}/{database}", socket_timeout=5)

    def workers(self) -> list[Service]:
        """Services that run jobs."""
        return [one for name, one in self.watchman.services.items() if name not in ("server", "beat", "relay")]

    # What happens

    def batch(self, tasks: int, *, commands: int = 1) -> None:
        """Have some tasks over all repositories asked for, by so many commands at once, all for the same tasks."""
        self.batches += 1
        names = [f"b{self.batches}-{number}-{self.rng.choice(sorted(SPEEDS))}" for number in range(tasks)]
        aliases = [*ON_FORGE, *ON_DISK]
        wanted = [
            {
                "id": name,
                "project": self.rng.choice(aliases),
                "title": f"Do {name}",
                "blocked_by": self.rng.sample(names[:at], min(at, self.rng.choice((0, 0, 1, 1, 2)))),
            }
            for at, name in enumerate(names)
        ]
        file = self._write(f"tasks-{self.batches}.json", wanted)
        argv = [sys.executable, "-m", "ops_orchestrate", "run", "--subagents", "--force", "--tasks", str(file)]
        self.commands += [self._command(argv) for _ in range(commands)]

    def runs(self) -> list[RunRecord]:
        """Every run; waits for a server that is away."""
        for _ in range(30):
            with suppress(LedgerUnavailable):
                return self.ledger.runs.list()
            time.sleep(0.3)
        raise AssertionError("the server does not come back")

    def open_runs(self) -> int:
        """Runs that are not over and commands that have not ended: each may follow a run, or still begin one."""
        return sum(run.state in RUN_OPEN for run in self.runs()) + sum(one.poll() is None for one in self.commands)

    def until(self, happens: Callable[[], bool], seconds: float) -> bool:
        """Poll; False where it does not happen in time."""
        deadline = time.monotonic() + seconds
        while not happens():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        for line in self.lines.values():
            line.heal()
        self.points.disarm()
        self.let_write()
        self.network.cut(cut=False)
        self.github.control.clear_faults()

    def let_write(self) -> None:
        """The server takes writes again; one that is away or stopped comes back so, or is told once more."""
        for _ in range(20):
            with suppress(redis.RedisError), self.broker() as client:
                client.execute_command("REPLICAOF", "NO", "ONE")
                client.config_set("maxmemory", 0)
                return
            time.sleep(0.3)

    def missing(self) -> dict[str, str]:
        """Faults that this machine cannot have, and why."""
        found = {
            "clocks that jump": self.clocks.why_not,
            "a full disk": self.disks["two"].why_not,
            "a host cut off": self.network.why_not,
        }
        return {name: why for name, why in found.items() if why}

    def close(self) -> None:
        """End everything; the folder is removed too."""
        self.sight.end()
        for command in self.commands:
            command.kill()
            command.wait()
        self.watchman.end()
        for line in self.lines.values():
            line.close()
        self.network.close()
        self.ledger.close()
        self.github.close()
        for disk in self.disks.values():
            disk.close()
        shutil.rmtree(self.home, ignore_errors=True)

    # How it is made

    def _write(self, name: str, value: object) -> Path:
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value), encoding="utf-8")
        file.chmod(0o600)
        return file

    def _start_services(self) -> None:
        binary, folder = server_binary(), self.home / "server"
        assert binary, "there is no valkey-server here"
        argv = [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        argv += ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-min-size", "8mb"]
        self._service("server", argv, "server")
        assert self.until(self._answers, 10), "the server does not answer"
        for pool in POOLS:
            self._service(pool, [sys.executable, "-m", "tests.chaos.worker", pool], "one")
        if not self.network.why_not:
            self._service("relay", self.network.relay(), "two")
        self._service("plain", self.network.inside([sys.executable, "-m", "tests.chaos.worker", "plain"]), "two")
        self._service("beat", [sys.executable, "-m", "tests.chaos.worker", "beat"], "one")
        self.watchman.watch()

    def _command(self, argv: list[str]) -> subprocess.Popen[bytes]:
        with (self.home / "command.log").open("ab") as log:
            return subprocess.Popen(
                argv, env=self.environment("one"), cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def _is_staffed(self) -> bool:
        """Whether both hosts offer what they are there for: the command begins nothing without workers."""
        live = self.ledger.hosts.live()
        return {(host.name, pool) for host in live for pool in host.pools} >= {
            (host, pool) for host in self.lines for pool in POOLS
        }

    def _service(self, name: str, argv: list[str], host: str) -> None:
        log = self.home / f"{name}.log"
        self.watchman.add(Service(name, argv, self.environment(host) | self.clocks.environment(host), self.home, log))

    def _answers(self) -> bool:
        with suppress(redis.RedisError), self.broker() as client:
            return bool(client.ping())
        return False
