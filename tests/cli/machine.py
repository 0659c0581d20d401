"""A person's machine for tests of the real command: a data directory, repositories, a registry, a scripted agent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.report.check import violations
from tests.adapters.stack_help import keepers, servers, workers
from tests.engine.nemesis import marked, merged
from tests.engine.rig import GATE, Steps
from tests.repos import Upstream, git, make_upstream, read

REPOSITORY = Path(__file__).resolve().parents[2]

#: Every period in seconds.
PERIODS = {
    "OPS_LEASE": "5",
    "OPS_HEARTBEAT": "1",
    "OPS_GRANT_TIMEOUT": "3",
    "OPS_RECONCILE_EVERY": "1",
    "OPS_GRACE": "1.2",
}


@dataclass
class Command:
    """One running command; what it prints goes to files."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def events(self) -> list[Event]:
        """The events that it has printed so far."""
        lines = [line for line in self.out.read_text().splitlines(keepends=True) if line.endswith("}\n")]
        values = [json.loads(line) for line in lines]
        return [Event.model_validate(value) for value in values if "seq" in value]

    def started(self) -> set[str | None]:
        """Tasks of which it has seen an attempt start."""
        return {event.task for event in self.events() if event.kind is EventKind.ATTEMPT_STARTED}

    def wait(self, seconds: float = 90) -> int:
        """Its exit code; fails with what it printed when it does not end."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end within {seconds} s\n{self.story()}") from None

    def story(self) -> str:
        """What it said."""
        kinds = " ".join(f"{event.at:.1f} {event.kind}({event.task or ''})" for event in self.events())
        return f"{self.err.read_text()[-3000:]}\n{kinds}"


@dataclass
class Machine:
    """The machine. Everything that was started is ended by `close`."""

    home: Path
    upstreams: dict[str, Upstream] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)

    @classmethod
    def build(cls, home: Path, repos: Sequence[str] = ("app",)) -> Machine:
        """Repositories with a gate, and a registry that names them."""
        machine = cls(home)
        gate = {"gate.sh": "test ! -e broken\n", "src/.keep": ""}
        machine.upstreams = {name: make_upstream(home / "repos", name, gate) for name in repos}
        projects = [
            {"alias": name, "paths": [str(up.checkout)], "repos": [], "ops": {"gate": GATE, "ci": "none"}}
            for name, up in machine.upstreams.items()
        ]
        machine.data.mkdir()
        registry = {"version": "1.0", "owner": "Ada", "projects": projects}
        (machine.data / "registry.json").write_text(json.dumps(registry))
        (machine.data / "registry.json").chmod(0o600)
        return machine

    @property
    def data(self) -> Path:
        """OPS_DATA_DIR."""
        return self.home / "data"

    @property
    def state(self) -> Path:
        """Where the tool keeps its own."""
        return self.data / "orchestrate"

    def play(self, playbook: Mapping[str, list[Steps]]) -> None:
        """What the agent does, by task id."""
        (self.home / "playbook.json").write_text(json.dumps(playbook))

    def run(self, tasks: Sequence[Mapping[str, Any]], name: str = "tasks") -> Command:
        """`run --force` with these tasks."""
        file = self.home / f"{name}.json"
        file.write_text(json.dumps([{"project": "app", "title": f"Do {task['id']}", **task} for task in tasks]))
        flags = ("--force", "--no-main", "--subagents", "--json", "--registry", str(self.data / "registry.json"))
        return self.command("run", *flags, "--tasks", str(file))

    def command(self, *words: str) -> Command:
        """Start a verb as a process of its own, as a shell would."""
        number = len(self.commands)
        out, err = self.home / f"{number}.out", self.home / f"{number}.err"
        env = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **PERIODS,
            "OPS_DATA_DIR": str(self.data),
            "OPS_HOST": "machine",
            "OPS_AGENT": "scripted",
            "OPS_PLAYBOOK": str(self.home / "playbook.json"),
            "PYTHONPATH": str(REPOSITORY),
        }
        argv = [sys.executable, "-m", "ops_orchestrate", *words]
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                argv, env=env, cwd=self.home, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            )
        self.commands.append(Command(process, out, err))
        return self.commands[-1]

    def half_done(self, task: str, attempt: int = 1) -> None:
        """Wait until an unfinished attempt has written all that it will."""
        draft = f"*/{task}-a{attempt}-*/src/{task}.draft"
        self.until(lambda: any((self.state / "trees").glob(draft)), 60, f"half of {task}")

    def until(self, happens: Callable[[], Any], seconds: float, what: str) -> None:
        """Poll until something holds."""
        deadline = time.monotonic() + seconds
        while not happens():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s for {what}\n{self.story()}")
            time.sleep(0.03)

    def story(self) -> str:
        """What there is to know when something did not happen."""
        logs = [f"--- {path.name}\n{path.read_text()[-2000:]}" for path in sorted((self.state / "logs").glob("*.log"))]
        return "\n".join([*(command.story() for command in self.commands), *logs])

    def left(self) -> dict[str, list[int]]:
        """Living processes of the stack and of agents, by what they are."""
        found = {
            "keepers": keepers(self.state),
            "servers": servers(self.state),
            "workers": workers(self.state),
            "agents": list(marked(self.home)),
        }
        return {what: pids for what, pids in found.items() if pids}

    def salvaged(self, task: str, file: str) -> list[str | None]:
        """A file of each of a task's salvage refs in the mirror."""
        (mirror,) = (self.state / "mirrors").glob("*.git")
        listed = git("for-each-ref", "--format=%(refname)", "refs/ops/salvage/", cwd=mirror).splitlines()
        return [read(mirror, ref, file) for ref in listed if f"/{task}/" in ref]

    def sound(self, command: Command, repo: str = "app") -> list[Event]:
        """What must hold at the end of a run: exit code 0, each task completed and merged once, nothing left.

        Returns all events of the run, also those of earlier commands.
        """
        code = command.wait()
        assert code == 0, command.story()
        self.until(lambda: self.left() == {}, 10, "everything to have ended")
        events = command.events()
        if events[0].kind is not EventKind.RUN_BEGUN:  # it was resumed: a command tells only what it sees itself
            told = self.command("events", events[0].run, "--json")
            assert told.wait() == 0, told.story()
            events = told.events()
        assert violations(events) == [], violations(events)
        ends = Counter(e.task for e in events if e.kind is EventKind.TASK_SETTLED and e.data["state"] == "completed")
        planned = {e.task for e in events if e.kind is EventKind.TASK_PLANNED}
        assert ends == dict.fromkeys(planned, 1), ends
        assert merged(self.upstreams[repo], events[0].run) == dict.fromkeys(planned, 1)
        self.until(lambda: self.left() == {}, 10, "everything to have ended")
        return events

    def close(self) -> None:
        """Kill the commands; their stack ends by itself."""
        for command in self.commands:
            command.process.kill()
            command.process.wait(60)
        self.until(lambda: self.left() == {}, 20, f"the stack to end, left is {self.left()}")
