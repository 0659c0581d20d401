"""Chords and chains: every signature that the engine publishes is made here.

Every join of the plan is a chord, every edge into a join is one part of it, every attempt is a chain (docs/adr/0002).
Bodies are tiny and expand one hop from the ledger: freezing a whole graph into one canvas grows with the number of its
paths. Only public API of Celery 5.7 is used; what makes it work is that the size of a join is set before its last part
can return, and that a repeated part has the same id and index and so counts once. Ids are made of the run's own names,
never drawn at random: a job published twice is the same job.
"""

from __future__ import annotations

from collections.abc import Callable

import redis
from celery import chain, states
from celery.app.task import Context
from celery.canvas import Signature
from kombu.exceptions import OperationalError

from ops_orchestrate.celery import app, own_queue
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.states import Stage
from ops_orchestrate.errors import LedgerUnavailable

_STAGE_JOBS: dict[Stage, tuple[str, str]] = {
    Stage.IMPLEMENT: ("agent.implement", "agent"),
    Stage.REVIEW: ("agent.review", "agent"),
    Stage.VERIFY: ("audit.verify", "audit"),
    Stage.LAND: ("ship.land", "ship"),
}


def job(name: str, *args: object, queue: str, task_id: str, shown: str) -> Signature:
    """One immutable signature with a fixed id; `shown` is what Flower prints as its arguments."""
    signature: Signature = app.signature(name, args=args, immutable=True)
    # No result is ever read: without this every publish would subscribe to one. Parts of a chord count all the same.
    return signature.set(queue=queue, task_id=task_id, argsrepr=shown, kwargsrepr="", ignore_result=True)


def begin(run: str) -> Signature:
    """Start a run: publish its audit."""
    return job("planner.begin", run, queue="planner", task_id=f"{run}:begin", shown=run)


def open_audit(run: str, size: int) -> None:
    """Tell the result backend how many parts the audit has; the last of them to return publishes the plan."""
    app.backend.set_chord_size(_audit(run), size)


def audit_edge(run: str, part: str, *, index: int, host: str = "") -> Signature:
    """One part of the audit: a header task of the chord whose body is the planner.

    Never made with `chord()`: that one subscribes to the results of its parts, which nobody reads, and
    a process that has published an audit would renew the subscription whenever the server was restarted.
    """
    return _part(run, part, again=0, host=host).set(
        group_id=_audit(run), group_index=index, chord=plan(run), root_id=run
    )


def audit_part(run: str, part: str, *, again: int, host: str = "") -> Signature:
    """One part alone, when its first message was lost."""
    return _part(run, part, again=again, host=host)


def plan(run: str, *, again: int = 0) -> Signature:
    """Findings to tasks to graph."""
    return job("planner.plan", run, queue="planner", task_id=f"{run}:plan:{again}", shown=run)


def admit(run: str, task: str = "", *, again: str = "") -> Signature:
    """Offer a task (or nothing) and fill the free slots."""
    task_id = f"{run}:admit:{task}:{again}" if task else f"admit:{again}"
    return job("planner.admit", run, task, queue="planner", task_id=task_id, shown=f"{run} {task}".strip())


def attempt(
    key: StageKey, *, start: Stage = Stage.IMPLEMENT, title: str = "", host: str = "", home: str = ""
) -> Signature:
    """The chain of one attempt, or its tail from `start`: implement → verify → land → settle.

    Where verify finds that a review is due, it publishes the tail review → verify → land → settle. `title` is the
    task's, as Flower shows it: short, and without secrets. `host`: the machine that does the first of it; `home`: the
    one that does all of it.
    """
    stages = list(_STAGE_JOBS)
    tail = [stage for stage in stages[stages.index(start) :] if stage is start or stage is not Stage.REVIEW]
    first, *rest = (_stage(key, stage, title, home) for stage in tail)
    if at := host or home:
        first.set(queue=own_queue(_STAGE_JOBS[start][1], at))
    return chain(first, *rest, settle(key, title=title))


def settle(key: StageKey, *, again: str = "", title: str = "") -> Signature:
    """The end of an attempt: the ledger moves the task on."""
    task_id = f"{_of(key)}:settle{again and ':' + again}"
    return job("planner.settle", key.model_dump(), queue="planner", task_id=task_id, shown=_shown(key, title))


def join(run: str, child: str, *, parts: bool = False) -> str:
    """The group id of the chord in front of a task with several blockers; of the one behind its parts."""
    return f"{run}:{'parts' if parts else 'join'}:{child}"


def open_join(run: str, child: str, size: int, *, parts: bool = False) -> None:
    """See to it that the result backend knows how many edges the join has, unless its body is out.

    Before an edge of the caller's returns: a join of which nobody has said so counts, and never fills. Raises
    LedgerUnavailable.
    """
    group, backend = join(run, child, parts=parts), app.backend

    def tell() -> None:
        if not any(backend.mget([backend.get_key_for_group(group, of) for of in (".s", ".c")])):
            backend.set_chord_size(group, size)

    _ask_backend(tell)


