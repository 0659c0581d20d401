"""Tasks: reading them, and the moves that a person or the plan makes. Attempts move them elsewhere."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NoReturn

from ops_orchestrate.core.attempt import AttemptRecord, HandOver, Outcome, Settlement, StageKey
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.core.task import TaskRecord, TaskSpec
from ops_orchestrate.errors import UnknownRun, UnknownTask
from ops_orchestrate.ledger.folded import ask_fields, fields, laid_over
from ops_orchestrate.ledger.keys import Keys, member, split_member
from ops_orchestrate.ledger.plan import split_args
from ops_orchestrate.ledger.records import attempt_record, edges_of, outcome, task_record
from ops_orchestrate.ledger.results import Edge
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server


class Tasks:
    """The tasks of the ledger."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys

    def get(self, run: str, task: str) -> TaskRecord:
        """The task. Raises UnknownRun, UnknownTask."""
        found = self.many(run, [task])
        return found[0] if found else self._refuse(run, task)

    def all(self, run: str) -> list[TaskRecord]:
        """Every task of a run that has a plan, in plan order. Raises UnknownRun."""
        return self.many(run, self._ids(run))

    def many(self, run: str, ids: Iterable[str]) -> list[TaskRecord]:
        """These tasks, in this order; ids that the run does not have are left out."""
        asked = list(ids)
        return records_of(run, self._server.pipe(lambda pipe: ask_records(pipe, self._keys, run, asked)))

    def dependants(self, run: str, task: str) -> list[str]:
        """The tasks that this one blocks."""
        return [name for one in self._fields(run, [task], "dependants") for name in one["dependants"].split()]

    def attempts(self, run: str, task: str) -> list[AttemptRecord]:
        """Every attempt that was started, oldest first. Raises UnknownRun, UnknownTask."""
        newest = self.get(run, task).attempt
        return [attempt_record(one) for one in self._attempts(run, [(task, at) for at in range(1, newest + 1)])]

    def attempts_before(self, key: StageKey) -> list[AttemptRecord]:
        """The attempts that were started before this one, oldest first; of a first one nobody needs to be asked."""
        if key.attempt == 1:
            return []
        tries = [(key.task, number) for number in range(1, key.attempt)]
        return [attempt_record(one) for one in self._attempts(key.run, tries)]

    def hand_overs(self, run: str, task: str) -> list[HandOver]:
        """What its completed blockers produced, in the order of `blocked_by`. Raises UnknownRun, UnknownTask."""
        blockers = self.get(run, task).spec.blocked_by
        return self.handed_over(run, self.many(run, blockers) if blockers else ())

    def handed_over(self, run: str, blockers: Sequence[TaskRecord]) -> list[HandOver]:
        """What those of these tasks produced that have completed."""
        made: list[TaskRecord] = []
        for one in blockers:
            if one.state is TaskState.COMPLETED:  # a composite has made nothing: its parts have
                made += self.many(run, one.spec.parts) if one.spec.parts else [one]
        tries = [(one.spec.id, number) for one in made for number in range(1, one.attempt + 1)]
        newest = {one["task"]: one for one in self._attempts(run, tries)}  # in their order, so the last one stays
        return [_hand_over(one, newest.get(one.spec.id, {})) for one in made]

    def edges(self, run: str, task: str) -> tuple[Edge, ...]:
        """What is left to do for those that wait for a task; nothing where that has not completed.

        What waited for it alone is offered to admission. Of a task that is gone nothing is due any more.
        """
        return all_edges(self._scripts, run, task, (1,))

    def split(self, key: StageKey, whole: TaskSpec, parts: Sequence[TaskSpec], *, why: str, by: str) -> bool:
        """A task whose attempt is over waits for these parts from now on, which join the plan.

        False where the attempt is not the newest one, a part's id is taken, or a blocker has not completed.
        """
        data = {"parts": [part.id for part in parts], "by": by, "text": why}
        where = (key.run, key.task, str(key.attempt), str(key.fence))
        told = (whole.model_dump_json(), " ".join(whole.blocked_by), " ".join(whole.parts), why, json.dumps(data))
        return self._scripts.flag("task_split", *where, *told, *split_args(whole, parts))

    def edges_done(self, run: str, task: str) -> None:
        """Whoever waits for it has been told."""
        name = self._keys("edges")
        self._server.ask(lambda: self._server.client.srem(name, member(run, task)))

    def edges_pending(self) -> list[tuple[str, str]]:
        """Completed tasks of all runs whose edges are to be counted: somebody is about it, or a crash came between."""
        found = self._server.ask(lambda: self._server.client.smembers(self._keys("edges")))
        return [split_member(one) for one in sorted(found)]

    def reopen(
        self,
        run: str,
        task: str,
        *,
        to: TaskState,
        expect: Collection[TaskState],
        by: str,
        answer: str,
        note: str = "",
    ) -> TaskRecord | None:
        """A person moves the task on; None where it is in no expected state or may not move so.

        To verifying or shipping, the newest attempt goes on from that stage: publish its tail with the
        sequence number of the record. `note` goes into the next brief. Raises UnknownRun, UnknownTask.
        """
        states = [state.value for state in expect]
        done = self._scripts.flag("task_reopen", run, task, to.value, by, answer, note, *states)
        return self.get(run, task) if done else None

    def notes(self, run: str, task: str) -> list[str]:
        """What people said when they moved it on, oldest first."""
        name = self._keys("notes", run, task)
        return list(self._server.ask(lambda: self._server.client.lrange(name, 0, -1)))

    def approve(self, run: str, task: str, head: str, by: str) -> None:
        """A person approves this commit, and no other. Raises UnknownRun, UnknownTask."""
        self.get(run, task)
        name = self._keys("task", run, task)
        given = {"approved": head, "approved_by": by}
        self._server.ask(lambda: self._server.client.hset(name, mapping=given))

    def approved(self, run: str, task: str) -> str:
        """The commit that a person approved, or nothing."""
        name = self._keys("task", run, task)
        return self._server.ask(lambda: self._server.client.hget(name, "approved")) or ""

    def cancel(self, run: str, task: str, *, by: str, reason: str) -> str:
        """Withdraw a task.

        `cancelled`: it is. `asked`: it is in flight, claims and heartbeats report it. `ended`: it had ended.
        Raises UnknownRun, UnknownTask.
        """
        return str(self._scripts("task_cancel", run, task, by, reason))

    def settle_planned(self, run: str, task: str, settlement: Settlement) -> bool:
        """A queued task turns out to be done or to need a person, without an attempt; False if it moved on."""
        return self._scripts.flag(
            "task_settle_planned", run, task, settlement.state.value, settlement.reason, settlement.ask
        )

    def _fields(self, run: str, ids: Sequence[str], *names: str) -> list[dict[str, str]]:
        """These fields of tasks of a run that has a plan, empty where they are not set; nothing where it has none."""

        def fill(pipe: Any) -> None:
            self._ask_planned(pipe, run)
            for task in ids:
                ask_fields(pipe, self._keys, run, task, names)

        planned, *told = self._server.pipe(fill)
        return [fields(names, *both) for both in zip(told[::2], told[1::2], strict=True)] if planned == "1" else []

    def _ask_planned(self, pipe: Any, run: str) -> object:
        """A plan that is being written is nobody's business yet: what is asked of a task is asked with this."""
        return pipe.hget(self._keys("run", run), "planned")

    def _ids(self, run: str) -> Sequence[str]:
        client, key = self._server.client, self._keys
        planned, exists = self._server.pipe(lambda pipe: [self._ask_planned(pipe, run), pipe.exists(key("run", run))])
        if not exists:
            raise UnknownRun(f"There is no run {run}; `ops-orchestrate status` lists them.")
        if planned != "1":
            return []
        return list(self._server.ask(lambda: client.lrange(key("tasks", run), 0, -1)))

    def _refuse(self, run: str, task: str) -> NoReturn:
        self._ids(run)  # raises UnknownRun
        raise UnknownTask(f"Run {run} has no task {task}; `ops-orchestrate plan` lists them.")

    def _attempts(self, run: str, tries: Sequence[tuple[str, int]]) -> list[dict[str, str]]:
        """The attempts with these numbers, each with its task; a grant that nobody claimed left none."""
        if not tries:
            return []
        names = [self._keys("attempt", run, task, number) for task, number in tries]
        stored = self._server.pipe(lambda pipe: [pipe.hgetall(name) for name in names])
        return [{"task": task, **one} for (task, _), one in zip(tries, stored, strict=True) if "number" in one]


