"""Why is a task not running, or not shipped? One fact a line, the command that moves it on last."""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.ask import answers_for, command_for
from ops_orchestrate.core.attempt import AttemptRecord, OutcomeKind
from ops_orchestrate.core.board import Board, Host
from ops_orchestrate.core.budget import Budget, Wait, candidate_of
from ops_orchestrate.core.names import one_line, short
from ops_orchestrate.core.ownership import overlap
from ops_orchestrate.core.planner_help import big_because
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import FINAL, IN_FLIGHT, RUN_OPEN, STARTABLE, Stage, TaskState
from ops_orchestrate.core.tail import gist
from ops_orchestrate.core.task import TaskMode, TaskRecord

#: Characters of a log that are shown.
_LOG = 1_000
#: Outcomes after which nobody asks for a log.
_WELL = frozenset({OutcomeKind.SUCCEEDED, OutcomeKind.VERIFIED, OutcomeKind.MERGED, OutcomeKind.ALREADY_DONE})
#: Warnings that are shown, the newest.
_WARNINGS = 10


def explain(
    record: TaskRecord,
    *,
    run: RunRecord,
    blockers: Sequence[TaskRecord],
    dependants: Sequence[str],
    board: Board,
    attempts: Sequence[AttemptRecord],
    now: float,
    hosts: Sequence[Host],
    budget: Budget | None = None,
    warnings: Sequence[str] = (),
    missing: str = "",
) -> tuple[str, ...]:
    """The facts about one task in one run, for every state.

    `warnings`: what its story warns of, oldest first; `missing`: what no machine has that it needs.
    """
    spec = record.spec
    lines = [
        f"{spec.id}: {one_line(spec.title)}",
        f"State: {record.state}" + (f", {one_line(reason, 500)}" if (reason := reason_of(record)) else ""),
    ]
    if spec.description:
        asked = " ".join(gist(spec.description, 300)) if spec.fixes_base else spec.description
        lines.append(f"Asked: {one_line(asked, 300)}")
    lines.append(f"Mode: {spec.mode} ({spec.mode_reason or 'asked for'}); priority {spec.label}; wave {spec.wave}")
    lines += [*_member(record, run), *_parts(record, run)]
    if record.state in STARTABLE and spec.parts:
        lines += _waits_for(blockers)
    elif record.state in STARTABLE:
        found = [
            *_short(record, budget, now),
            *([f"It waits: {missing}"] if missing else []),
            *_not_started(record, run=run, blockers=blockers, board=board, now=now, hosts=hosts),
        ]
        lines += found or ["Its blockers are done and nothing stands in its way: it starts with the next free slot."]
    elif record.state in IN_FLIGHT:
        lines += _in_flight(record, board, now)
    if record.early:
        open_ones = [blocker.spec.id for blocker in blockers if blocker.state is not TaskState.COMPLETED]
        lines += [f"It started early, and ships after {', '.join(open_ones)}."] if open_ones else []
    lines += [*(_attempt(attempt) for attempt in attempts), *_last_words(record, attempts)]
    lines += [f"Warning: {one_line(text, 400)}" for text in tuple(dict.fromkeys(warnings))[-_WARNINGS:]]
    if record.merge:
        lines.append(f"Merged into {spec.base} as {short(record.merge)}.")
    if dependants and record.state is not TaskState.COMPLETED:
        lines.append(f"Waiting for it: {', '.join(dependants[:10])}.")
    return (*lines, *_next(record, run, blockers))


def reason_of(record: TaskRecord) -> str:
    """Why it is in its state; while it is worked on, what the last attempt ended with says nothing of that."""
    return "" if record.state in IN_FLIGHT else record.reason


def _parts(record: TaskRecord, run: RunRecord) -> list[str]:
    """What it was split into, or of what it is a part, and who proposed that; or that it is big."""
    spec = record.spec
    if spec.part_of:
        by = "proposed by the planner's agent" if spec.split_by == "planner" else "split by its criteria or paths"
        return [f"It is a part of {spec.part_of}, {by}."]
    if spec.parts:
        return [f"It was split into {', '.join(spec.parts)}, and completes when they have."]
    if record.attempt or record.state in FINAL:
        return []
    if spec.big:
        return [f"It is big, it {spec.big}: an agent is asked how to split it before one works on it (--planner-help)."]
    found = "" if run.request.planner_help else big_because(spec)
    return [f"It is big, it {found}: with --planner-help an agent would be asked how to split it."] if found else []


def _short(record: TaskRecord, budget: Budget | None, now: float) -> list[str]:
    """What money and quotas say about it."""
    found = budget.ask(candidate_of(record)) if budget else None
    if not isinstance(found, Wait):
        return []
    rest = f" It goes on by itself in {found.until - now:.0f} s." if found.until else ""
    return [f"It waits: {found.text}.{rest}"]


def _member(record: TaskRecord, run: RunRecord) -> list[str]:
    """How something is said to its agent, where one is at work or will be steered."""
    spec = record.spec
    steered = spec.mode is TaskMode.TEAM and not spec.human and record.state not in FINAL
    if not spec.member or not (steered or record.state is TaskState.RUNNING):
        return []
    return [f'Its agent is {spec.member}: `ops-orchestrate send {spec.member} "…" --run {run.id}` tells it something.']


