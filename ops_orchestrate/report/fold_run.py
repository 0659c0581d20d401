"""What the events of a run as a whole add to its picture."""

from __future__ import annotations

from collections.abc import Callable

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.own_change import NOUNS, OwnKind
from ops_orchestrate.core.states import RunState
from ops_orchestrate.report import read
from ops_orchestrate.report.draft import Draft, add_note, note_sandbox, open_again
from ops_orchestrate.report.view_own import PromotionView, RevertView

_WORDS = ("mode", "mode_note", "scope", "origin", "digest", "agent", "version")
_STATES = frozenset(map(str, RunState))
_FLAGS = ("dry_run", "fires_only", "no_main", "force")


def _begun(draft: Draft, event: Event) -> None:
    data = event.data
    draft.run.update({name: read.text(data, name) for name in _WORDS})
    draft.run.update({name: read.flag(data, name) for name in _FLAGS})
    draft.run.update(
        began=event.at,
        state=str(RunState.AUDITING),
        host=read.text({"host": event.host}, "host"),
        max_waves=read.whole(data, "max_waves"),
        projects=read.texts(data, "projects"),
    )
    draft.add("skipped", *read.left_out(data, "skipped"))
    draft.add("warnings", *read.texts(data, "warnings"))
    note_sandbox(draft, event)


def _audited(draft: Draft, event: Event) -> None:
    draft.add("skipped", *read.left_out(event.data, "skipped"))
    draft.add("unknown", *read.left_out(event.data, "unknown"))


def _planned(draft: Draft, event: Event) -> None:
    _audited(draft, event)
    for note in read.tables(event.data, "notes"):
        add_note(draft, read.text(note, "kind"), read.text(note, "project"), read.text(note, "title"))
    draft.run.update(planned=event.at, state=str(RunState.RUNNING))


def _stopping(draft: Draft, event: Event) -> None:
    draft.run["stop"] = read.text(event.data, "how") or "salvage"


def _resumed(draft: Draft, event: Event) -> None:
    open_again(draft)
    draft.run.update(stop="", waiting="", waiting_until=None)


def _finished(draft: Draft, event: Event) -> None:
    draft.run.update(finished=event.at, reason=read.text(event.data, "reason"))
    state = read.text(event.data, "state")
    if state in _STATES:
        draft.run["state"] = state


def _waits(draft: Draft, event: Event) -> None:
    draft.run.update(waiting=read.text(event.data, "reason"), waiting_until=read.number(event.data, "until"))


def _warned(draft: Draft, event: Event) -> None:
    line = read.text(event.data, "text")
    if line:
        draft.add("warnings", line)


def _promoted(draft: Draft, event: Event) -> None:
    """Everything merged into the promoted branch of that repository so far is on the other one now."""
    data = event.data
    words = {name: read.text(data, name) for name in ("repo", "name", "commit")}
    made = PromotionView(source=read.text(data, "from"), target=read.text(data, "to"), at=event.at, **words)
    draft.add("promotions", made)
    draft.drop_refusals(made.repo, NOUNS[OwnKind.PROMOTE])
    for task in draft.tasks.values():
        on_source = not made.source or not task.merged_into or task.merged_into == made.source
        if task.repo == made.repo and task.merge and on_source and not task.promoted_to:
            where = {"promoted_to": made.target or "main", "promoted_as": made.commit}
            draft.tasks[task.id] = task.model_copy(update=where)


def _brought_back(draft: Draft, event: Event) -> None:
    draft.drop_refusals(read.text(event.data, "repo"), NOUNS[OwnKind.BACK])


def _reverted(draft: Draft, event: Event) -> None:
    """What that merge had brought to the branch is there no more."""
    data = event.data
    words = {name: read.text(data, name) for name in ("repo", "name", "commit", "reverts")}
    made = RevertView(target=read.text(data, "to"), at=event.at, **words)
    draft.add("reverts", made)
    draft.drop_refusals(made.repo, NOUNS[OwnKind.REVERT])
    for task in draft.tasks.values():
        if made.reverts and task.repo == made.repo and task.promoted_as == made.reverts:
            draft.tasks[task.id] = task.model_copy(update={"promoted_to": "", "promoted_as": ""})


RUN_RULES: dict[str, Callable[[Draft, Event], None]] = {
    EventKind.RUN_BEGUN: _begun,
    EventKind.RUN_PLANNED: _planned,
    EventKind.RUN_STOPPING: _stopping,
    EventKind.RUN_RESUMED: _resumed,
    EventKind.RUN_FINISHED: _finished,
    EventKind.AUDIT_PART: _audited,
    EventKind.PROMOTED: _promoted,
    EventKind.BACK_MERGED: _brought_back,
    EventKind.REVERTED: _reverted,
    EventKind.RUN_WAITING: _waits,
    EventKind.WARNING: _warned,
}
