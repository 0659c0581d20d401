"""How an agent's session becomes an outcome: what ended it, and whether git has anything to show for it."""

from __future__ import annotations

from ops_orchestrate.core.agent import AgentEnd, AgentResult
from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.change import Collected
from ops_orchestrate.core.names import clean_text, one_line
from ops_orchestrate.core.value import Value

_KINDS: dict[AgentEnd, OutcomeKind] = {
    AgentEnd.FAILED: OutcomeKind.FAILED,
    AgentEnd.CRASHED: OutcomeKind.CRASHED,
    AgentEnd.TIMED_OUT: OutcomeKind.TIMED_OUT,
    AgentEnd.UNSTARTED: OutcomeKind.UNSTARTED,
    AgentEnd.QUOTA: OutcomeKind.QUOTA,
}

_STALLS = frozenset({"stalled", "never-started"})


class Ended(Value):
    """A session that is over."""

    result: AgentResult
    stopped: str = ""
    """Why we stopped it: `salvage`, `now`, `cancel`, `stalled`, `never-started`, `message` (to be told something),
    `blocker` (what it was to build on has ended otherwise); empty if it ended by itself."""
    detail: str = ""


def ending(ended: Ended, collected: Collected, *, base: str) -> Outcome:
    """The outcome of the attempt's first stage.

    A session that ended well is judged by its commits, also when a stop was on its way: a completion from a
    "stalled" attempt counts. A claim of success without a commit is EMPTY. One that says it is blocked waits for a
    person's answer, whatever it committed before; without a question nobody could answer, so it has failed.
    """
    result = ended.result
    kind = _kind(ended, collected)
    report = result.report
    return Outcome(
        kind=kind,
        summary=_summary(kind, ended, collected),
        log_tail=clean_text(result.log_tail, 8_000),
        head=collected.head or "",
        base=base,
        ask="retry" if kind is OutcomeKind.WAITING else "",
        cost_usd=measured(result)[0],
        tokens=measured(result)[1],
        unsandboxed=result.unsandboxed,
        hand_over=clean_text(report.hand_over, 4_000) if report else "",
        agent_version=one_line(result.version, 60),
        resets_at=result.resets_at if kind is OutcomeKind.QUOTA else 0.0,
    )


def unspent(outcome: Outcome) -> Outcome:
    """The same of an attempt that never got as far as an agent: it is known to have used nothing."""
    return outcome.model_copy(update={"cost_usd": 0.0, "tokens": 0})


def measured(result: AgentResult) -> tuple[float | None, int | None]:
    """(dollars, tokens): what was counted outside the agent wins over what it says."""
    said = (result.report.cost_usd, result.report.tokens) if result.report else (None, None)
    if result.usage is None:
        return said
    if not result.usage.calls:  # the way to its model was not used
        return said[0] or 0.0, said[1] or 0
    return said[0] if result.usage.usd is None else result.usage.usd, result.usage.total.all


def _kind(ended: Ended, collected: Collected) -> OutcomeKind:
    result = ended.result
    if result.end is AgentEnd.DONE:
        if result.report and result.report.status == "blocked":  # it says itself that what it made is not the task
            return OutcomeKind.WAITING if result.report.question else OutcomeKind.FAILED
        if collected.problem:
            return OutcomeKind.FAILED
        return OutcomeKind.SUCCEEDED if collected.head else OutcomeKind.EMPTY
    if ended.stopped in _STALLS:
        return OutcomeKind.STALLED
    if ended.stopped == "message":
        return OutcomeKind.REDIRECTED
    if ended.stopped or result.end is AgentEnd.STOPPED:
        return OutcomeKind.INTERRUPTED
    if result.report and result.report.status == "blocked" and result.report.question:
        return OutcomeKind.WAITING
    return _KINDS[result.end]


def _summary(kind: OutcomeKind, ended: Ended, collected: Collected) -> str:
    report = ended.result.report
    said = one_line(report.summary, 400) if report else ""
    if kind is OutcomeKind.WAITING and report:
        return f"The agent asks: {one_line(report.question, 400)}"
    if collected.problem:
        return f"What it made could not be imported: {one_line(collected.problem, 300)}"
    if kind is OutcomeKind.EMPTY:
        return f"It says it is done and changed nothing. {said}".strip()
    if kind is OutcomeKind.SUCCEEDED:
        return said
    return " ".join(part for part in (ended.detail, one_line(ended.result.detail, 300), said) if part)
