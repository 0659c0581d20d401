"""A worker without a process: takes each message off the real broker, keeps it, and runs it when it is told to.

Running a message is Celery's own tracer, so that chains go on and chords count exactly as in a worker; what the
planner's jobs do is the engine's own code. Only the three stages of an attempt are played: they claim and end in the
ledger and touch no repository.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from celery import Celery
from celery.app.task import Context
from celery.app.trace import build_tracer
from celery.exceptions import Ignore

from ops_orchestrate.celery import POOLS, SETTINGS
from ops_orchestrate.celery import app as published_by
from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.board import Host
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.core.run import RequestedTask
from ops_orchestrate.core.states import Stage
from ops_orchestrate.engine import admit, audit, begin, finish, reconcile, settle, structure
from ops_orchestrate.engine.step import passed_on
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.wiring import make_toolbox
from tests.engine.rig import Rig

#: What each stage says when all goes well, and whether the chain goes on then.
_WELL = {
    Stage.IMPLEMENT: OutcomeKind.SUCCEEDED,
    Stage.VERIFY: OutcomeKind.VERIFIED,
    Stage.LAND: OutcomeKind.MERGED,
}

#: By task, what its attempts do other than well: the stage that ends the attempt, and how.
Script = Mapping[str, Sequence[tuple[Stage, OutcomeKind] | None]]


@dataclass(frozen=True)
class Message:
    """One message as it lay in its queue."""

    queue: str
    size: int
    """Bytes in Redis, envelope included."""
    headers: dict[str, Any]
    args: list[Any]
    embed: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.headers["id"])

    @property
    def job(self) -> str:
        return str(self.headers["task"])

    @property
    def content(self) -> tuple[Any, ...]:
        """Everything in it that is not of the envelope: the same job published twice is the same in all of this."""
        names = ("id", "task", "group", "group_index", "argsrepr")
        return self.queue, self.args, self.embed, [self.headers.get(name) for name in names]


@dataclass(frozen=True)
class Part:
    """One part of a chord as it was returned to the result backend."""

    request: Context
    state: str
    over: bool
    """Whether the body was out before."""
    size: int
    """The size that the chord had then; 0 where none was set, or it was over."""
    counted: frozenset[str]
    """The parts that the chord had counted when this one was in, `ID:INDEX`; none where its body was out."""


class Hand:
    """All queues of one broker. `mail` is what was published and not run yet, `seen` everything so far.

    `script` says whose attempts end other than well, `details` what an outcome holds beside its kind. `watch` is called
    with every message as it is taken off the broker, before anything else happens. `parts`: what was returned to chords
    other than by Celery itself, in a `with counting(...)`.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.script: Script = {}
        self.details: dict[tuple[str, Stage], dict[str, Any]] = {}
        self.watch: Callable[[Message], None] = lambda message: None
        self.mail: list[Message] = []
        self.seen: list[Message] = []
        self.parts: list[Part] = []
        self.tools: Toolbox = make_toolbox(self.rig.settings, self.rig.ledger)
        urls = self.rig.settings.urls
        assert urls is not None
        self._broker = redis.Redis.from_url(self.rig.server)
        self.app = Celery("hand", broker=urls.broker, backend=urls.results, set_as_current=False)
        self.app.conf.update(SETTINGS)
        self._jobs: dict[str, Callable[..., Any]] = {
            "planner.begin": lambda run: begin.begin(run, self.tools),
            "planner.plan": lambda run: structure.plan(run, self.tools),
            "planner.admit": lambda run, task="": admit.admit(run, task, self.tools),
            "planner.settle": lambda key: settle.settle(StageKey.model_validate(key), self.tools),
            "planner.reconcile": lambda: reconcile.reconcile(self.tools),
            "planner.finish": lambda run: finish.finish(run, self.tools),
            "audit.project": self._project,
            "audit.source": lambda run, part: audit.audit_part(run, part, f"hand:{part}", self.tools),
            "agent.implement": lambda key: self._stage(key, Stage.IMPLEMENT),
            "audit.verify": lambda key: self._stage(key, Stage.VERIFY),
            "ship.land": lambda key: self._stage(key, Stage.LAND),
        }
        for name, run in self._jobs.items():
            self.app.task(name=name, shared=False, lazy=False)(_plain(run))

    def begin(self, tasks: Sequence[RequestedTask], **request: Any) -> str:
        """Empty the server, announce a host with room for all agents, and submit a run."""
        self._broker.flushall()
        self.mail.clear()
        self.seen.clear()
        self.parts.clear()
        ledger = self.rig.ledger
        ledger.open(quiet=0)
        terms = (self.tools.means.terms(),)
        host = Host(name="rig", pools={"agent": 5, "planner": 1}, terms=terms, seen_at=ledger.now())
        ledger.hosts.announce(host, process="hand", ttl=600)
        return self.rig.submit(tasks, **request)

    def collect(self) -> list[Message]:
        """Take every message off the broker."""
        new = list(self._drain())
        self.seen += new
        self.mail += new
        return new

    def play(self, message: Message) -> str:
        """Run one message as a worker would; the state it ended in. What it published is in the mail afterwards."""
        task = self.app.tasks[message.job]
        trace = build_tracer(message.job, task, app=self.app)
        request = {**message.headers, **message.embed, "args": message.args, "kwargs": {}, "is_eager": False}
        request["delivery_info"] = {"exchange": "ops", "routing_key": message.queue}
        state = str(trace(message.id, message.args, {}, request).info or "")
        self.collect()
        return state

    def play_all(self, order: random.Random, *, repeats: float = 0.0) -> None:
        """Run what is in the mail in any order until nothing is left; a share of it twice, at any later time."""
        self.collect()
        again: list[Message] = []
        while self.mail or again:
            pile = self.mail if not again or (self.mail and order.random() < 0.8) else again
            message = pile.pop(order.randrange(len(pile)))
            self.play(message)
            if pile is not again and order.random() < repeats:
                again.append(message)

    def of(self, job: str) -> list[Message]:
        """Everything published so far for one job."""
        return [message for message in self.seen if message.job == job]

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Keep every part that the engine returns to a chord, as it really does and is really counted."""
        backend = published_by.backend
        real = backend.on_chord_part_return

        def returned(request: Context, state: str, result: object) -> None:
            over = backend.client.get(backend.get_key_for_group(request.group, ".c")) == b"done"
            size = self.size_of(request.group)
            real(request, state, result)
            self.parts.append(Part(request, state, over, size, self.counted_for(request.group)))

        backend.on_chord_part_return = returned
        try:
            yield
        finally:
            del backend.on_chord_part_return

    def size_of(self, group: str) -> int:
        """The size that a chord has now; 0 where none is set."""
        backend = published_by.backend
        return int(backend.client.get(backend.get_key_for_group(group, ".s")) or 0)

    def counted_for(self, group: str) -> frozenset[str]:
        """The parts that a chord has counted, `ID:INDEX`; none once its body is out."""
        backend = published_by.backend
        return frozenset(part.decode() for part in backend.client.smembers(backend.get_key_for_group(group, ".d")))

    def subscriptions(self) -> set[Any]:
        """Results that this process listens for: none, since nobody reads one."""
        return set(published_by.backend.result_consumer.subscribed_to)

    def elsewhere(self) -> list[bytes]:
        """Lists of the broker that are none of the queues: must be none, or a message would go unseen."""
        known = {f"ops:{queue}".encode() for queue in POOLS}
        found = [key for key in self._broker.scan_iter(_type="list") if key not in known]
        return [key for key in found if isinstance(key, bytes)]

    def reconcile(self) -> None:
        """One look of the reconciler."""
        reconcile.reconcile(self.tools)
        self.collect()

    def publish_edges(self, run: str, task: str) -> None:
        """What a crash between settle and its edges leads to: those of a completed task once more."""
        admit.publish_edges(run, task, self.tools)
        self.collect()

    def _drain(self) -> Iterator[Message]:
        pipe = self._broker.pipeline()
        for queue in POOLS:
            pipe.lrange(f"ops:{queue}", 0, -1)
            pipe.delete(f"ops:{queue}")
        for queue, texts in zip(POOLS, pipe.execute()[::2], strict=True):
            for text in reversed(texts):  # the oldest is at the end
                envelope = json.loads(text)
                args, kwargs, embed = json.loads(base64.b64decode(envelope["body"]))
                assert kwargs == {}
                message = Message(queue, len(text), envelope["headers"], args, embed)
                self.watch(message)
                yield message

    def _project(self, run: str, part: str) -> None:
        """A look at repositories that finds nothing but their integration branch."""
        projects = begin.projects_of(part, self.rig.ledger.runs.get(run).request)
        branches = {one.key: "dev" for project in projects for one in project.repositories}
        self.rig.ledger.runs.put_part(run, AuditPart(part=part, branches=branches))

    def _stage(self, value: dict[str, Any], stage: Stage) -> str:
        """One stage of an attempt without any work in it."""
        key, attempts = StageKey.model_validate(value), self.rig.ledger.attempts
        claim = attempts.claim(key, stage, holder=f"hand:{key.task}:{stage}:{key.seq}", host="rig", lease=600)
        if claim.kind != "ok":
            if passed_on(claim) == "drop":
                raise Ignore
            return "go-on"
        kind = self._kind(key, stage)
        values = {"summary": f"{stage} {kind}", "head": "0" * 40, "ask": "retry" if kind == "waiting" else ""}
        outcome = Outcome(kind=kind, **(values | self.details.get((key.task, stage), {})))
        goes_on = kind is _WELL[stage] and stage is not Stage.LAND
        holder = f"hand:{key.task}:{stage}:{key.seq}"
        assert attempts.end(key, stage, holder=holder, outcome=outcome, goes_on=goes_on)
        if stage is Stage.IMPLEMENT:
            admit.fill(self.tools)
        return "go-on"

    def _kind(self, key: StageKey, stage: Stage) -> OutcomeKind:
        attempts = self.script.get(key.task, ())
        planned = attempts[key.attempt - 1] if key.attempt <= len(attempts) else None
        return planned[1] if planned is not None and planned[0] is stage else _WELL[stage]


def _plain(run: Callable[..., Any]) -> Callable[..., Any]:
    """Celery reads a task's name and signature off a function; a bound method or a lambda is wrapped first."""

    def body(*args: Any) -> Any:
        return run(*args)

    return body