def all_edges(scripts: Scripts, run: str, task: str, page: Sequence[str | int]) -> tuple[Edge, ...]:
    """What is left to do for all that wait for a completed task, of what its first call said: a part in each call."""
    at, *flat = page
    found = edges_of(flat)
    while int(at):
        at, *flat = scripts("task_edges", run, task, int(at), "1" if found else "0")
        found += edges_of(flat)
    return found


def ask_records(pipe: Any, keys: Keys, run: str, ids: Iterable[str]) -> None:
    """Queue what `records_of` reads: a command, and two for each task."""
    pipe.hmget(keys("run", run), "planned", "plan_at")
    for task in ids:
        pipe.hget(keys("plan", run), task)
        pipe.hgetall(keys("task", run, task))


def records_of(run: str, answers: Sequence[Any]) -> list[TaskRecord]:
    """The tasks that were asked for, in their order; those that the run does not have are left out."""
    (planned, at), *told = answers
    if planned != "1":
        return []
    found = [({"updated_at": at} | laid_over(*both)) for both in zip(told[::2], told[1::2], strict=True)]
    return [task_record(run, one) for one in found if "spec" in one]


def _hand_over(blocker: TaskRecord, newest: dict[str, str]) -> HandOver:
    # The agent's own words about its work are in the first stage's outcome; later ones speak of gates.
    said = outcome(newest.get(f"outcome_{Stage.IMPLEMENT}")) or outcome(newest.get("outcome"))
    return HandOver(
        task=blocker.spec.id,
        title=blocker.spec.title,
        project=blocker.spec.project,
        merge=blocker.merge,
        summary=(said.hand_over or said.summary) if said else blocker.reason,
        files=_files(newest),
    )


def _files(attempt: dict[str, str]) -> tuple[str, ...]:
    """The newest list of files among the outcomes of an attempt."""
    for stage in reversed(Stage):
        known: Outcome | None = outcome(attempt.get(f"outcome_{stage}"))
        if known and known.files:
            return known.files
    return ()
