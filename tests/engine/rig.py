"""A whole small installation for tests: a real server, real workers, real repositories, a scripted agent.

Nothing in it is a stand-in but the agent's brain. Periods are fractions of seconds, so that faults heal in seconds.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import redis

from ops_orchestrate.adapters.forked import Forked
from ops_orchestrate.celery import POOLS
from ops_orchestrate.config import Settings
from ops_orchestrate.core.duty import duty_of
from ops_orchestrate.core.event import Event
from ops_orchestrate.core.project import Portfolio, Project
from ops_orchestrate.core.run import RequestedTask, RunRequest
from ops_orchestrate.core.states import RUN_OPEN
from ops_orchestrate.core.task import Mode, TaskRecord
from ops_orchestrate.engine.begin import submit
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.ledger import Ledger, connect
from ops_orchestrate.wiring import make_toolbox
from tests.conftest import own_server
from tests.engine.begun import point_here, settings_of
from tests.engine.forks import fork_worker
from tests.repos import Upstream, make_upstream, repository_value

GATE = "sh gate.sh"

#: Every period in seconds, short enough for tests and long enough for two shared cores.
PERIODS = {
    "OPS_LEASE": "6",
    "OPS_HEARTBEAT": "1",
    "OPS_GRANT_TIMEOUT": "6",
    "OPS_RECONCILE_EVERY": "1",
    "OPS_GRACE": "1",
    "OPS_STALL_AFTER": "60",
    "OPS_START_LIMIT": "60",
}

#: With real agents nothing heals, and they take all there is of the machine: a lease of seconds would run out on them.
UNHURRIED = {"OPS_LEASE": "60", "OPS_HEARTBEAT": "2"}

POOLS_KEYS = [f"ops:{pool}" for pool in POOLS]

Steps = list[dict[str, Any]]


def work(task: str, *, seconds: float = 0.0, path: str = "") -> Steps:
    """The usual course of an attempt: one file, one commit, a report with a hand-over."""
    return [
        *([{"sleep": {"seconds": seconds}}] if seconds else []),
        {"write": {"path": path or f"src/{task}.txt", "text": f"{task}\n"}},
        {"commit": {"message": f"Do {task}"}},
        {"report": {"status": "done", "summary": f"did {task}", "hand_over": f"{task} is there"}},
    ]


@dataclass
class Rig:
    """One installation. `start` starts its workers; everything is ended by `close`."""

    home: Path
    server: str
    env: dict[str, str]
    settings: Settings
    ledger: Ledger
    upstreams: dict[str, Upstream] = field(default_factory=dict)
    workers: dict[str, Forked | subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def build(cls, home: Path, server: str, repos: Sequence[str] = ("app",), *, empty: bool = True, **env: str) -> Rig:
        """These repositories, no worker yet, a server that is emptied (`empty`: which one that is new need not be)."""
        if empty:
            redis.Redis.from_url(server).flushall()
        names = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        env = {
            **names,
            **PERIODS,
            "OPS_DATA_DIR": str(home / "data"),
            "OPS_REDIS_URL": server,
            "OPS_HOST": "rig",
            "OPS_AGENT": "scripted",
            "OPS_PLAYBOOK": str(home / "playbook.json"),
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            **env,
        }
        settings = settings_of(env)
        assert settings.urls is not None
        point_here(settings.urls)
        ledger = connect(settings.urls.ledger)
        ledger.open(quiet=0)
        rig = cls(home, server, env, settings, ledger)
        rig.upstreams = {name: rig.more(name) for name in repos}
        rig.play({"*": [work("any")]})
        return rig

    @property
    def newest(self) -> str:
        """Name of the repository that was made last."""
        return list(self.upstreams)[-1]

    @property
    def upstream(self) -> Upstream:
        """The repository that was made last."""
        return self.upstreams[self.newest]

    def repository(self, name: str) -> None:
        """Another repository instead of those before, for a test that shares the workers with others."""
        self.upstreams = {name: self.more(name)}

    def more(self, name: str) -> Upstream:
        """One repository more, with a gate that passes unless a file `broken` exists."""
        return make_upstream(self.home / "repos", name, {"gate.sh": "test ! -e broken\n", "src/.keep": ""})

    def play(self, playbook: Mapping[str, list[Steps]]) -> None:
        """What the agent does, by task id."""
        (self.home / "playbook.json").write_text(json.dumps(playbook))

    def start(self, *pools: str, apart: bool = False) -> None:
        """Start workers of these pools (all of them by default) and wait until they have joined the board.

        `apart`: each a program of its own, as a process manager starts them.
        """
        for pool in pools or POOLS:
            program = partial(self._spawn, pool, [sys.executable, "-m", "workers", pool], OPS_POOL=pool)
            self.workers[pool] = program() if apart else self._spawn_worker(pool, pool)
        self.until(lambda: set(pools or POOLS) <= self.joined(), 60, "workers to join")

    def start_host(self, host: str, *pools: str, **env: str) -> None:
        """Start workers of these pools on a machine of its own: another name, another data directory."""
        self.start_hosts({host: pools}, **env)

    def start_hosts(self, hosts: Mapping[str, Sequence[str]], **env: str) -> None:
        """Start several machines at once."""
        for host, pools in hosts.items():
            given = {"OPS_HOST": host, "OPS_DATA_DIR": str(self.home / host), **env}
            for pool in pools:
                name = f"{pool}@{host}"
                self.workers[name] = self._spawn_worker(name, pool, **given)
        self.until(lambda: all(set(hosts[one]) <= self.pools_on(one) for one in hosts), 60, f"{[*hosts]} to join")

    def pools_on(self, host: str) -> set[str]:
        """Pools that live workers of one machine announce."""
        return {pool for one in self.ledger.hosts.live() if one.name == host for pool in one.pools}

    def kill_host(self, host: str) -> None:
        """The machine is gone: every process of its workers, at once."""
        for name in [name for name in self.workers if name.endswith(f"@{host}")]:
            self.kill(name)

    def start_plain(self, concurrency: int = 4) -> None:
        """The plain worker of the design card, which serves every queue."""
        argv = [sys.executable, "-m", "celery", "-A", "ops_orchestrate", "worker", f"--concurrency={concurrency}"]
        self.workers["plain"] = self._spawn("plain", argv)
        self.until(lambda: set(POOLS) <= self.joined(), 60, "the worker to join")

    def joined(self) -> set[str]:
        """Pools that live workers announce."""
        return {pool for host in self.ledger.hosts.live() for pool in host.pools}

    def kill(self, pool: str, number: int = signal.SIGKILL) -> None:
        """Signal a worker's whole process group."""
        with suppress(ProcessLookupError):  # it has ended by itself; the others are still to be ended
            os.killpg(self.workers[pool].pid, number)
        if number == signal.SIGKILL:
            self.workers.pop(pool).wait(60)

    def settled_messages(self, unacknowledged: int = 0) -> bool:
        """Whether no message waits, and no more are being worked on: all that was published has been heard."""
        broker = redis.Redis.from_url(self.server)
        try:
            return sum(map(broker.llen, POOLS_KEYS)) == 0 and broker.hlen("ops:unacked") <= unacknowledged
        finally:
            broker.close()

    def unacknowledged(self) -> int:
        """How many messages are being worked on, or were when their worker was killed."""
        broker = redis.Redis.from_url(self.server)
        try:
            return int(broker.hlen("ops:unacked"))
        finally:
            broker.close()

    def submit(self, tasks: Sequence[RequestedTask], **request: Any) -> str:
        """Begin a run over all repositories; its id. `gate`, `promote` and `upstream` are set for each of them."""
        fields = {name: request.pop(name) for name in ("gate", "promote", "upstream") if name in request}
        values: dict[str, Any] = {
            "portfolio": request.get("portfolio") or self.portfolio(*self.upstreams, **fields),
            "mode": Mode.SUBAGENTS,
            "agent": "scripted",
            "force": True,
            "tasks": tuple(tasks),
        }
        run = f"r{time.time_ns() % 10**14}"
        submit(run, RunRequest(**(values | request)), self.tools)
        return run

    def portfolio(self, *names: str, **fields: Any) -> Portfolio:
        """Some of the repositories, with any field of theirs replaced."""
        values = {"gate": GATE, "ci": "none", "promote": False} | fields
        values |= {"upstream": str(values["upstream"])} if "upstream" in values else {}
        repositories = [repository_value(self.upstreams[name], **values) for name in names]
        projects = tuple(Project(alias=one.key, repositories=(one,)) for one in repositories)
        return Portfolio(origin="tests", digest="0" * 64, projects=projects)

    @property
    def tools(self) -> Toolbox:
        """What the command works with: everything that a person does to a run takes it."""
        return make_toolbox(self.settings, self.ledger)

    def finish(self, run: str, seconds: float = 150) -> list[Event]:
        """Wait until the run is over; all of its events."""
        self.until(lambda: self.ledger.runs.get(run).state not in RUN_OPEN, seconds, f"run {run} to end")
        return self.events(run)

    def events(self, run: str) -> list[Event]:
        """All events of the run so far."""
        return self.ledger.events.read(run, 0, 100_000)

    def task(self, run: str, task: str) -> TaskRecord:
        """A task as it stands."""
        return self.ledger.tasks.get(run, task)

    def until(self, happens: Callable[[], bool], seconds: float, what: str) -> None:
        """Poll until something holds; fails with the board and the workers' logs when it does not."""
        deadline = time.monotonic() + seconds
        while not happens():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s for {what}\n{self.story()}")
            time.sleep(0.05)

    def story(self) -> str:
        """What there is to know when a wait was in vain."""
        logs = [f"--- {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.home.glob("*.log"))]
        boards = [
            f"{run.id}: {run.state} {self.ledger.runs.counts(run.id)} {[e.kind for e in self.events(run.id)][-20:]}"
            for run in self.ledger.runs.list()
        ]
        return "\n".join([*boards, *logs])

    def agents(self) -> list[int]:
        """Pids of living processes that belong to an attempt of this rig."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    environment = (entry / "environ").read_bytes()
                except OSError:
                    continue
                if b"OPS_ATTEMPT=" in environment and str(self.home).encode() in environment:
                    found.append(int(entry.name))
        return found

    def close(self) -> None:
        """Kill every worker."""
        for pool in list(self.workers):
            self.kill(pool)

    def _spawn_worker(self, name: str, pool: str, **more: str) -> Forked | subprocess.Popen[bytes]:
        """As the keeper of an installation does: told its name and no others' secrets, or it would start twice."""
        env = {**self.env, "OPS_POOL": pool, **more}
        for secret in duty_of(pool, env).withheld():
            env.pop(secret, None)
        forked = fork_worker(pool, env, self.home / f"{name}.log")
        return forked or self._spawn(name, [sys.executable, "-m", "workers", pool], OPS_POOL=pool, **more)

    def _spawn(self, name: str, argv: list[str], **more: str) -> subprocess.Popen[bytes]:
        env = {**self.env, **more}
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(argv, env=env, cwd=self.home, stdout=log, stderr=log, start_new_session=True)


@contextmanager
def standing(home: Path, repos: Sequence[str] = ("app",), **env: str) -> Iterator[Rig]:
    """An installation with a server of its own, for all tests of a module; nothing is left of it afterwards."""
    with own_server() as url:
        rig = Rig.build(home, url, repos, empty=True, **env)
        try:
            yield rig
        finally:
            rig.close()


def requested(task: str, project: str = "app", *, blocked_by: Sequence[str] = (), **kw: Any) -> RequestedTask:
    """A task of the tasks file."""
    return RequestedTask(id=task, project=project, title=f"Do {task}", blocked_by=tuple(blocked_by), **kw)
