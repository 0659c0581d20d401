"""The security review of a sensitive change: another agent, in a session of its own, reads it and says what it found.

It takes a slot like any agent, and owns nothing. What it says is recorded for this head and goes to verify, where the
rule is. A session that ends in any other way than with an answer is no review.
"""

from __future__ import annotations

import hashlib
import time

from ops_orchestrate.core.agent import AgentEnd, AgentResult
from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.attempt_rule import resumes_at
from ops_orchestrate.core.budget import Wait, candidate_of
from ops_orchestrate.core.change import GateEnd
from ops_orchestrate.core.consult import NoAnswerError, Question
from ops_orchestrate.core.ending import measured
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.price import in_dollars
from ops_orchestrate.core.progress import Phase
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.review import Review, no_review, read_review
from ops_orchestrate.core.review_question import MOST_PATCH, SCHEMA, Asked, review_question
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.sensitive import sensitive_reason
from ops_orchestrate.core.spend import Amount, Parked, Reserve
from ops_orchestrate.core.states import Stage
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.budget import account_for, budget_of, wallet_of
from ops_orchestrate.engine.consult import consult
from ops_orchestrate.engine.lease import Lease, boot_clock, keep, last_beat
from ops_orchestrate.engine.step import Next, passed_on
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.unlisted import tell_unlisted
from ops_orchestrate.engine.verify import known_gate
from ops_orchestrate.errors import AgentUnavailable, GitError, SandboxUnavailable, SourceUnavailable, UsageError
from ops_orchestrate.ledger import Granted

#: Without a free slot it is looked again after so many seconds at the latest; a slot that is given back wakes it.
_PATIENCE = 60.0


def review(key: StageKey, holder: str, tools: Toolbox) -> Next:
    """Have the newest attempt's head reviewed; verify comes after it."""
    attempts = tools.ledger.attempts
    asked_at = boot_clock()
    claim = attempts.claim(key, Stage.REVIEW, holder=holder, host=tools.host, lease=tools.settings.lease)
    if not isinstance(claim, Granted):
        return passed_on(claim)
    run, record = claim.run, claim.task
    with keep(key, Stage.REVIEW, holder, tools, asked_at=asked_at, stop=claim.stop) as lease:
        if claim.stop:
            return _interrupted(key, holder, tools)
        means = _seated(key, holder, run, record, tools)
        if means is None:
            return Next.DROP
        try:
            made = _made(key, run, record, lease, tools, means=means)
        except (GitError, SourceUnavailable) as error:
            pause = tools.settings.reconcile_every
            attempts.snooze(key, Stage.REVIEW, holder=holder, seconds=pause, note=str(error))
            return Next.DROP
        if lease.lost.is_set():
            return Next.DROP
        if made is None:
            return _interrupted(key, holder, tools)
        if not attempts.reviewed(
            key, holder=holder, review=made, told={"what": "security review"} | made.model_dump(mode="json")
        ):
            return Next.DROP
        before = attempts.outcome(key) or Outcome(kind=OutcomeKind.SUCCEEDED, head=record.head)
        spent = {"cost_usd": made.cost_usd, "tokens": made.tokens}
        before = before.model_copy(update=spent)  # of this stage: the agent's own are paid for already
        park = _parked(made, tools)
        ended = attempts.end(key, Stage.REVIEW, holder=holder, outcome=before, goes_on=True, park=park)
    return Next.GO_ON if ended else Next.DROP


def _parked(made: Review, tools: Toolbox) -> Parked | None:
    """The account that the reviewer has found without quota: no agent need find it so again."""
    if made.resets_at is None:
        return None
    ended = Outcome(kind=OutcomeKind.QUOTA, resets_at=made.resets_at)
    until = resumes_at(ended, tools.ledger.now(), tools.settings.quota_pause)
    return Parked(account=account_for(made.agent, tools), until=until)


def _interrupted(key: StageKey, holder: str, tools: Toolbox) -> Next:
    outcome = Outcome(kind=OutcomeKind.INTERRUPTED, summary="Stopped before it was reviewed.")
    ended = tools.ledger.attempts.end(key, Stage.REVIEW, holder=holder, outcome=outcome, goes_on=False)
    return Next.GO_ON if ended else Next.DROP


def _seated(key: StageKey, holder: str, run: RunRecord, record: TaskRecord, tools: Toolbox) -> Reserve | str | None:
    """What the reviewer may use, once it has a slot; why none may be asked; None: not now, or the claim was lost."""
    means = _means(run, record, tools)
    if isinstance(means, str):
        return means
    slot = tools.ledger.attempts.seat(
        key,
        holder=holder,
        cap=tools.settings.max_agents,
        pause=_PATIENCE,
        note="the security reviewer waits for a free slot",
        reserve=means,
    )
    if slot in (0, -1):
        return None
    return means if slot > 0 else "what is left under the caps is too little for a reviewer"


