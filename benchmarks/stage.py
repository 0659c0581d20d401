"""The engine without what surrounds it: real workers, server, ledger and messages; no git, sandbox or gate.

An agent is a process that sleeps, or (for a length of 0) none at all. `python -m benchmarks.stage POOL` starts a worker
of it; trees, sandbox and gates have figures of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ops_orchestrate.core.agent import AgentEnd, AgentEvent, AgentJob, AgentProbe, AgentReport, AgentResult, AgentVitals
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.change import (
    Collected,
    Diff,
    FileChange,
    GateEnd,
    GateResult,
    Landing,
    LandingEnd,
    MergeIntent,
    OwnBranch,
    Preview,
    WorkState,
)
from ops_orchestrate.core.project import Repository
from ops_orchestrate.engine.toolbox import Toolbox

#: The folder in which `lengths.json` (seconds by task) lies, and `started` grows: a line "task time" an agent.
FOLDER = "OPS_STAGE"

_BASE, _HEAD, _TREE = "a" * 40, "b" * 40, "c" * 40


@dataclass(slots=True)
class Tree:
    """A tree that nobody fills."""

    path: str
    scratch: str
    branch: str
    base: str
    objects: tuple[str, ...] = ()


class EmptyWorkshop:
    """Answers as git would for a change that merges well, at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def look(self, repo: Repository) -> WorkState:
        return WorkState(path=repo.path)

    def refresh(self, repo: Repository) -> None:
        pass

    def integration(self, repo: Repository) -> str:
        return "dev"

    def main(self, repo: Repository) -> str | None:
        return None

    def head(self, repo: Repository, branch: str) -> str | None:
        return _BASE

    def prepare(self, repo: Repository, key: StageKey, base: str) -> Tree:
        return Tree(str(self._folder), str(self._folder), f"ops/{key.task}", base)

    def hold_tree(self, repo: Repository, key: StageKey) -> AbstractContextManager[bool]:
        return nullcontext(True)

    def collect(self, repo: Repository, key: StageKey, *, base: str, paths: tuple[str, ...]) -> Collected:
        return Collected(head=_HEAD, committed=1)

    def salvage(self, repo: Repository, key: StageKey, *, base: str = "") -> str | None:
        return None

    def discard_tree(self, repo: Repository, key: StageKey) -> None:
        pass

    def diff(self, repo: Repository, base: str, head: str) -> Diff:
        change = FileChange(path="src/a.txt", status="A", old_mode="000000", new_mode="100644", added=("a",))
        return Diff(base=base, head=head, merge_base=base, files=(change,))

    def patch(self, repo: Repository, base: str, head: str, limit: int) -> str | None:
        return ""

    def preview(self, repo: Repository, base: str, head: str) -> Preview:
        return Preview(base=base, head=head, tree=_TREE, commit=_HEAD)

    def checkout(self, repo: Repository, commit: str) -> AbstractContextManager[Path]:
        return nullcontext(self._folder)

    def commit_tree(self, repo: Repository, *, tree: str, parents: tuple[str, ...], message: str, at: float) -> str:
        return hashlib.sha1(f"{tree}{parents}{message}{at}".encode(), usedforsecurity=False).hexdigest()

    def is_ancestor(self, repo: Repository, older: str, newer: str) -> bool:
        return False

    def tree_of(self, repo: Repository, commit: str) -> str:
        return _TREE

    def parents_of(self, repo: Repository, commit: str) -> tuple[str, ...]:
        return (_BASE,)

    def find_commit(self, repo: Repository, branch: str, *, since: str, trailer: str) -> str | None:
        return None

    def own_branches(self, repo: Repository) -> Sequence[OwnBranch]:
        return ()

    def read_file(self, repo: Repository, commit: str, path: str, limit: int = 1_000_000) -> str | None:
        return None

    def list_files(self, repo: Repository, commit: str, folder: str, limit: int = 5_000) -> Sequence[str]:
        return ()

    def tidy(self, repo: Repository, *, before: float) -> int:
        return 0

    def drop_mirrors(self, known: set[str], *, before: float) -> list[str]:
        return []

    def leftover_trees(self) -> Iterator[tuple[str, StageKey]]:
        return iter(())