def _not_started(
    record: TaskRecord,
    *,
    run: RunRecord,
    blockers: Sequence[TaskRecord],
    board: Board,
    now: float,
    hosts: Sequence[Host],
) -> list[str]:
    lines = _waits_for(blockers)
    lines += [f"Its next attempt waits for another {record.wake_at - now:.0f} s."] if record.wake_at > now else []
    limit = run.request.max_waves
    if limit is not None and record.spec.wave >= limit:
        lines.append(f"It is in wave {record.spec.wave}, beyond --max-waves {limit}.")
    if run.state not in RUN_OPEN:
        lines.append(f"The run is {run.state}.")
    elif run.stop:
        lines.append("The run is being stopped.")
    if board.quiet_until > now:
        lines.append(f"Nothing is admitted for {board.quiet_until - now:.0f} s: the server is new or was restarted.")
    if not any("agent" in host.pools for host in hosts):
        if run.state in RUN_OPEN:  # else nobody has to be there: the way on is what says so
            lines.append(
                f"No worker of the agent pool is there: `ops-orchestrate resume {run.id}` brings the embedded server's "
                "own; for a server of yours start `celery -A ops_orchestrate worker -Q agent`."
            )
    elif len(board.slots) >= board.cap:
        lines.append(f"All {board.cap} slots are taken by {', '.join(slot.task for slot in board.slots)}.")
    owners = [o for o in board.owners if o.repo == record.spec.repo and overlap(o.paths, record.spec.paths)]
    lines += [f"{o.task} of run {o.run} owns the same files on {o.host or 'a host'}." for o in owners]
    return lines


def _waits_for(blockers: Sequence[TaskRecord]) -> list[str]:
    return [
        f"It waits for {b.spec.id}, which is {b.state}" + (f" ({one_line(b.reason, 120)})" if b.reason else "") + "."
        for b in blockers
        if b.state is not TaskState.COMPLETED
    ]


def _in_flight(record: TaskRecord, board: Board, now: float) -> list[str]:
    if record.state is TaskState.RUNNING:
        return _running(record, board, now)
    commit = f"Its commit {short(record.head)}" if record.head else "Its commit"
    verified = "is being read by the security reviewer" if record.stage == Stage.REVIEW else "is being verified"
    doing = {TaskState.VERIFYING: verified, TaskState.SHIPPING: f"is being merged into {record.spec.base}"}
    host = f" on {record.host}" if record.host else ""
    waits = f"; it is looked at again in {record.wake_at - now:.0f} s" if record.wake_at > now else ""
    return [f"{commit} {doing[record.state]}{host}{waits}."]


def _running(record: TaskRecord, board: Board, now: float) -> list[str]:
    slots = [slot for slot in board.slots if slot.run == record.run and slot.task == record.spec.id]
    return [
        f"Attempt {slot.attempt} holds slot {slot.index} on {slot.host or 'no host yet'} "
        f"for {now - slot.taken_at:.0f} s; its lease ends in {slot.lease_until - now:.0f} s unless it is renewed."
        for slot in slots
    ]


def _attempt(attempt: AttemptRecord) -> str:
    outcome = attempt.outcome
    how = f"{outcome.kind}: {one_line(outcome.summary, 300)}".rstrip(": .") if outcome else "under way"
    kept = f" Its work is kept at {attempt.salvage}." if attempt.salvage else ""
    read = (
        f" {one_line(outcome.review, 300).rstrip('.')}."
        if outcome and outcome.review and outcome.review not in outcome.summary
        else ""
    )
    return f"Attempt {attempt.number} ({attempt.agent} on {attempt.host}): {how}.{read}{kept}"


def _last_words(record: TaskRecord, attempts: Sequence[AttemptRecord]) -> list[str]:
    """What the gate or the agent said last, where the newest attempt came to nothing: what failed stands there."""
    outcome = attempts[-1].outcome if attempts else None
    if outcome is None or outcome.kind in _WELL or record.state is TaskState.COMPLETED:
        return []
    said = gist(outcome.log_tail, _LOG)
    return ["Its log ends with:", *(f"  {line}" for line in said)] if said else []


def _next(record: TaskRecord, run: RunRecord, blockers: Sequence[TaskRecord]) -> tuple[str, ...]:
    answers = answers_for(record)
    if answers:
        words = "; ".join(f"{answer.word}: {answer.text}" for answer in answers)
        return (f"Answers: {words}.", f"To go on: {command_for(run.id, record)}")
    if record.state not in STARTABLE:
        return ()
    way = _way_past(record, run, [blocker for blocker in blockers if blocker.state is not TaskState.COMPLETED])
    return (f"To go on: {way}",) if way else ()


def _way_past(record: TaskRecord, run: RunRecord, waits_for: Sequence[TaskRecord]) -> str:
    """What starts a task that does not start by itself; empty where it does."""
    stuck = next((blocker for blocker in waits_for if answers_for(blocker)), None)
    if stuck is not None:
        return command_for(run.id, stuck)
    if run.state in RUN_OPEN:
        return ""
    if waits_for:
        return f"ops-orchestrate explain {run.id} {waits_for[0].spec.id}"
    limit = run.request.max_waves
    beyond = limit is not None and record.spec.wave >= limit
    return "ops-orchestrate run (a new run takes it over)" if beyond else f"ops-orchestrate resume {run.id}"
