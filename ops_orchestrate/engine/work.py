"""Phase 3: one attempt. A tree, a brief, an agent under its supervisor, and what it left, imported as data.

The agent's word decides nothing here but how the session is described; whether there is work is asked of git.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress

from ops_orchestrate import canvas
from ops_orchestrate.core.agent import AgentEnd, AgentJob, AgentResult
from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.attempt_rule import resumes_at
from ops_orchestrate.core.change import Collected
from ops_orchestrate.core.ending import Ended, ending, unspent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.price import in_dollars
from ops_orchestrate.core.progress import Phase
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.run import RunRecord, RunRequest
from ops_orchestrate.core.spend import Amount, Parked
from ops_orchestrate.core.states import Stage
from ops_orchestrate.core.task import TaskMode, TaskRecord, TaskSpec
from ops_orchestrate.engine.admit import fill
from ops_orchestrate.engine.ask_split import asked_to_split
from ops_orchestrate.engine.begun import grown_from, needs_no_agent, remembers, where_to_begin
from ops_orchestrate.engine.briefing import brief_of
from ops_orchestrate.engine.budget import account_for, agent_now, agents_of
from ops_orchestrate.engine.lease import Lease, boot_clock, keep, last_beat
from ops_orchestrate.engine.mailbox import Mailbox
from ops_orchestrate.engine.pulse import Pulse
from ops_orchestrate.engine.remark import Remarks
from ops_orchestrate.engine.step import Next, passed_on
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.unlisted import tell_unlisted
from ops_orchestrate.errors import (
    AgentUnavailable,
    GitError,
    LedgerUnavailable,
    SandboxUnavailable,
    SourceUnavailable,
    UsageError,
)
from ops_orchestrate.ledger import Closing, End, Granted
from ops_orchestrate.ports import AgentSession, AgentTree

log = logging.getLogger("ops_orchestrate.work")

#: How long one wait for the agent's events lasts: the step looks at flags and lease in between.
_LOOK = 0.2


def implement(key: StageKey, holder: str, tools: Toolbox) -> Next:
    """Run one attempt to its end. Losing the claim ends the agent and says nothing more."""
    agent = _agent_for(tools.ledger.runs.request(key.run), tools)
    asked_at = boot_clock()
    claim = tools.ledger.attempts.claim(
        key, Stage.IMPLEMENT, holder=holder, host=tools.host, lease=tools.settings.lease, agent=agent
    )
    if not isinstance(claim, Granted):
        return passed_on(claim)
    run, record, spec = claim.run, claim.task, claim.task.spec
    _offer_members(key, spec, tools)
    repository = run.request.portfolio.repository(spec.repo)
    began = time.monotonic()
    # The tree is held until it is gone: a sweep that took it from under us would salvage half of it.
    kept = keep(key, Stage.IMPLEMENT, holder, tools, asked_at=asked_at, stop=claim.stop)
    with kept as lease, tools.workshop.hold_tree(repository, key) as mine:
        found = (_too_late(claim.stop) or needs_no_agent(key, repository, spec, lease, tools)) if mine else None
        without = found and unspent(found)
        outcome = without or (
            _attempt(key, run, record, lease, tools, agent=agent, reserved=claim.reserved) if mine else None
        )
        if outcome is None:
            return Next.DROP
        goes_on = outcome.kind is OutcomeKind.SUCCEEDED
        park = _parked(outcome, agent, tools)
        took = Closing(learned=time.monotonic() - began if goes_on and not without else None)
        ended = tools.ledger.attempts.end(
            key, Stage.IMPLEMENT, holder=holder, outcome=outcome, goes_on=goes_on, park=park, closing=took
        )
        if not ended:
            return Next.DROP
        if ended is End.WANTED:  # before the tree is removed, which takes as long as it is large: its slot is free
            _hand_on(key, tools)
        if not (lease.stop == "now" and outcome.kind is OutcomeKind.INTERRUPTED):
            tools.workshop.discard_tree(repository, key)
    return Next.GO_ON


def _agent_for(request: RunRequest, tools: Toolbox) -> str:
    """Who works: the only one there is, or the first whose account has quota at this moment."""
    names = agents_of(request, tools)
    if len(names) == 1:  # the grant has asked for its quota
        return names[0]
    return agent_now(request, tools, here=True).agent or request.agent  # all parked since then: it says so itself


def _hand_on(key: StageKey, tools: Toolbox) -> None:
    """Give the slot that is free now to who waits for it, right here: a message to the planner takes as long again.

    Where the planners go by other settings it is theirs to say, and where it cannot be said here.
    """
    try:
        if fill(tools, stands_in=True):
            return
    except Exception:  # others' tasks and this machine's settings are no fault of this attempt, whose chain goes on
        log.exception("the slot of %s is free, and it could not be said whose turn it is", key.task)
    canvas.publish(canvas.admit(key.run, again=f"{key.task}:{key.fence}"))


def _too_late(stop: str) -> Outcome | None:
    """What becomes of an attempt that was claimed when its run or task had been stopped: no agent is started."""
    return Outcome(kind=OutcomeKind.INTERRUPTED, summary="Stopped before it began.") if stop else None


def _parked(outcome: Outcome, agent: str, tools: Toolbox) -> Parked | None:
    """The account that an attempt has found without quota."""
    if outcome.kind is not OutcomeKind.QUOTA:
        return None
    until = resumes_at(outcome, tools.ledger.now(), tools.settings.quota_pause)
    return Parked(account=account_for(agent, tools), until=until)


def _offer_members(key: StageKey, spec: TaskSpec, tools: Toolbox) -> None:
    """Members that wait for this task may start early now that it is worked on: the claim has offered them."""
    if spec.mode is TaskMode.TEAM and tools.ledger.tasks.dependants(key.run, key.task):
        canvas.publish(canvas.admit(key.run, again=f"early:{key.task}:{key.fence}"))


def _attempt(
    key: StageKey, run: RunRecord, record: TaskRecord, lease: Lease, tools: Toolbox, *, agent: str, reserved: Amount
) -> Outcome | None:
    """The attempt's outcome; None when the claim was lost and nothing may be said."""
    spec = record.spec
    repository = run.request.portfolio.repository(spec.repo)
    tools.doing(Phase.PREPARING, repository.name)
    try:
        base = _base(key, repository, spec, tools)
        planned = asked_to_split(run, record, base, lease, tools, agent=agent, reserved=reserved)
        if planned is not None or lease.lost.is_set():
            return planned
        tree = tools.workshop.prepare(repository, key, base)
        brief, told = brief_of(key, run, spec, tree, tools)
        job = _job(key, brief, tree, lease, tools, reserved=reserved)
        job = job.model_copy(update=_as_a_member(key, record, tools))
        if lease.lost.is_set():
            return None
        session = tools.agent_of(agent).start(job)
    except (GitError, SourceUnavailable, SandboxUnavailable, AgentUnavailable, UsageError) as error:
        return unspent(Outcome(kind=OutcomeKind.UNSTARTED, summary=str(error)))
    mailbox = Mailbox(key, told, tools, time.monotonic, early=record.early)
    # The seed's protocol of a stall: a member of a team is asked first, a subagent is stopped.
    pulse = Pulse(tools.settings, time.monotonic, mailbox.ask if spec.mode is TaskMode.TEAM else None)
    tools.doing(Phase.WORKING, agent)
    ended = _watch(session, mailbox, pulse, lease, tools)
    if ended is None:
        return None
    tools.doing(Phase.COLLECTING, repository.name)
    tell_unlisted(key, "The agent", ended.result.unlisted, tools)
    if ended.stopped == "now" and ended.result.end is AgentEnd.STOPPED:  # its tree stays, for the next sweep
        return _redacted(ending(ended, Collected(head=None), base=base), ended.result, tools)
    base = grown_from(key, base, tools)
    outcome = _bring_home(key, repository, base=base, paths=spec.paths, ended=ended, tools=tools)
    return _redacted(outcome, ended.result, tools)


