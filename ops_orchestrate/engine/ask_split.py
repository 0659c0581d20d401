"""Before the first work on a big task: an agent is asked how to split it, in the slot and for the money of the attempt.

What it says is recorded as the attempt's outcome, so a lost message or a dead worker neither asks again nor splits
twice; `settle` splits by it (engine/split.py). Whatever is no good answer is told, and the task goes on undivided.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from ops_orchestrate.config import settings_of_agent
from ops_orchestrate.core.agent import AgentEnd, AgentResult
from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.consult import NoAnswerError, Question
from ops_orchestrate.core.ending import measured, unspent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.planner_help import answered, ask_because
from ops_orchestrate.core.price import in_dollars
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.spend import Amount
from ops_orchestrate.core.split_question import SCHEMA, SplitAsked, read_split, split_question
from ops_orchestrate.core.task import TaskRecord, TaskSpec
from ops_orchestrate.engine.begun import earlier_ends
from ops_orchestrate.engine.consult import consult
from ops_orchestrate.engine.lease import Lease, last_beat
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.unlisted import tell_unlisted
from ops_orchestrate.errors import LedgerUnavailable, PlanError


def asked_to_split(
    run: RunRecord, record: TaskRecord, base: str, lease: Lease, tools: Toolbox, *, agent: str, reserved: Amount
) -> Outcome | None:
    """How the attempt ends where it was spent on the question; None where nobody is asked, or the claim was lost.

    Raises GitError, SandboxUnavailable, AgentUnavailable, UsageError.
    """
    spec, earlier = record.spec, earlier_ends(lease.key, tools)
    if not run.request.planner_help or record.early:
        return None
    known = answered(spec, earlier)
    if known is not None:
        return unspent(known)
    why = ask_because(spec, earlier, early=record.early, limit=tools.settings.split_after)
    if not why:
        return None
    repository = run.request.portfolio.repository(spec.repo)
    asked = split_question(spec, repository=repository.name, why=why)
    result = _answer(repository, asked, base, lease, tools, agent=agent, may_use=reserved)
    if result is None:
        stopped = Outcome(kind=OutcomeKind.INTERRUPTED, summary="Stopped while an agent was asked how to split it.")
        return None if lease.lost.is_set() else stopped
    tell_unlisted(lease.key, "The agent", result.unlisted, tools)
    outcome = _read(result, asked, spec, tools, who=_who(agent, tools), why=why)
    _tell(lease, outcome, result.answer, tools, agent=agent)
    return outcome


def _tell(lease: Lease, outcome: Outcome, answer: str, tools: Toolbox, *, agent: str) -> None:
    digest = hashlib.sha256(answer.encode("utf-8", "surrogateescape")).hexdigest() if answer else ""
    told = {"what": "planner help", "text": outcome.summary, "agent": agent}
    with suppress(LedgerUnavailable):  # no reason to lose the answer
        tools.note(lease.key, EventKind.EVIDENCE, told | {"parts": len(outcome.parts), "answer": digest})


def _answer(
    repository: Repository, asked: SplitAsked, base: str, lease: Lease, tools: Toolbox, *, agent: str, may_use: Amount
) -> AgentResult | None:
    consultant = tools.consultant_of(agent)
    beat, grace = last_beat(tools.settings)
    with tools.workshop.checkout(repository, base) as tree:
        question = Question(
            key=lease.key,
            purpose="split",
            text=asked.text,
            schema_text=SCHEMA,
            tree=str(tree),
            max_usd=None if may_use.micros is None else in_dollars(may_use.micros),
            max_tokens=may_use.tokens,
            seconds=tools.settings.planner_limit,
            beat_seconds=beat,
            grace_seconds=grace,
            renewed_at=lease.renewed_at,
        )
        return consult(consultant, question, lease)


def _read(result: AgentResult, asked: SplitAsked, spec: TaskSpec, tools: Toolbox, *, who: str, why: str) -> Outcome:
    """An answer counts only from a session that ended well, and its parts only where every rule lets them through."""
    cost, tokens = measured(result)
    detail = tools.secrets.redact(result.detail)
    ended = Outcome(
        kind=OutcomeKind.PLANNED,
        cost_usd=cost,
        tokens=tokens,
        unsandboxed=result.unsandboxed,
        agent_version=one_line(result.version, 60),
    )
    if result.end is AgentEnd.QUOTA:
        words = one_line(f"{who} was to say how to split it. {detail}", 400)
        return ended.model_copy(
            update={"kind": OutcomeKind.QUOTA, "summary": words, "resets_at": result.resets_at or 0.0}
        )
    if result.end is not AgentEnd.DONE:
        return _undivided(ended, f"{who} was to say how, and ended as {result.end}. {detail}")
    try:
        parts, words = read_split(tools.secrets.redact(result.answer), asked.mark, spec)
    except (NoAnswerError, PlanError) as error:
        return _undivided(ended, f"what {who} proposed is refused. {error}")
    if not parts:
        return _undivided(ended, f"{who} says that it is one piece of work. {words}")
    summary = one_line(f"planned with help by {who}, because it {why}. {words}", 400)
    return ended.model_copy(update={"summary": summary, "parts": parts})


def _undivided(ended: Outcome, why: str) -> Outcome:
    return ended.model_copy(update={"summary": one_line(f"it goes on undivided: {why}", 400)})


def _who(agent: str, tools: Toolbox) -> str:
    model = settings_of_agent(tools.settings, agent).model
    return f"{agent} ({model})" if model else agent
