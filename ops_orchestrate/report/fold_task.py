"""What the events of a task, and of what it holds, add to the picture."""

from __future__ import annotations

from collections.abc import Callable

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.own_change import NOUNS, OwnKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report import read
from ops_orchestrate.report.draft import Draft, open_again, present, state_word
from ops_orchestrate.report.view import OwnerView, RefusalView, SlotView


def _task_planned(draft: Draft, event: Event) -> None:
    data = event.data
    words = (
        "project",
        "repo",
        "title",
        "priority",
        "label",
        "mode",
        "mode_reason",
        "member",
        "gate",
        "base",
        "sensitive",
        "human",
        "detail",
        "part_of",
        "split_by",
        "big",
    )
    draft.task(
        event,
        **{name: read.text(data, name) for name in words},
        **{name: read.texts(data, name) for name in ("blocked_by", "paths", "acceptance")},
        wave=read.whole(data, "wave") or 0,
        estimate=read.number(data, "estimate"),
    )


def _settled(draft: Draft, event: Event) -> None:
    data = event.data
    state = state_word(data, "state")
    if state is None:
        return
    task = draft.task(event)
    resolving = read.text(data, "command", 1000)
    if task is not None and state is TaskState.BLOCKED and not resolving and task.refusals:
        resolving = task.refusals[-1].command
    draft.task(
        event,
        state=state,
        reason=read.text(data, "reason"),
        ask=read.text(data, "ask") if state is TaskState.BLOCKED else "",
        command=resolving if state is TaskState.BLOCKED else "",
        settled_at=event.at,
        wake_at=None,
        **present(merge=read.text(data, "merge"), head=read.text(data, "head"), change=read.text(data, "change")),
    )


def _reopened(draft: Draft, event: Event) -> None:
    task = draft.task(event)
    if task is None:
        return
    to = state_word(event.data, "to") or TaskState.QUEUED
    answer = read.text(event.data, "answer")
    draft.task(event, state=to, reason=answer, ask="", command="", settled_at=None, reopened=task.reopened + 1)
    open_again(draft)


def _split(draft: Draft, event: Event) -> None:
    """It waits for its parts beside what it waited for."""
    task = draft.task(event)
    if task is not None:
        parts = read.texts(event.data, "parts")
        waits = (*task.blocked_by, *parts)
        why = read.text(event.data, "text")
        draft.task(
            event, parts=parts, blocked_by=waits, state=TaskState.QUEUED, reason=why, split_why=why, wake_at=None
        )


def _snoozed(draft: Draft, event: Event) -> None:
    draft.task(event, wake_at=read.number(event.data, "wake_at"), note=read.text(event.data, "note"))


def _slot_taken(draft: Draft, event: Event) -> None:
    index = read.whole(event.data, "slot")
    task = draft.task(event)
    if index is not None and task is not None:
        draft.run.update(waiting="", waiting_until=None)
        draft.slots[index] = SlotView(index=index, task=task.id, attempt=event.attempt, fence=event.fence)


def _slot_released(draft: Draft, event: Event) -> None:
    index = read.whole(event.data, "slot")
    if index is not None:
        draft.slots.pop(index, None)


def _ownership_taken(draft: Draft, event: Event) -> None:
    task = draft.task(event)
    if task is not None:
        repo, paths = read.text(event.data, "repo"), read.texts(event.data, "paths")
        draft.owners.append(OwnerView(repo=repo, task=task.id, fence=event.fence, paths=paths))


def _ownership_released(draft: Draft, event: Event) -> None:
    task = draft.task(event)
    repo = read.text(event.data, "repo")
    name = task.id if task is not None else ""
    draft.owners = [o for o in draft.owners if (o.repo, o.task, o.fence) != (repo, name, event.fence)]


def _merge_refused(draft: Draft, event: Event) -> None:
    data = event.data
    reason, command = read.text(data, "reason"), read.text(data, "command", 1000)
    by, repo = read.text(data, "name") or read.text(data, "repo") or "forge", read.text(data, "repo")
    task = draft.task(event)
    refusal = RefusalView(at=event.at, by=by, reason=reason, command=command)
    if task is None:
        # The newest word on a repository's promotion, back-merge or revert is the one that counts.
        what = read.text(data, "what") or NOUNS[OwnKind.PROMOTE]
        draft.drop_refusals(repo, what)
        draft.add("refusals", refusal.model_copy(update={"repo": repo, "what": what, "ask": read.text(data, "ask")}))
    else:
        draft.task(event, refusals=(*task.refusals, refusal))


TASK_RULES: dict[str, Callable[[Draft, Event], None]] = {
    EventKind.TASK_PLANNED: _task_planned,
    EventKind.TASK_SETTLED: _settled,
    EventKind.TASK_REOPENED: _reopened,
    EventKind.TASK_SPLIT: _split,
    EventKind.TASK_SNOOZED: _snoozed,
    EventKind.SLOT_TAKEN: _slot_taken,
    EventKind.SLOT_RELEASED: _slot_released,
    EventKind.OWNERSHIP_TAKEN: _ownership_taken,
    EventKind.OWNERSHIP_RELEASED: _ownership_released,
    EventKind.MERGE_REFUSED: _merge_refused,
}