def _means(run: RunRecord, record: TaskRecord, tools: Toolbox) -> Reserve | str:
    """What the reviewer reserves, as any agent; or why it may not be asked for now. A person is asked then."""
    board, one = tools.ledger.board.look(tools.settings.max_agents), candidate_of(record)
    kind = tools.settings.review_agent or run.request.agent
    wallet = wallet_of(run.request.model_copy(update={"agent": kind}), tools, model=tools.settings.review_model)
    budget = budget_of(board, tools, (one,)).model_copy(update={"wallets": {run.id: wallet}})
    found = budget.ask(one)
    return found.text if isinstance(found, Wait) else found


def _made(
    key: StageKey, run: RunRecord, record: TaskRecord, lease: Lease, tools: Toolbox, *, means: Reserve | str
) -> Review | None:
    """The review of the head as it merges into the base now; None where the claim was lost or a stop came."""
    repository, work = run.request.portfolio.repository(record.spec.repo), tools.workshop
    work.refresh(repository)
    base = work.head(repository, record.spec.base)
    if base is None:
        raise GitError(f"{repository.name} has no branch {record.spec.base} any more.")
    diff = work.diff(repository, base, record.head)
    none = no_review("", head=record.head, base=base, merge_base=diff.merge_base)
    none = none.model_copy(update={"cost_usd": 0.0, "tokens": 0})  # as long as nobody was asked
    if isinstance(means, str):
        return none.model_copy(update={"why": one_line(means, 400)})
    preview = work.preview(repository, base, record.head)
    patch = work.patch(repository, base, record.head, MOST_PATCH)
    if patch is None or diff.truncated or not preview.commit:
        words = "it does not merge" if not preview.commit else "the change is too large to be shown whole"
        return none.model_copy(update={"why": words})
    asked = review_question(
        record.spec,
        repository=repository.name,
        head=record.head,
        patch=patch,
        why=_why(record, [change.path for change in diff.files], repository, tools),
        gate=_gate_words(repository, preview.tree, tools),
    )
    kind = tools.settings.review_agent or run.request.agent
    began = time.monotonic()
    try:
        consultant = tools.consultant_of(kind)
        tools.doing(Phase.REVIEWING, kind)
        with work.checkout(repository, preview.commit) as tree:
            result = consult(consultant, _question(key, asked, str(tree), lease, tools, may_use=means.amount), lease)
    except (SandboxUnavailable, AgentUnavailable, UsageError) as error:
        return none.model_copy(update={"why": one_line(str(error), 400), "agent": kind, "patch": asked.patch})
    if result is None:
        return None
    tell_unlisted(key, "The security reviewer", result.unlisted, tools)
    known = none.model_copy(update={"agent": kind, "patch": asked.patch, "seconds": time.monotonic() - began})
    return _read(result, asked, known, tools)


def _question(key: StageKey, asked: Asked, tree: str, lease: Lease, tools: Toolbox, *, may_use: Amount) -> Question:
    beat, grace = last_beat(tools.settings)
    return Question(
        key=key,
        purpose="review",
        text=asked.text,
        schema_text=SCHEMA,
        tree=tree,
        model=tools.settings.review_model,
        max_usd=None if may_use.micros is None else in_dollars(may_use.micros),
        max_tokens=may_use.tokens,
        seconds=tools.settings.review_limit,
        beat_seconds=beat,
        grace_seconds=grace,
        renewed_at=lease.renewed_at,
    )


def _read(result: AgentResult, asked: Asked, known: Review, tools: Toolbox) -> Review:
    """An answer counts only from a session that ended well; everything else is no review."""
    dollars, tokens = measured(result)
    seen = {
        "model": tools.settings.review_model or tools.settings.model,
        "version": one_line(result.version, 60),
        "unsandboxed": result.unsandboxed,
        "cost_usd": dollars,
        "tokens": tokens,
        "answer": hashlib.sha256(result.answer.encode("utf-8", "surrogateescape")).hexdigest() if result.answer else "",
    }
    known = known.model_copy(update=seen)
    if result.end is not AgentEnd.DONE:
        spent = result.end is AgentEnd.QUOTA
        why = one_line(f"the reviewer ended as {'no quota' if spent else result.end}. {result.detail}", 400)
        return known.model_copy(update={"why": why, "resets_at": result.resets_at if spent else None})
    if not result.answer:
        return known.model_copy(update={"why": "the reviewer gave no answer"})
    try:
        verdict, summary, findings = read_review(tools.secrets.redact(result.answer), asked.mark)
    except NoAnswerError as error:
        return known.model_copy(update={"why": one_line(str(error), 400)})
    return known.model_copy(update={"verdict": verdict, "summary": summary, "findings": findings})


def _why(record: TaskRecord, files: list[str], repository: Repository, tools: Toolbox) -> str:
    globs = (*repository.sensitive, *tools.settings.sensitive_paths)
    return sensitive_reason(files, extra_globs=globs) or record.spec.sensitive or ""


def _gate_words(repository: Repository, tree: str, tools: Toolbox) -> str:
    known = known_gate(repository, tree, tools)
    return str(known.end if known else GateEnd.UNAVAILABLE)
