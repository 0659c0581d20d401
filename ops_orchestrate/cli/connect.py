"""How a verb reaches the ledger: the server of OPS_REDIS_URL, or the embedded stack of the data directory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ops_orchestrate.adapters.stack import Stack, WorkerSpec
from ops_orchestrate.celery import POOLS, point_at
from ops_orchestrate.config import Settings, Urls
from ops_orchestrate.core.duty import duty_of
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError, UnknownRun, UnknownTask
from ops_orchestrate.ledger import Ledger, connect
from ops_orchestrate.wiring import make_toolbox

#: How long a command that needs workers waits for one that only reads, in seconds.
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Connection:
    """The ledger, and the stack that serves it where it is ours."""

    settings: Settings
    ledger: Ledger
    stack: Stack | None

    @property
    def tools(self) -> Toolbox:
        """What the command submits and answers with."""
        return make_toolbox(self.settings, self.ledger)

    def where(self) -> str:
        """Which server this is, for a person; no password."""
        return self.stack.describe() if self.stack else f"your server at {self.ledger.address}"

    def ensure(self) -> None:
        """Start the stack again if it was killed under us."""
        if self.stack is not None:
            self.stack.ensure()

    def missing_pools(self) -> list[str]:
        """Pools that no live worker serves."""
        served = {pool for host in self.ledger.hosts.live() for pool in host.pools}
        return [pool for pool in POOLS if pool not in served]


@contextmanager
def connected(settings: Settings, *, workers: bool, new: bool = False) -> Iterator[Connection]:
    """Connect for the length of the block; `workers` starts them too where the stack is embedded.

    `new`: a run is about to be made, so that there need not be one yet. Raises UnknownRun where there is none,
    LedgerUnavailable, or OpsError where the embedded server can't be started.
    """
    urls = settings.urls
    if urls is not None:
        yield _external(settings, urls)
        return
    if not new and not (settings.state_dir / "server").exists():
        raise UnknownRun(f"There is no run yet in {settings.data_dir}; `ops-orchestrate run` makes the first.")
    with stack_of(settings, workers=worker_specs() if workers else ()) as stack:
        point_at(stack.urls)
        yield Connection(settings, connect(stack.urls.ledger), stack)


def stack_of(settings: Settings, *, workers: Sequence[WorkerSpec], elsewhere: bool = False) -> Stack:
    """The data directory's stack, with these workers; `elsewhere`: on the server that the settings name.

    A stack that another command started only to read from has none; it ends with that command, so this one waits.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        stack = Stack.open(settings, workers=workers, elsewhere=elsewhere)
        if stack.serves(workers):
            return stack
        stack.close(wait=False)
        if time.monotonic() > deadline:
            raise OpsError(f"Another command keeps the stack of {settings.data_dir} with other workers; end it first.")
        time.sleep(0.2)


def _external(settings: Settings, urls: Urls) -> Connection:
    point_at(urls)
    ledger = connect(urls.ledger)
    ledger.open(quiet=settings.lease)
    return Connection(settings, ledger, None)


def worker_specs() -> tuple[WorkerSpec, ...]:
    """One worker process a pool, with that pool's secrets; started by name: this package does not know the workers."""
    return tuple(process_spec(pool) for pool in POOLS)


def process_spec(name: str) -> WorkerSpec:
    """One process of an installation, as `python -m workers` knows it."""
    argv, withheld = (sys.executable, "-m", "workers"), duty_of(name, os.environ).withheld()
    return WorkerSpec(name=name, argv=(*argv, name), env={"OPS_POOL": name}, drop=withheld, nursery=(*argv, "nursery"))


def run_named(ledger: Ledger, name: str) -> str:
    """The run that `name` means: an id, a unique beginning of one, or `last`.

    Raises UnknownRun naming the newest runs.
    """
    runs = [run.id for run in ledger.runs.list()]
    if name in runs:
        return name
    if name == "last" and runs:
        return runs[0]
    matching = [run for run in runs if name and run.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UnknownRun(f"{name!r} is the beginning of several runs: {', '.join(matching[:5])}.")
    if not runs:
        raise UnknownRun("There is no run yet; `ops-orchestrate run` makes the first.")
    known = did_you_mean(name, runs) or f" The newest: {', '.join(runs[:3])}."
    raise UnknownRun(f'There is no run "{one_line(name, 60)}".{known}')


def task_named(ledger: Ledger, run: str, name: str) -> str:
    """The task of `run` that `name` means: an id, or a unique beginning of one.

    Raises UnknownTask with the nearest id, or the command that lists them.
    """
    return _task_of(run, name, [record.spec.id for record in ledger.tasks.all(run)])


def member_named(ledger: Ledger, run: str, name: str) -> str:
    """The task whose agent `name` means: what the board calls it (`api-worker`), or the task as `task_named` reads it.

    Raises UnknownTask with the nearest name.
    """
    records = ledger.tasks.all(run)
    members = {record.spec.member: record.spec.id for record in records if record.spec.member}
    if name in members:
        return members[name]
    return _task_of(run, name, [record.spec.id for record in records], tuple(members))


def open_run(ledger: Ledger) -> str:
    """The newest run that is not over, else the newest of all. Raises UnknownRun."""
    unfinished = ledger.runs.unfinished()
    return unfinished[0] if unfinished else run_named(ledger, "last")


def _task_of(run: str, name: str, tasks: Sequence[str], members: Sequence[str] = ()) -> str:
    """`members`: further names to suggest."""
    if name in tasks:
        return name
    matching = [task for task in tasks if name and task.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UnknownTask(f"{name!r} is the beginning of several tasks: {', '.join(matching[:5])}.")
    known = did_you_mean(name, [*tasks, *members]) or f" `ops-orchestrate report {run}` lists its {len(tasks)} tasks."
    raise UnknownTask(f'Run {run} has no task "{one_line(name, 60)}".{known}')
