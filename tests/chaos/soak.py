"""`make soak`: one nightly after the other on one ledger, days apart by the server's clock, and what grows meanwhile.

A night is the product's own: a planner is asked whether one is due, its run audits, works, merges and ends, retention
forgets what is old. Days pass because the server's clock jumps. Prints the figures of the first, a middle and the last
nights; exit code 1 where one of them grew beyond its bound. OPS_SOAK_NIGHTS chooses how many nights.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import redis

from ops_orchestrate.celery import app, point_at
from ops_orchestrate.config.places import Urls, database_url
from ops_orchestrate.core.states import RUN_OPEN, RunState
from ops_orchestrate.errors import UnknownRun
from ops_orchestrate.ledger import connect
from tests.chaos.growth import Figures, grown, table
from tests.chaos.machine import Clocks
from tests.chaos.points import FOLDER
from tests.chaos.processes import Service, Watchman, children
from tests.conftest import server_binary
from tests.engine.rig import GATE
from tests.repos import git, make_upstream

ROOT = Path(__file__).resolve().parents[2]
NIGHTS = int(os.environ.get("OPS_SOAK_NIGHTS", "60"))
POOLS = ("planner", "audit", "agent", "ship")
PROJECTS = ("app", "lib")
#: Days from one night to the next: what is kept for a hundred days is forgotten within the first third of the soak.
DAYS = 5
PERIODS = {
    "OPS_LEASE": "9",
    "OPS_HEARTBEAT": "1",
    "OPS_CLOCK_SKEW": "1000000000",
    "OPS_GRANT_TIMEOUT": "9",
    "OPS_RECONCILE_EVERY": "1",
    "OPS_GRACE": "1",
}
_PATIENCE = 300.0


class Place:
    """One installation with a server whose clock is ours."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ops"))
        self.clocks = Clocks(self.home)
        self.watchman = Watchman(Random(0))
        self.server = f"unix://{self.home / 's'}"
        self.night = 0
        self.ledger = connect(f"{self.server}?db=2")

    def start(self) -> None:
        """Repositories, server, workers; what is begun is ended by `close`, also where this fails."""
        self._repositories()
        self._services()
        point_at(Urls(*(database_url(self.server, number) for number in range(3))))
        self.until(lambda: {p for host in self.ledger.hosts.live() for p in host.pools} == set(POOLS), "the workers")

    def environment(self) -> dict[str, str]:
        names = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **names,
            **PERIODS,
            "HOME": str(self.home),
            "OPS_DATA_DIR": str(self.home / "data"),
            "OPS_REDIS_URL": self.server,
            "OPS_HOST": "soak",
            "OPS_AGENT": "scripted",
            "OPS_PLAYBOOK": str(self.home / "playbook.json"),
            "OPS_NIGHTLY": "03:00",
            "OPS_NIGHTLY_FLAGS": f"--subagents --force --tasks {self.home / 'tasks.json'}",
            "OPS_KEEP_DAYS": "10",
            "OPS_KEEP_TRANSCRIPTS": "10",
            "PYTHONPATH": str(ROOT),
        }

    def nightly(self) -> Figures:
        """Let it become another night, and have its run; what there is afterwards."""
        self.night += 1
        self._tasks()
        now = datetime.fromtimestamp(self.ledger.now(), UTC)
        begins = (now + timedelta(days=DAYS)).replace(hour=3, minute=1, second=0)
        for clock in ("server", "one"):
            self.clocks.jump(clock, round((begins - now).total_seconds()))
        run = f"night-{begins:%Y-%m-%d}"
        self.until(lambda: self._asked(run), f"{run} to begin")
        self.until(lambda: self.ledger.runs.get(run).state not in RUN_OPEN, f"{run} to end")
        state = self.ledger.runs.get(run).state
        assert state is RunState.DONE, f"{run} is {state}: {self.ledger.runs.counts(run)}"
        # The scripted agent keeps no session between attempts; here is one as another would have kept it.
        self._write(f"data/orchestrate/sessions/{run}/n{self.night}-a/{uuid.uuid4()}.jsonl", {})
        app.send_task("planner.upkeep", queue="planner")
        self.until(lambda: len(self.ledger.runs.list()) <= 10 // DAYS + 1, "old runs to be forgotten")
        self.until(lambda: not list(self.home.glob("data/orchestrate/trees/*/*.json")), "trees to be gone")
        return self.figures()

    def figures(self) -> Figures:
        """What there is now."""
        with redis.Redis.from_url(self.server) as client:
            info: dict[str, Any] = client.info("memory")  # type: ignore[assignment]
            spaces: dict[str, Any] = client.info("keyspace")  # type: ignore[assignment]
        workers = [one.pid for name, one in self.watchman.services.items() if name != "server"]
        family = [*workers, *(child for pid in workers for child in children(pid))]
        every = [*family, self.watchman.services["server"].pid]
        state = self.home / "data" / "orchestrate"
        files = [path for path in state.rglob("*") if path.is_file()]
        plain = [path for path in files if "objects" not in path.parts]
        mirrors = list(state.glob("mirrors/*.git"))
        return Figures(
            keys=sum(space["keys"] for space in spaces.values()),
            server_kb=info["used_memory_dataset"] // 1024,
            workers_mb=sum(_status(pid, "VmRSS") for pid in family) // 1024,
            handles=sum(_handles(pid) for pid in every),
            threads=sum(_status(pid, "Threads") for pid in every),
            files=len(plain),
            disk_kb=sum(_size(path) for path in plain) // 1024,
            objects=len(files) - len(plain),
            refs=sum(len(git("for-each-ref", "refs/ops", cwd=mirror).splitlines()) for mirror in mirrors),
        )

    def until(self, happens: Callable[[], bool], what: str) -> None:
        """Poll until it holds. AssertionError, with the ends of the logs, where it does not."""
        deadline = time.monotonic() + _PATIENCE
        while not happens():
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {log.name}\n{log.read_text()[-1500:]}" for log in self.home.glob("*.log"))
                raise AssertionError(f"waited {_PATIENCE:.0f} s for {what}\n{logs}")
            time.sleep(0.1)

    def close(self) -> None:
        """End everything."""
        self.watchman.end()
        self.ledger.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _asked(self, run: str) -> bool:
        with suppress(UnknownRun):
            return bool(self.ledger.runs.get(run))
        app.send_task("planner.nightly", queue="planner")
        time.sleep(1)
        return False

    def _tasks(self) -> None:
        first, second = (f"n{self.night}-{letter}" for letter in "ab")
        wanted = [
            {"id": first, "project": PROJECTS[0], "title": f"Do {first}"},
            {"id": second, "project": PROJECTS[1], "title": f"Do {second}", "blocked_by": [first]},
        ]
        self._write("tasks.json", wanted)

    def _repositories(self) -> None:
        made = [make_upstream(self.home / "repos", n, {"gate.sh": "true\n", "src/.keep": ""}) for n in PROJECTS]
        ops = {"gate": GATE, "ci": "none", "promote": True}
        self._write("data/registry.json", {
            "projects": [{"alias": one.name, "paths": [str(one.checkout)], "ops": ops} for one in made]
        })  # fmt: skip
        steps = [
            {"run": {"argv": ["/bin/sh", "-c", 'echo "$OPS_ATTEMPT" > src/now.txt']}},
            {"commit": {"message": "Work"}},
            {"report": {"status": "done", "summary": "did it", "hand_over": "it is there"}},
        ]
        self._write("playbook.json", {"*": [steps]})

    def _write(self, name: str, value: object) -> None:
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value), encoding="utf-8")
        file.chmod(0o600)

    def _services(self) -> None:
        binary = server_binary()
        assert binary, "there is no valkey-server here"
        folder = self.home / "server"
        folder.mkdir()
        argv = [binary, "--port", "0", "--unixsocket", str(self.home / "s"), "--dir", str(folder), "--save", ""]
        # Everything has the same clock: a machine whose clock is far from the server's takes no jobs.
        environment = self.environment() | self.clocks.environment("one") | {FOLDER: str(self.home / "points")}
        shifted = self.environment() | self.clocks.environment("server")
        self.watchman.add(Service("server", argv, shifted, self.home, self.home / "server.log"))
        self.until((self.home / "s").exists, "the server")
        for pool in POOLS:
            start = [sys.executable, "-m", "tests.chaos.worker", pool]
            self.watchman.add(Service(pool, start, environment, self.home, self.home / f"{pool}.log"))


def _status(pid: int, name: str) -> int:
    """A figure of /proc/PID/status: kB, or a number; 0 where it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0


def _handles(pid: int) -> int:
    with suppress(OSError):
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return 0


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def main() -> int:
    """Exit code 1 where something grew, 0 also where there is no way to let days pass."""
    place = Place()
    began = time.monotonic()
    nights: list[Figures] = []
    try:
        if place.clocks.why_not:
            print(f"skipped: {place.clocks.why_not}")
            return 0
        place.start()
        for number in range(1, NIGHTS + 1):
            nights.append(place.nightly())
            if number % 10 == 0:
                print(f"night {number}, {time.monotonic() - began:.0f} s: {nights[-1]}", flush=True)
        restarts = place.watchman.restarts
    finally:
        place.close()
    print(f"\n{len(nights)} nights in {time.monotonic() - began:.0f} s, {restarts} restarts\n\n{table(nights)}")
    found = grown(nights)
    print("\n".join(found) or "nothing grew beyond its bound")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