class OpenForge:
    """Takes every merge."""

    name = "local"

    def may_ship(self, repo: Repository) -> str | None:
        return None

    def land(self, repo: Repository, intent: MergeIntent) -> Landing:
        return Landing(end=LandingEnd.LANDED)

    def proved(self, repo: Repository, intent: MergeIntent) -> bool:
        return True


class PassingGates:
    """The gate passes."""

    def run(self, repo: Repository, tree: Path, *, network: bool = False, stop: object | None = None) -> GateResult:
        return GateResult(end=GateEnd.PASSED, exit_code=0)


class Sleeper:
    """One agent: a process that sleeps, waited for by the kernel and not by looking again and again."""

    def __init__(self, seconds: float) -> None:
        self._process = subprocess.Popen(["sleep", f"{seconds:.6f}"]) if seconds else None
        self._fd = os.pidfd_open(self._process.pid) if self._process else -1

    def events(self, timeout: float) -> Sequence[AgentEvent]:
        if self._fd >= 0:
            select.select([self._fd], [], [], timeout)
        return ()

    def message(self, text: str) -> bool | None:
        return None

    def release(self) -> None:
        pass

    def beat(self, at: float | None = None) -> None:
        pass

    def stop(self, how: Literal["interrupt", "kill"]) -> None:
        if self._process:
            self._process.kill()

    def vitals(self) -> AgentVitals:
        return AgentVitals()

    def result(self) -> AgentResult | None:
        if self._process and self._process.poll() is None:
            return None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        return AgentResult(end=AgentEnd.DONE, exit_code=0, report=AgentReport(status="done", summary="slept"))


class SleepingAgent:
    """Starts sleepers and writes down when."""

    name = "scripted"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lengths: tuple[float, dict[str, float]] = (-1.0, {})

    def probe(self) -> AgentProbe:
        return AgentProbe(name=self.name, ok=True, detail="sleeps")

    def start(self, job: AgentJob) -> Sleeper:
        sleeper = Sleeper(self._seconds(job.key.task))
        line = f"{job.key.task} {time.time():.6f}\n"
        with (self._folder / "started").open("a") as started:
            started.write(line)
        return sleeper

    def _seconds(self, task: str) -> float:
        file = self._folder / "lengths.json"
        stamp = file.stat().st_mtime_ns
        if stamp != self._lengths[0]:
            self._lengths = (stamp, json.loads(file.read_text()))
        return self._lengths[1].get(task, 0.0)


def staged(tools: Toolbox, folder: Path) -> Toolbox:
    """The toolbox with every port to the world replaced."""
    agent = SleepingAgent(folder)
    return replace(
        tools,
        workshop=EmptyWorkshop(folder),
        gates=PassingGates(),
        forge_of=lambda _repo: OpenForge(),
        pulls_of=lambda _repo: None,
        agent_of=lambda _name: agent,
    )


def main(pool: str) -> None:
    """A worker of this pool, as `python -m workers POOL` starts it, with the toolbox of the stage."""
    from ops_orchestrate import wiring  # late: the environment has to be whole first
    from ops_orchestrate.celery import app
    from ops_orchestrate.config import process_settings
    from workers.pools import POOLS

    ordinary = wiring.toolbox

    @lru_cache(maxsize=1)
    def toolbox() -> Toolbox:
        return staged(ordinary(), Path(os.environ[FOLDER]))

    wiring.toolbox = toolbox
    settings = process_settings()
    app.Worker(**POOLS[pool].options(settings.host, settings.host_agents)).start()


if __name__ == "__main__":
    main(sys.argv[1])