def return_part(run: str, parent: str, child: str, *, index: int, parts: bool = False) -> None:
    """Count one edge into the child's join: "this blocker is done". The last of them publishes the body, its admission.

    The header task of a join is its blocker's `settle`. Celery counts a finished task for one chord, the one that its
    message carries, and a settlement may be a part of any number: so it returns itself to each. `parts`: the parent is
    a part of the child, which then completes. Raises LedgerUnavailable.
    """
    header = Context(
        id=f"{run}:edge:{parent}>{child}",
        group=join(run, child, parts=parts),
        group_index=index,
        chord=admit(run, child, again="parts" if parts else "join"),
    )
    _ask_backend(lambda: app.backend.on_chord_part_return(header, states.SUCCESS, None))


def reconcile(tick: str) -> Signature:
    """Look for what was lost and drive it on."""
    return job("planner.reconcile", queue="planner", task_id=f"reconcile:{tick}", shown="")


def finish(run: str, *, again: str) -> Signature:
    """Ask whether the run has ended."""
    return job("planner.finish", run, queue="planner", task_id=f"{run}:finish:{again}", shown=run)


def promote(run: str, repo: str, *, again: str) -> Signature:
    """Check integration's head with the gate, then promote it: audit looks, ship alone writes."""
    check = job("audit.check_head", run, repo, queue="audit", task_id=f"{run}:check:{repo}:{again}", shown=repo)
    ship = job("ship.promote", run, repo, queue="ship", task_id=f"{run}:promote:{repo}:{again}", shown=repo)
    return chain(check, ship, finish(run, again=f"promoted-{repo}-{again}"))


def pursue(run: str, key: str, *, again: str) -> Signature:
    """Check what a back-merge or a revert would make with the gate, then bring it a step further."""
    check = job("audit.check_head", run, key, queue="audit", task_id=f"{run}:check:{key}:{again}", shown=key)
    ship = job("ship.pursue", run, key, queue="ship", task_id=f"{run}:pursue:{key}:{again}", shown=key)
    return chain(check, ship, finish(run, again=f"pursued-{key}-{again}"))


def rerun(run: str, repo: str, number: int) -> Signature:
    """Run a workflow run of the forge once more that broke through no fault of the code."""
    return job(
        "ship.rerun", run, repo, number, queue="ship", task_id=f"{run}:rerun:{repo}:{number}", shown=f"{repo} {number}"
    )


def watch(run: str, repo: str, *, again: str) -> Signature:
    """Look once at what is deployed after a merge."""
    look = job("ship.watch", run, repo, queue="ship", task_id=f"{run}:watch:{repo}:{again}", shown=repo)
    return chain(look, finish(run, again=f"watched-{repo}-{again}"))


def publish(signature: Signature) -> None:
    """Hand a signature to the broker.

    Raises LedgerUnavailable when that is away for longer than the publish policy waits: what is due is then
    published by the reconciler.
    """
    try:
        signature.apply_async()
    except OperationalError as error:
        raise LedgerUnavailable(f"The broker does not answer ({error}); nothing is lost, it is tried again.") from None


def _ask_backend(call: Callable[[], object]) -> None:
    """Raises LedgerUnavailable where the server is away or refuses. What is wrong with us is not said of the server."""
    try:
        call()
    except (redis.RedisError, OperationalError) as error:
        raise LedgerUnavailable(f"The result backend does not answer ({error}); it is tried again.") from None


def _audit(run: str) -> str:
    return f"{run}:audit"


def _part(run: str, part: str, *, again: int, host: str) -> Signature:
    name = "audit.source" if part.startswith("source:") else "audit.project"
    made = job(name, run, part, queue="audit", task_id=f"{run}:{part}:{again}", shown=f"{run} {part}")
    return made.set(queue=own_queue("audit", host)) if host else made


def _stage(key: StageKey, stage: Stage, title: str, home: str) -> Signature:
    name, queue = _STAGE_JOBS[stage]
    queue = f"{queue}@{home}" if home else queue  # by name: it is published at home, where the name is known
    return job(name, key.model_dump(), queue=queue, task_id=f"{_of(key)}:{stage}", shown=_shown(key, title))


def _of(key: StageKey) -> str:
    return f"{key.run}:{key.task}:a{key.attempt}:f{key.fence}:s{key.seq}"


def _shown(key: StageKey, title: str = "") -> str:
    """The title next to the task: Flower cuts what is long at its end."""
    return f"{key.task}{title and ': ' + title}, attempt {key.attempt} of run {key.run}"