def _base(key: StageKey, repository: Repository, spec: TaskSpec, tools: Toolbox) -> str:
    """Where the attempt starts: at the change that it goes on with, else at the integration branch's head."""
    if not spec.base:
        raise GitError(f"{repository.name} could not be audited, so it is not known where its work belongs; run again.")
    tools.workshop.refresh(repository)
    head = tools.workshop.head(repository, spec.base)
    if head is None:
        raise GitError(f"{repository.name} has no branch {spec.base} any more; set `ops.integration` in the registry.")
    return where_to_begin(key, repository, spec, tools) or head


def _job(key: StageKey, brief: str, tree: AgentTree, lease: Lease, tools: Toolbox, *, reserved: Amount) -> AgentJob:
    settings = tools.settings
    beat, grace = last_beat(settings)
    return AgentJob(
        key=key,
        brief=brief,
        tree=tree.path,
        scratch=tree.scratch,
        branch=tree.branch,
        reads=tree.objects,
        seconds=settings.attempt_limit,
        beat_seconds=beat,
        grace_seconds=grace,
        max_usd=None if reserved.micros is None else in_dollars(reserved.micros),
        max_tokens=reserved.tokens,
        renewed_at=lease.renewed_at,
    )


def _as_a_member(key: StageKey, record: TaskRecord, tools: Toolbox) -> dict[str, bool]:
    """What a member of a team has beside others: a session that waits for a hand-over, and one that is remembered."""
    team = record.spec.mode is TaskMode.TEAM
    return {"waits": record.early, "kept": team, "resumes": remembers(key, record.spec, tools)}


