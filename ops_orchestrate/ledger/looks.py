"""What a step looks at, in one round trip each: every task of every run pays for these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ops_orchestrate.core.attempt import Outcome, StageKey
from ops_orchestrate.core.change import GateResult, MergeIntent
from ops_orchestrate.core.mail import Letter
from ops_orchestrate.core.review import Review
from ops_orchestrate.core.states import Stage
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ledger.board import writers_of
from ops_orchestrate.ledger.facts import GateKey, gate_result
from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.records import outcome
from ops_orchestrate.ledger.server import Server
from ops_orchestrate.ledger.tasks import ask_records, records_of


class Briefed(NamedTuple):
    """What a brief holds beside the plan."""

    letters: list[Letter]
    """The task's mailbox."""
    notes: list[str]
    """What people said when they moved it on, oldest first."""
    writers: list[tuple[str, str]]
    """(run, task) of whoever works in its repository, and of whatever is made there and not merged yet."""
    blockers: list[TaskRecord]
    """What it has waited for."""
    gate: GateResult | None
    """What is known of the gate that was asked after."""


class Judged(NamedTuple):
    """What others have said of an attempt that is verified."""

    review: Review | None
    """The newest one of this attempt under its fence. Whether it is of the present head, its reader asks."""
    approved: str
    """The commit that a person approved, or nothing."""
    outcome: Outcome | None
    """The last one recorded under its fence."""


class Landable(NamedTuple):
    """What the ledger says to a landing."""

    verified: Outcome
    intent: MergeIntent | None
    """The merge that was announced and neither completed nor taken back."""
    approved: str
    """The commit that a person approved, or nothing."""
    stopping: bool
    """The run is being stopped, or the task was withdrawn."""
    now: float
    """The server's clock."""


class Over(NamedTuple):
    """What decides where an attempt that is over leaves its task."""

    outcome: Outcome | None
    """The last one recorded under its fence."""
    spent: int
    """Attempts that count against the limit, this one included."""
    cancelled: bool
    """Whether a person withdrew the task while it was in flight."""
    stopping: bool
    """Whether its run is being stopped."""
    now: float
    """The server's clock."""


class Looks:
    """Reads of several things, as they stand at one moment."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    def brief(
        self, run: str, task: str, repo: str, *, blockers: Sequence[str] = (), gate: GateKey | None = None
    ) -> Briefed:
        """For the brief of a task. `gate`: whose result it may tell."""

        def fill(pipe: Any) -> None:
            pipe.get(self._keys("gate", *(gate or ("", "", ""))))
            pipe.lrange(self._keys("mail", run, task), 0, -1)
            pipe.lrange(self._keys("notes", run, task), 0, -1)
            pipe.hvals(self._keys("owners"))
            pipe.hgetall(self._keys("unmerged"))
            ask_records(pipe, self._keys, run, blockers)

        known, letters, notes, owners, unmerged, *tasks = self._server.pipe(fill)
        read = [Letter.model_validate_json(text) for text in letters]
        writers = writers_of(repo, owners, unmerged)
        return Briefed(read, list(notes), writers, records_of(run, tasks), gate_result(known))

    def verdict(self, key: StageKey) -> Judged:
        """For the verdict about an attempt."""
        task, attempt = self._names(key)

        def fill(pipe: Any) -> None:
            pipe.hmget(attempt, "fence", "review", "outcome")
            pipe.hget(task, "approved")

        (fence, review, ended), approved = self._server.pipe(fill)
        if fence != str(key.fence):
            review = ended = None
        return Judged(Review.model_validate_json(review) if review else None, approved or "", outcome(ended))

    def landing(self, key: StageKey) -> Landable:
        """For the landing of an attempt. Raises OpsError if verify recorded nothing."""
        task, attempt = self._names(key)

        def fill(pipe: Any) -> None:
            pipe.hget(attempt, f"outcome_{Stage.VERIFY}")
            pipe.get(self._keys("intent", key.run, key.task))
            pipe.hmget(task, "approved", "cancel")
            pipe.hget(self._keys("run", key.run), "stop")
            pipe.time()

        ended, intent, (approved, cancel), stop, clock = self._server.pipe(fill)
        verified = outcome(ended)
        if verified is None:
            raise OpsError(f"Nothing verified attempt {key.attempt} of {key.task}; retry the task.")
        known = MergeIntent.model_validate_json(intent) if intent else None
        return Landable(verified, known, approved or "", cancel == "1" or bool(stop), _seconds(clock))

    def over(self, key: StageKey) -> Over:
        """For the settlement of an attempt that is over."""
        task, attempt = self._names(key)

        def fill(pipe: Any) -> None:
            pipe.hmget(attempt, "fence", "outcome")
            pipe.hmget(task, "spent", "cancel")
            pipe.hget(self._keys("run", key.run), "stop")
            pipe.time()

        (fence, ended), (spent, cancel), stop, clock = self._server.pipe(fill)
        known = outcome(ended) if fence == str(key.fence) else None
        return Over(known, int(spent or 0), cancel == "1", bool(stop), _seconds(clock))

    def due(self) -> bool:
        """For the wake-up: whether a snooze has ended, or a run is to be looked at. It writes nothing."""

        def fill(pipe: Any) -> None:
            for name in ("snoozes", "run_wakes"):
                pipe.zrange(self._keys(name), 0, 0, withscores=True)
            pipe.time()

        *first, clock = self._server.pipe(fill)
        return any(float(at) <= _seconds(clock) for found in first for _, at in found)

    def _names(self, key: StageKey) -> tuple[str, str]:
        return self._keys("task", key.run, key.task), self._keys("attempt", key.run, key.task, key.attempt)


def _seconds(clock: tuple[int, int]) -> float:
    seconds, micros = clock
    return seconds + micros / 1e6
