"""Attempts: who may run a stage, for how long, and how it ended. Every call names the fence, and the newest wins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ops_orchestrate.core.attempt import Outcome, Settlement, StageKey
from ops_orchestrate.core.change import MergeIntent
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.price import in_micros
from ops_orchestrate.core.review import Review
from ops_orchestrate.core.spend import Parked, Reserve
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ledger.closing import NOTHING, Closing, told_at_the_end, told_of
from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.locks import milliseconds
from ops_orchestrate.ledger.money import reserve_text, reserved_amount
from ops_orchestrate.ledger.records import outcome as stored_outcome
from ops_orchestrate.ledger.records import task_record
from ops_orchestrate.ledger.results import Announced, Claim, End, Granted, Renewal, Settled
from ops_orchestrate.ledger.runs import CHANGING, Runs
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server
from ops_orchestrate.ledger.tasks import all_edges

#: With more files than this, an unmerged change is known by its task's declared paths.
FILES_KEPT = 200


class Attempts:
    """The attempts of all tasks."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys, runs: Runs) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys
        self._runs = runs

    def claim(self, key: StageKey, stage: Stage, *, holder: str, host: str, lease: float, agent: str = "") -> Claim:
        """Claim a stage for `lease` seconds; `Granted` where it is the holder's.

        The same holder may ask again and gets the same answer.
        """
        where = (*_where(key), str(key.seq))
        kind, *told = self._scripts("attempt_claim", *where, stage.value, holder, host, lease, agent, *CHANGING)
        if not told:
            return Claim(kind=kind)
        stop, aside, values, gates, task = told
        return Granted(
            kind=kind,
            stop=stop,
            reserved=reserved_amount(aside),
            run=self._runs.as_told(key.run, values, _pairs(gates)),
            task=task_record(key.run, _pairs(task)),
        )

    def renew(self, key: StageKey, stage: Stage, *, holder: str, lease: float) -> Renewal:
        """A heartbeat: the claim holds for another `lease` seconds, unless it is lost."""
        ok, stop = self._scripts("attempt_renew", *_where(key), stage.value, holder, lease)
        return Renewal(ok=int(ok) == 1, stop=stop)

    def describe(
        self, key: StageKey, *, branch: str, brief_digest: str, told: Sequence[Mapping[str, str]] = ()
    ) -> bool:
        """Record branch and brief, as evidence with what it passes on (`told`).

        False if an earlier attempt of the task had this brief, or the key is stale.
        """
        evidence = ({"what": "brief", "branch": branch, "brief": brief_digest}, *told)
        return self._scripts.flag("attempt_describe", *_where(key), branch, brief_digest, *map(json.dumps, evidence))

    def brief_digests(self, run: str, task: str) -> set[str]:
        """Digests of the briefs of all attempts that count."""
        return set(self._server.ask(lambda: self._server.client.hkeys(self._keys("digests", run, task))))

    def end(
        self,
        key: StageKey,
        stage: Stage,
        *,
        holder: str,
        outcome: Outcome,
        goes_on: bool,
        park: Parked | None = None,
        closing: Closing = NOTHING,
    ) -> End:
        """The stage is over, unless the claim was lost.

        Implement gives slot and ownership back, and what was set aside for it becomes what it used. `goes_on`: the
        next stage waits to be claimed; otherwise the attempt is over and settling it is due. `park`: the account
        that has no quota; nothing is admitted for it until then. `closing`: what is written with it.
        """
        files = json.dumps(outcome.files) if 0 < len(outcome.files) <= FILES_KEPT else ""
        answer = self._scripts(
            "attempt_end",
            *_where(key),
            stage.value,
            holder,
            goes_on,
            outcome.model_dump_json(),
            outcome.kind.value,
            outcome.head,
            files,
            outcome.merge,
            told_at_the_end(stage, outcome),
            "" if outcome.tokens is None else str(outcome.tokens),
            "" if outcome.cost_usd is None else str(in_micros(outcome.cost_usd)),
            park.account if park else "",
            park.until if park else 0.0,
            *closing.args(),
        )
        return End(int(answer))

    def outcome(self, key: StageKey) -> Outcome | None:
        """The last outcome recorded for this attempt under this fence."""
        name = self._keys("attempt", key.run, key.task, key.attempt)
        fence, text = self._server.ask(lambda: self._server.client.hmget(name, "fence", "outcome"))
        return stored_outcome(text) if fence == str(key.fence) else None

    def outcome_of(self, run: str, task: str, attempt: int, stage: Stage | None = None) -> Outcome | None:
        """The last outcome of an attempt, or the one of a stage of it."""
        field = f"outcome_{stage.value}" if stage else "outcome"
        name = self._keys("attempt", run, task, attempt)
        return stored_outcome(self._server.ask(lambda: self._server.client.hget(name, field)))

    def verified(self, key: StageKey) -> Outcome:
        """What verify recorded for this attempt. Raises OpsError if it recorded nothing."""
        found = self.outcome_of(key.run, key.task, key.attempt, Stage.VERIFY)
        if found is None:
            raise OpsError(f"Nothing verified attempt {key.attempt} of {key.task}; retry the task.")
        return found

    def stop_asked(self, run: str, task: str) -> str:
        """What a heartbeat would report now (`now`, `cancel`, `salvage` or nothing), without renewing anything."""
        names = self._keys("run", run), self._keys("task", run, task)
        stop, cancel = self._server.pipe(lambda pipe: [pipe.hget(names[0], "stop"), pipe.hget(names[1], "cancel")])
        return stop if stop == "now" else "cancel" if cancel == "1" else stop or ""

    def again(self, key: StageKey, *, holder: str, frm: Stage, to: Stage, head: str = "") -> StageKey | None:
        """The base moved, or the change has another `head`: back to an earlier stage under a new sequence number.

        None if the claim was lost.
        """
        seq = int(self._scripts("attempt_again", *_where(key), holder, frm.value, to.value, head))
        return key.model_copy(update={"seq": seq}) if seq >= 0 else None

    def snooze(self, key: StageKey, stage: Stage, *, holder: str, seconds: float, note: str) -> bool:
        """Give the claim back until the wake-up; False if it was lost. An agent's stage can't: it has a slot."""
        if stage is Stage.IMPLEMENT:
            raise ValueError("An agent's stage holds a slot and cannot be snoozed; end it instead.")
        return self._scripts.flag("attempt_snooze", *_where(key), stage.value, holder, seconds, note)

    def seat(
        self, key: StageKey, *, holder: str, cap: int, pause: float, note: str, reserve: Reserve | None = None
    ) -> int:
        """A slot for the reviewer that holds the stage review, with what it sets aside; its index, which is from 1.

        0: there is none, and the claim is given back until one is free, at most for `pause` seconds. -1: it was lost.
        -2: the reserve does not fit under its caps any more, and the claim is kept.
        """
        args = (holder, str(cap), pause, note, reserve_text(reserve))
        return int(self._scripts("attempt_seat", *_where(key), *args))

    def reviewed(self, key: StageKey, *, holder: str, review: Review, told: Mapping[str, Any]) -> bool:
        """Keep what the reviewer said of the attempt's head, `told` as evidence; False if the claim was lost."""
        text, data = review.model_dump_json(), json.dumps(told)
        return self._scripts.flag("attempt_reviewed", *_where(key), holder, text, data)

    def review(self, key: StageKey) -> Review | None:
        """The newest review of this attempt under this fence. Whether it is of the present head, its reader asks."""
        name = self._keys("attempt", key.run, key.task, key.attempt)
        fence, text = self._server.ask(lambda: self._server.client.hmget(name, "fence", "review"))
        return Review.model_validate_json(text) if text and fence == str(key.fence) else None

    def settle(self, key: StageKey, settlement: Settlement) -> Settled:
        """The attempt that is over leaves its task in a new state; a second call changes nothing.

        What that frees is offered to admission.
        Raises ValueError where the task may not move so, UnknownTask, UnknownRun.
        """
        applied, state, blocked, in_flight, wanted, edges = self._scripts(
            "attempt_settle",
            *_where(key),
            settlement.state.value,
            settlement.reason,
            settlement.ask,
            settlement.not_before,
        )
        return Settled(
            applied=int(applied) == 1,
            state=TaskState(state),
            blocked=int(blocked),
            in_flight=int(in_flight),
            wanted=int(wanted) == 1 or int(edges[0]) > 0,  # what is offered after that call may want one
            edges=all_edges(self._scripts, key.run, key.task, edges),
        )

    def spent(self, run: str, task: str) -> int:
        """Attempts that count against the limit, the present one included."""
        return int(self._task_field(run, task, "spent") or 0)

    def intend(self, key: StageKey, *, holder: str, intent: MergeIntent, lock: str = "", ttl: float = 0.0) -> Announced:
        """Announce a merge before the base is touched.

        `lock`: taken with it for `ttl` seconds; where somebody else has it nothing is announced.
        """
        data = json.dumps(told_of(intent))
        args = (intent.model_dump_json(), data, lock, milliseconds(ttl))
        return Announced(int(self._scripts("attempt_intend", *_where(key), holder, *args)))

    def prove(self, key: StageKey, *, holder: str, intent: MergeIntent) -> bool:
        """The base has the prepared commit: the task's merge is recorded; False if the claim was lost."""
        data = json.dumps(told_of(intent))
        return self._scripts.flag("attempt_prove", *_where(key), holder, intent.model_dump_json(), intent.commit, data)

    def intent(self, run: str, task: str) -> MergeIntent | None:
        """The merge that was announced and neither completed nor taken back."""
        text = self._server.ask(lambda: self._server.client.get(self._keys("intent", run, task)))
        return MergeIntent.model_validate_json(text) if text else None

    def drop_intent(self, key: StageKey) -> None:
        """Take an announced merge back; a stale key changes nothing."""
        self._scripts("attempt_drop_intent", *_where(key))

    def pursuit(self, run: str, task: str) -> Pursuit:
        """What is remembered of the task's change; an empty one where there is none yet."""
        text = self._server.ask(lambda: self._server.client.get(self._keys("pursuit", run, task)))
        return Pursuit.model_validate_json(text) if text else Pursuit()

    def pursue(self, key: StageKey, *, holder: str, pursuit: Pursuit) -> bool:
        """Remember it; False if the claim on land was lost."""
        change = f"#{pursuit.number}" if pursuit.number else ""
        return self._scripts.flag("attempt_pursue", *_where(key), holder, pursuit.model_dump_json(), change)

    def salvaged(self, run: str, task: str, attempt: int, fence: int, ref: str, *, host: str) -> None:
        """The work of an attempt is kept under `ref`. Raises UnknownRun."""
        self._scripts("attempt_salvaged", run, task, str(attempt), str(fence), ref, host)

    def living(self, run: str, task: str, attempt: int, fence: int) -> bool:
        """Whether that attempt still holds its implement claim, under a lease that has not ended."""
        name = self._keys("task", run, task)
        fields = ("state", "attempt", "fence", "stage", "phase", "lease_until")

        def fill(pipe: Any) -> None:
            pipe.hmget(name, *fields)
            pipe.time()

        stored, (seconds, micros) = self._server.pipe(fill)
        expected = [TaskState.RUNNING.value, str(attempt), str(fence), Stage.IMPLEMENT.value, "claimed"]
        lease_until = float(stored[5] or 0)
        return bool(stored[:5] == expected and lease_until > seconds + micros / 1e6)

    def _task_field(self, run: str, task: str, field: str) -> str | None:
        name = self._keys("task", run, task)
        value: str | None = self._server.ask(lambda: self._server.client.hget(name, field))
        return value


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    """A hash as a script answers it."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _where(key: StageKey) -> tuple[str, str, str, str]:
    return key.run, key.task, str(key.attempt), str(key.fence)