def _watch(session: AgentSession, mailbox: Mailbox, pulse: Pulse, lease: Lease, tools: Toolbox) -> Ended | None:
    """Stay with the agent until it has ended: beats, flags, messages, signs of life. None when the claim was lost."""
    remarks = Remarks(tools.secrets.redact, tools.settings.note_every, time.monotonic)
    beaten = 0
    stopped = ""
    while (result := session.result()) is None:
        events = session.events(_LOOK)
        pulse.saw(events)
        _note(lease.key, remarks.newest(events), tools)
        if lease.lost.is_set():
            session.stop("kill")
            continue
        if lease.renewals > beaten:
            beaten = lease.renewals
            session.beat(lease.renewed_at)
        wish = lease.stop or mailbox.wish(session) or ("" if mailbox.waits else pulse.advice(session))
        if wish and wish != stopped:
            stopped = wish
            session.stop("kill" if wish == "now" else "interrupt")
    if lease.lost.is_set():
        return None
    _note(lease.key, remarks.newest(session.events(0)), tools)  # what it printed last, or in no time at all
    return Ended(result=result, stopped=stopped, detail=mailbox.why or pulse.why)


def _note(key: StageKey, text: str, tools: Toolbox) -> None:
    """What the agent is doing, in its own words: enough for a person, not a transcript."""
    if not text:
        return
    tools.doing(Phase.WORKING, text)
    with suppress(LedgerUnavailable):  # a remark is no reason to end an agent that outlives the server's absence
        tools.note(key, EventKind.AGENT_NOTE, {"text": text})


def _bring_home(
    key: StageKey, repository: Repository, *, base: str, paths: tuple[str, ...], ended: Ended, tools: Toolbox
) -> Outcome:
    """Import what it made. What is not delivered is kept under a salvage ref; nothing is thrown away."""
    try:
        collected = tools.workshop.collect(repository, key, base=base, paths=paths)
    except GitError as error:
        collected = Collected(head=None, problem=str(error))
    outcome = ending(ended, collected, base=base)
    if outcome.kind is not OutcomeKind.SUCCEEDED:
        _salvage(key, repository, base, tools)
    elif collected.salvage:
        tools.ledger.attempts.salvaged(key.run, key.task, key.attempt, key.fence, collected.salvage, host=tools.host)
    return outcome


def _salvage(key: StageKey, repository: Repository, base: str, tools: Toolbox) -> None:
    try:
        ref = tools.workshop.salvage(repository, key, base=base)
    except GitError as error:
        data = {"text": f"The work of {key.task} could not be salvaged into the mirror: {error}"}
        tools.ledger.runs.note(key.run, EventKind.WARNING, task=key.task, attempt=key.attempt, data=data)
        return
    if ref:
        tools.ledger.attempts.salvaged(key.run, key.task, key.attempt, key.fence, ref, host=tools.host)


def _redacted(outcome: Outcome, result: AgentResult, tools: Toolbox) -> Outcome:
    return outcome.model_copy(
        update={
            "summary": tools.secrets.redact(outcome.summary),
            "hand_over": tools.secrets.redact(outcome.hand_over),
            "log_tail": tools.secrets.redact(outcome.log_tail),
            "unsandboxed": result.unsandboxed,
        }
    )
