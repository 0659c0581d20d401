"""What the events of an attempt, from its start to its merge, add to the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.report import read
from ops_orchestrate.report.draft import Draft, add_note, note_sandbox, present
from ops_orchestrate.report.view import HandOverView, MessageView, RefusalView, ReviewView, VerdictView

#: Evidence of this kind says what an attempt was told about the work it builds on.
HAND_OVER = "hand-over"
#: Evidence of this kind is what a security reviewer said.
REVIEW = "security review"
#: Why a stage was lost that somebody was at work on.
LEASE_ENDED = "the lease ended"


def _attempt_started(draft: Draft, event: Event) -> None:
    data = event.data
    host = read.text({"host": event.host}, "host")
    slots = (slot for slot in draft.slots.values() if (slot.task, slot.attempt) == (event.task, event.attempt))
    known = present(
        fence=event.fence,
        slot=next((slot.index for slot in slots), None),
        agent=read.text(data, "agent"),
        branch=read.text(data, "branch"),
        brief=read.text(data, "brief"),
        host=host,
    )
    draft.attempt(event, started=event.at, ended=None, outcome="", **known)
    draft.task(event, state=TaskState.RUNNING, note="", wake_at=None)


def _attempt_ended(draft: Draft, event: Event) -> None:
    data = event.data
    outcome, head = read.text(data, "outcome"), read.text(data, "head")
    draft.attempt(
        event,
        ended=event.at,
        outcome=outcome,
        unsandboxed=read.answer(data, "unsandboxed"),
        **present(
            fence=event.fence,
            summary=read.text(data, "summary"),
            agent_version=read.text(data, "agent_version"),
            head=head,
            seconds=read.number(data, "seconds"),
            cost_usd=read.number(data, "cost_usd"),
            tokens=read.whole(data, "tokens"),
        ),
    )
    goes_on = outcome == OutcomeKind.SUCCEEDED
    draft.task(event, **present(head=head), **({"state": TaskState.VERIFYING} if goes_on else {}))
    note_sandbox(draft, event)


def _agent_said(draft: Draft, event: Event) -> None:
    draft.task(event, note=read.text(event.data, "text"))


def _sent(draft: Draft, event: Event) -> None:
    data, task = event.data, draft.task(event)
    number = read.whole(data, "number")
    if task is None or number is None:
        return
    words = {"sender": read.text(data, "from"), "topic": read.text(data, "topic"), "text": read.text(data, "text")}
    others = [one for one in task.messages if one.number != number]
    draft.task(event, messages=(*others, MessageView(number=number, at=event.at, **words)))


def _told(draft: Draft, event: Event) -> None:
    task, number = draft.task(event), read.whole(event.data, "number")
    if task is None:
        return
    how = read.text(event.data, "how")
    told = [one.model_copy(update={"told": how}) if one.number == number else one for one in task.messages]
    draft.task(event, messages=tuple(told))


def _stage_claimed(draft: Draft, event: Event) -> None:
    states = {
        str(Stage.REVIEW): TaskState.VERIFYING,
        str(Stage.VERIFY): TaskState.VERIFYING,
        str(Stage.LAND): TaskState.SHIPPING,
    }
    state = states.get(read.text(event.data, "stage"))
    if state is not None:
        draft.task(event, state=state, wake_at=None)


def _evidence(draft: Draft, event: Event) -> None:
    """What verify looked at; and, without a task, what the audit noticed."""
    data = event.data
    what = read.text(data, "what")
    note_sandbox(draft, event)
    if event.task is None:
        add_note(draft, what, read.text(data, "project"), read.text(data, "text") or read.text(data, "title"))
        return
    if what == HAND_OVER:
        _handed_over(draft, event)
    if what == REVIEW:
        _reviewed(draft, event)
    draft.task(event, **present(change=read.text(data, "change")))
    told = present(branch=read.text(data, "branch"), brief=read.text(data, "brief"))
    if told:
        draft.attempt(event, **told)


def _handed_over(draft: Draft, event: Event) -> None:
    """The newest word from each source: another attempt is told again."""
    task = draft.task(event)
    source = read.text(event.data, "from")
    if task is None or not source:
        return
    others = [one for one in task.hand_overs if one.source != source]
    given = HandOverView(source=source, text=read.text(event.data, "text"))
    draft.task(event, hand_overs=(*others, given))


def _reviewed(draft: Draft, event: Event) -> None:
    data = event.data
    task = draft.task(event)
    if task is None:
        return
    findings = data.get("findings")
    words = ("verdict", "why", "summary", "head", "base", "agent", "model")
    made = ReviewView(
        at=event.at,
        attempt=event.attempt,
        findings=len(findings) if isinstance(findings, list) else 0,
        cost_usd=read.number(data, "cost_usd"),
        **{name: read.text(data, name) for name in words},
    )
    draft.task(event, reviews=(*task.reviews, made))
    known = next((one for one in task.attempts if one.number == event.attempt), None)
    cost, tokens = made.cost_usd, read.whole(data, "tokens")
    if known is not None:
        draft.attempt(
            event,
            review_usd=known.review_usd if cost is None else (known.review_usd or 0.0) + cost,
            review_tokens=known.review_tokens if tokens is None else (known.review_tokens or 0) + tokens,
            reviews_unpriced=known.reviews_unpriced + (cost is None),
        )


def _stage_lost(draft: Draft, event: Event) -> None:
    """A reviewer that was lost has cost something, and nobody can say what."""
    begun = read.text(event.data, "why") == LEASE_ENDED and read.text(event.data, "stage") == Stage.REVIEW
    task = draft.task(event) if begun else None
    known = next((one for one in task.attempts if one.number == event.attempt), None) if task else None
    if known is not None:
        draft.attempt(event, reviews_unpriced=known.reviews_unpriced + 1)


def _verdict(draft: Draft, event: Event) -> None:
    data = event.data
    task = draft.task(event)
    if task is None:
        return
    made = VerdictView(
        at=event.at,
        attempt=event.attempt,
        **{name: read.text(data, name) for name in ("kind", "rule", "summary", "head", "base", "tree")},
    )
    changes: dict[str, Any] = {"verdicts": (*task.verdicts, made), **present(head=made.head)}
    if made.kind == OutcomeKind.VERIFIED:
        changes["state"] = TaskState.SHIPPING
    elif made.kind == OutcomeKind.REFUSED:
        command = read.text(data, "command", 1000)
        refusal = RefusalView(at=event.at, by=made.rule or "guard", reason=made.summary, command=command)
        changes["refusals"] = (*task.refusals, refusal)
    draft.task(event, **changes)
    draft.attempt(event, outcome=made.kind, **present(summary=made.summary))
    note_sandbox(draft, event)


def _merge_intended(draft: Draft, event: Event) -> None:
    task = draft.task(event)
    if task is not None and not task.settled:
        draft.task(event, state=TaskState.SHIPPING)


def _merge_proved(draft: Draft, event: Event) -> None:
    data = event.data
    if event.task is None:
        return
    draft.task(
        event,
        merge=read.text(data, "commit"),
        merged_into=read.text(data, "branch"),
        merged_at=event.at,
        **present(head=read.text(data, "head"), change=read.text(data, "change")),
    )
    draft.attempt(event, outcome=str(OutcomeKind.MERGED))


def _salvaged(draft: Draft, event: Event) -> None:
    draft.attempt(event, salvage=read.text(event.data, "ref"))


ATTEMPT_RULES: dict[str, Callable[[Draft, Event], None]] = {
    EventKind.ATTEMPT_STARTED: _attempt_started,
    EventKind.ATTEMPT_ENDED: _attempt_ended,
    EventKind.AGENT_NOTE: _agent_said,
    EventKind.MESSAGE_SENT: _sent,
    EventKind.MESSAGE_DELIVERED: _told,
    EventKind.STAGE_CLAIMED: _stage_claimed,
    EventKind.STAGE_LOST: _stage_lost,
    EventKind.EVIDENCE: _evidence,
    EventKind.VERDICT: _verdict,
    EventKind.MERGE_INTENDED: _merge_intended,
    EventKind.MERGE_PROVED: _merge_proved,
    EventKind.SALVAGED: _salvaged,
}
