"""What breaks a rig on purpose, and what must hold whatever was broken."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import redis

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, Steps, work
from tests.repos import Upstream, git, read

#: Shorter than the rig's own: a test of faults waits for them again and again.
PERIODS = {"OPS_LEASE": "5", "OPS_GRACE": "0.5", "OPS_GRANT_TIMEOUT": "2"}


def unfinished_attempt(task: str) -> Steps:
    """An attempt that is half done when something happens to it: one commit, one file that was not committed."""
    return [
        {"write": {"path": f"src/{task}.txt", "text": "half\n"}},
        {"commit": {"message": f"Half of {task}"}},
        {"write": {"path": f"src/{task}.draft", "text": "draft\n"}},
        {"hang": {}},
    ]


def twice(task: str) -> list[Steps]:
    """A first attempt that never ends by itself, and a second one that does the work."""
    return [unfinished_attempt(task), work(task)]


def environ(pid: int) -> dict[str, str]:
    """The environment that a living process was started with; empty where it is gone."""
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return {}
    return dict(pair.decode(errors="replace").split("=", 1) for pair in pairs if b"=" in pair)


def marked(home: Path) -> dict[int, str]:
    """Living processes of agents below `home`, their supervisors included: pid to run.task.attempt.fence."""
    found = {}
    for entry in Path("/proc").iterdir():
        seen = environ(int(entry.name)) if entry.name.isdigit() else {}
        mark = seen.get("OPS_ATTEMPT", "")
        if mark.count(".") == 3 and str(home) in seen.get("OPS_REPORT", ""):
            found[int(entry.name)] = mark
    return found


def players(home: Path) -> list[int]:
    """The agents themselves: the processes that play a playbook, inside their sandbox."""
    found = []
    for pid in marked(home):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if not words[0].endswith(b"bwrap") and any(word.endswith(b"player.py") for word in words):
            found.append(pid)
    return found


@dataclass
class Sight:
    """What a look at /proc, many times a second, has seen."""

    most: int = 0
    """Attempts at work at one moment."""
    doubled: set[str] = field(default_factory=set)
    """Tasks that two attempts worked on at one moment."""


@contextmanager
def watching(home: Path) -> Iterator[Sight]:
    """Count living agents by what the kernel says, not by what our ledger does."""
    sight, over = Sight(), threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            marks = set(marked(home).values())
            sight.most = max(sight.most, len(marks))
            tasks = Counter(mark.rsplit(".", 2)[0] for mark in marks)
            sight.doubled |= {task for task, count in tasks.items() if count > 1}

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield sight
    finally:
        over.set()
        thread.join(60)


def seen(rig: Rig, run: str, kind: EventKind, task: str = "", seconds: float = 40) -> Event:
    """Wait for the first event of that kind."""
    found: list[Event] = []

    def there() -> bool:
        found[:] = [e for e in rig.events(run) if e.kind is kind and (not task or e.task == task)]
        return bool(found)

    rig.until(there, seconds, f"{kind} of {task or run}")
    return found[0]


def half_done(rig: Rig, task: str, attempt: int = 1) -> None:
    """Wait until an unfinished attempt has written all that it will."""
    trees = rig.settings.state_dir / "trees"
    draft = f"*/{task}-a{attempt}-*/src/{task}.draft"
    rig.until(lambda: any(trees.glob(draft)), 30, f"half of {task}")


def murder(rig: Rig, *pools: str) -> None:
    """SIGKILL workers and start others in their place."""
    for pool in pools:
        rig.kill(pool)
    rig.start(*pools)


def freeze(rig: Rig, pool: str) -> None:
    """SIGSTOP a worker."""
    rig.kill(pool, signal.SIGSTOP)


def thaw(rig: Rig, pool: str) -> None:
    """SIGCONT it."""
    rig.kill(pool, signal.SIGCONT)


def shoot(pids: list[int]) -> None:
    """SIGKILL processes that may be gone already."""
    assert pids
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def broker(rig: Rig) -> redis.Redis:
    """A plain client of the database that Celery's messages are in."""
    return redis.Redis.from_url(f"{rig.server}?db=0")


def mirror(rig: Rig, repo: str = "app") -> Path:
    """The orchestrator's own copy of a repository."""
    return rig.settings.state_dir / "mirrors" / f"{repo}.git"


def merges(rig: Rig, run: str, repo: str = "app") -> Counter[str]:
    """How often each task of the run was merged."""
    return merged(rig.upstreams[repo], run)


def merged(upstream: Upstream, run: str) -> Counter[str]:
    """How often each task of the run was merged, by the trailers on the integration branch."""
    log = git("log", "--format=%B", "dev", cwd=upstream.bare)
    lines = log.splitlines()
    pairs = pairwise(lines)
    return Counter(
        a.removeprefix("Ops-Task: ") for a, b in pairs if a.startswith("Ops-Task: ") and b == f"Ops-Run: {run}"
    )


def sound(rig: Rig, run: str, repo: str = "app") -> list[Event]:
    """What must hold after every fault: the run is done, each task completed and merged once, nothing is left."""
    events = rig.finish(run)
    assert violations(events) == [], violations(events)
    tasks = rig.ledger.tasks.all(run)
    unfinished = {task.spec.id: (task.state, task.reason) for task in tasks if task.state is not TaskState.COMPLETED}
    assert unfinished == {}, unfinished
    ends = Counter(e.task for e in events if e.kind is EventKind.TASK_SETTLED and e.data["state"] == "completed")
    assert ends == {task.spec.id: 1 for task in tasks}, ends
    assert merges(rig, run, repo) == {task.spec.id: 1 for task in tasks}, merges(rig, run, repo)
    assert rig.ledger.board.slots() == []
    assert rig.ledger.board.owners() == []
    rig.until(lambda: marked(rig.home) == {}, 5, "the last agent to be gone")
    return events


def outcomes(events: list[Event], task: str) -> list[str]:
    """How the attempts of a task ended, in order."""
    return [e.data["outcome"] for e in events if e.kind is EventKind.ATTEMPT_ENDED and e.task == task]


def kept(rig: Rig, ref: str, file: str) -> str | None:
    """A file of a salvaged commit."""
    return read(mirror(rig), ref, file)


def salvage_of(rig: Rig, run: str, task: str) -> str:
    """The ref that the first salvage of a task is recorded under."""
    return str(seen(rig, run, EventKind.SALVAGED, task).data["ref"])
