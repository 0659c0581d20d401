"""Runs: begun once, planned once, ended once. Nothing here decides when; it only lets one caller win."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ops_orchestrate import __version__
from ops_orchestrate.core.attempt import Settlement
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.core.project import GateSetting, Skipped
from ops_orchestrate.core.run import RunRecord, RunRequest
from ops_orchestrate.core.states import RUN_OPEN, RunState, TaskState
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.errors import UnknownRun
from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.plan import PlanWriter
from ops_orchestrate.ledger.records import run_record, skipped_data, skipped_lines, with_gates
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server
from ops_orchestrate.ledger.staging import Staging

#: Claims that are looked at, or tasks that are forgotten, in one call: some milliseconds of the server's time.
FORGET_AT_ONCE = 1_000
#: Requests that a process keeps, over all runs that it has to do with.
_REQUESTS_KEPT = 50
#: What changes of a run, and `created_at`, which says that it is still the same one.
CHANGING = ("created_at", "state", "reason", "stop", "finished_at", "skipped", "unknown")


class Runs:
    """The runs of the ledger."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys
        self._requests: dict[str, tuple[str, RunRequest]] = {}

    def begin(self, run_id: str, request: RunRequest, *, host: str, parts: Sequence[str]) -> bool:
        """Begin a run that waits for these parts of its audit; False if it existed."""
        data = _begun(request) | {"parts": list(parts)}
        limit = "" if request.max_waves is None else str(request.max_waves)
        stored = request.model_dump_json()
        return self._scripts.flag("run_begin", run_id, stored, host, json.dumps(list(parts)), limit, json.dumps(data))

    def get(self, run_id: str) -> RunRecord:
        """The run, with the gates that people have given its repositories since. Raises UnknownRun.

        Every stage of every attempt asks for it, and its request, which never changes, is as large as the tasks that a
        person has asked for: so it is read once.
        """
        if run_id in self._requests:
            values, gates = self._server.pipe(
                lambda pipe: [
                    pipe.hmget(self._keys("run", run_id), CHANGING),
                    pipe.hgetall(self._keys("gates", run_id)),
                ]
            )
            if known := self._known(run_id, values, gates):
                return known
        stored, gates = self._whole(run_id)
        record = run_record(run_id, stored)
        if len(self._requests) >= _REQUESTS_KEPT:
            self._requests.clear()
        self._requests[run_id] = (stored.get("created_at", ""), record.request)
        return with_gates(record, gates)

    def as_told(self, run_id: str, values: Sequence[str | None], gates: Mapping[str, str]) -> RunRecord:
        """The run, of the values of its fields in `CHANGING` that a script has answered. Raises UnknownRun."""
        return self._known(run_id, values, gates) or self.get(run_id)

    def _known(self, run_id: str, values: Sequence[str | None], gates: Mapping[str, str]) -> RunRecord | None:
        """None where its request was not read yet, or was that of an earlier run by the same name."""
        born, request = self._requests.get(run_id, ("", None))
        if request is None or values[0] != born:
            return None
        told = {name: value for name, value in zip(CHANGING, values, strict=True) if value is not None}
        return with_gates(run_record(run_id, told, request), gates)

    def request(self, run_id: str) -> RunRequest:
        """What was asked for: it never changes, so it is read once. Raises UnknownRun."""
        known = self._requests.get(run_id)
        return known[1] if known else self.get(run_id).request

    def list(self) -> list[RunRecord]:
        """All runs, newest first."""
        client, key = self._server.client, self._keys
        names = self._server.ask(lambda: client.zrevrange(key("runs"), 0, -1))
        stored = self._server.pipe(
            lambda pipe: [pipe.hgetall(key(what, name)) for name in names for what in ("run", "gates")]
        )
        whole = zip(names, stored[::2], stored[1::2], strict=True)
        return [with_gates(run_record(name, run), gates) for name, run, gates in whole if run]

    def unfinished(self) -> Sequence[str]:
        """Names of the runs that are auditing or running, newest first; their requests are not read."""
        client, key = self._server.client, self._keys
        names = self._server.ask(lambda: client.zrevrange(key("runs"), 0, -1))
        states = self._server.pipe(lambda pipe: [pipe.hget(key("run", name), "state") for name in names])
        return [name for name, state in zip(names, states, strict=True) if state in RUN_OPEN]

    def put_part(self, run_id: str, part: AuditPart) -> bool:
        """Store a part of the audit; False if it is there already or the audit is over."""
        data = {
            "part": part.part,
            "findings": len(part.findings),
            "unknown": skipped_data(part.unknown),
            "skipped": skipped_data(part.skipped),
        }
        return self._scripts.flag("run_part", run_id, part.part, part.model_dump_json(), json.dumps(data))

    def parts(self, run_id: str) -> dict[str, AuditPart]:
        """The parts that have come in."""
        stored = self._server.ask(lambda: self._server.client.hgetall(self._keys("parts", run_id)))
        return {name: AuditPart.model_validate_json(text) for name, text in sorted(stored.items())}

    def missing_parts(self, run_id: str) -> Sequence[str]:
        """The parts that have not come in, in the order they were asked for. Raises UnknownRun."""
        expected = json.loads(self._stored(run_id)["parts"])
        there = set(self._server.ask(lambda: self._server.client.hkeys(self._keys("parts", run_id))))
        return [part for part in expected if part not in there]

    def store_plan(
        self,
        run_id: str,
        specs: Sequence[TaskSpec],
        *,
        blocked: Mapping[str, Settlement],
        skipped: Sequence[Skipped],
        unknown: Sequence[Skipped],
    ) -> bool:
        """Write the plan and show it in one step; False if the run has one, or another writer was later.

        A large plan is written in many calls, none of which holds the server for long (ledger/staging.py).
        Raises PlanError for a graph that could never end, UnknownRun.
        """
        plan = PlanWriter(run_id, specs, blocked)
        data = plan.data() | {"skipped": skipped_data(list(skipped)), "unknown": skipped_data(list(unknown))}
        left_out = skipped_lines(list(skipped)), skipped_lines(list(unknown))
        return Staging(self._scripts, plan).store(
            [str(len(specs)), *left_out, json.dumps(data), plan.teams(), *plan.states()]
        )

    def fail(self, run_id: str, reason: str) -> bool:
        """The plan could not be made: auditing to failed."""
        return self._scripts.flag(
            "run_finish", run_id, RunState.FAILED.value, reason, RunState.AUDITING.value, "0", 0.0
        )

    def request_stop(self, run_id: str, how: str, by: str = "") -> bool:
        """Ask an open run to stop (`salvage` or `now`); True if that changed anything."""
        if how not in {"salvage", "now"}:
            raise ValueError(f"A run stops by `salvage` or `now`, not by {how!r}.")
        return self._scripts.flag("run_stop", run_id, how, by)

    def resume(self, run_id: str) -> bool:
        """A stopped or halted run goes on, and a stop is taken back. The caller offers its tasks again."""
        return self._scripts.flag("run_resume", run_id)

    def finish(
        self, run_id: str, state: RunState, reason: str, *, held: bool = False, goes_on_at: float | None = None
    ) -> bool:
        """End an open run; False while something is in flight, or (done, halted) while a task waits for a slot.

        `held`: those that wait may not start, for the owner's money; `goes_on_at`: until then.
        """
        return self._scripts.flag("run_finish", run_id, state.value, reason, "", held, goes_on_at or 0.0)

    def goes_on(self, run_id: str) -> bool:
        """A run that halted until a moment goes on if that has come. The caller offers its tasks again."""
        return self._scripts.flag("run_goes_on", run_id)

    def wait(self, run_id: str, reason: str, *, until: float | None, tasks: Sequence[str]) -> bool:
        """Write down why tasks that may start do not; False where that is no news."""
        data = {"reason": reason, "until": until, "tasks": list(tasks)}
        return self._scripts.flag("run_wait", run_id, reason, json.dumps(data))

    def forget(self, run_id: str, *, ended_before: float) -> bool:
        """Forget a run that ended before that moment, and all of it; False while anybody can go on with it.

        In as many calls as it is large; where they end halfway, the next one goes on.
        """
        step = "0"
        while step not in {"", "done"}:
            step = str(self._scripts("run_forget", run_id, ended_before, step, FORGET_AT_ONCE))
        return step == "done"

    def counts(self, run_id: str) -> dict[TaskState, int]:
        """How many tasks are in each state; states without any are left out."""
        stored = self._server.ask(lambda: self._server.client.hgetall(self._keys("counts", run_id)))
        return {TaskState(state): int(count) for state, count in stored.items() if int(count)}

    def merges(self, run_id: str) -> dict[str, int]:
        """How many of its tasks were merged, by repository; repositories without any are left out."""
        stored = self._server.ask(lambda: self._server.client.hgetall(self._keys("merges", run_id)))
        return {repo: int(count) for repo, count in stored.items()}

    def candidates(self, run_id: str) -> int:
        """How many tasks are offered and wait for a slot."""
        return int(self._server.ask(lambda: self._server.client.scard(self._keys("offered", run_id))))

    def note(
        self,
        run_id: str,
        kind: EventKind,
        *,
        task: str | None = None,
        attempt: int | None = None,
        fence: int | None = None,
        host: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Append an event. Raises UnknownRun."""
        where = [_optional(value) for value in (task, attempt, fence, host)]
        self._scripts("run_note", run_id, kind.value, *where, json.dumps(dict(data or {})))

    def take_gate(self, run_id: str, repo: str, gate: GateSetting, *, task: str, told: Mapping[str, Any]) -> bool:
        """From here on the run has this gate for a repository; False where it had that already. Raises UnknownRun.

        `task`: whose answer it came with; `told`: the data of the event.
        """
        return self._scripts.flag("run_gate", run_id, repo, gate.model_dump_json(), task, json.dumps(dict(told)))

    def promotion(self, run_id: str, repo: str) -> dict[str, Any] | None:
        """What is known about the promotion of a repository."""
        text = self._server.ask(lambda: self._server.client.hget(self._keys("promotions", run_id), repo))
        return dict(json.loads(text)) if text else None

    def set_promotion(self, run_id: str, repo: str, value: Mapping[str, Any]) -> None:
        """Keep what is known about the promotion of a repository."""
        name, text = self._keys("promotions", run_id), json.dumps(dict(value))
        self._server.ask(lambda: self._server.client.hset(name, repo, text))

    def promotions(self, run_id: str) -> dict[str, dict[str, Any]]:
        """All promotions of a run, by repository."""
        stored = self._server.ask(lambda: self._server.client.hgetall(self._keys("promotions", run_id)))
        return {repo: json.loads(text) for repo, text in sorted(stored.items())}

    def wake(self, run_id: str, at: float) -> None:
        """Look at the run at that moment, or sooner where somebody wants that."""
        name = self._keys("run_wakes")
        self._server.ask(lambda: self._server.client.zadd(name, {run_id: at}, lt=True))

    def woken(self) -> tuple[str, ...]:
        """Runs whose moment has come; each is told to one caller only."""
        return tuple(self._scripts("runs_woken"))

    def _stored(self, run_id: str) -> dict[str, str]:
        return self._whole(run_id)[0]

    def _whole(self, run_id: str) -> tuple[dict[str, str], dict[str, str]]:
        """What is stored of a run, and the gates that it has been given."""
        names = [self._keys(what, run_id) for what in ("run", "gates")]
        stored, gates = self._server.pipe(lambda pipe: [pipe.hgetall(name) for name in names])
        if not stored:
            raise UnknownRun(f"There is no run {run_id}; `ops-orchestrate status` lists them.")
        return dict(stored), dict(gates)


def _begun(request: RunRequest) -> dict[str, Any]:
    """What the first event says of the request: the flags, and what is left out before anything was looked at."""
    portfolio = request.portfolio
    return {
        "version": __version__,
        "scope": portfolio.scope,
        "origin": portfolio.origin,
        "digest": portfolio.digest,
        "projects": [project.alias for project in portfolio.projects],
        "skipped": skipped_data(list(portfolio.skipped)),
        "warnings": list(portfolio.warnings),
        "mode": request.mode.value,
        "mode_note": request.mode_note,
        "agent": request.agent,
        "requested_by": request.requested_by,
        "max_waves": request.max_waves,
        **{name: getattr(request, name) for name in ("dry_run", "force", "no_main", "fires_only")},
    }


def _optional(value: str | int | None) -> str:
    return "" if value is None else str(value)
