"""A picture of a run while events are being painted into it: put together once, at the end."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.event import Event
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.report import read
from ops_orchestrate.report.held import with_held
from ops_orchestrate.report.view import AttemptView, NoteView, RunView, TaskView

_STATES = {str(state): state for state in TaskState}


class Draft:
    """A picture being painted: run fields and tasks that have changed, put together once at the end."""

    def __init__(self, view: RunView) -> None:
        self.was = view
        self.run: dict[str, Any] = {}
        self.tasks = dict(view.tasks)
        self.slots = dict(view.slots)
        self.owners = list(view.owners)
        self.lists: dict[str, dict[Any, None]] = {}

    def takes(self, event: Event) -> bool:
        name, last = self.get("run"), self.get("last_seq")
        if (name and event.run != name) or (last is not None and event.seq <= last):
            return False
        self.run.update(run=event.run, last_seq=event.seq, last_at=event.at)
        return True

    def get(self, name: str) -> Any:
        return self.run[name] if name in self.run else getattr(self.was, name)

    def add(self, name: str, *values: Any) -> None:
        """Append to a list of the run, each value once."""
        known = self.lists.setdefault(name, dict.fromkeys(getattr(self.was, name)))
        known.update(dict.fromkeys(values))

    def drop_refusals(self, repo: str, what: str) -> None:
        """Forget what stood against that change of the run's own in that repository."""
        known = self.lists.setdefault("refusals", dict.fromkeys(self.was.refusals))
        for refusal in [one for one in known if repo and (one.repo, one.what) == (repo, what)]:
            del known[refusal]

    def task(self, event: Event, **changes: Any) -> TaskView | None:
        """Change the event's task; one that was never planned is made up, so that nothing is hidden."""
        if event.task is None:
            return None
        name = read.text({"id": event.task}, "id")
        task = self.tasks.get(name) or TaskView(id=name)
        self.tasks[name] = task.model_copy(update=changes) if changes else task
        return self.tasks[name]

    def attempt(self, event: Event, **changes: Any) -> None:
        """Change the event's attempt, or the newest one where the event names none."""
        task = self.task(event)
        if task is None or (event.attempt is None and not task.attempts):
            return
        number = task.attempts[-1].number if event.attempt is None else event.attempt
        found = [a for a in task.attempts if a.number == number] or [AttemptView(number=number)]
        changed = found[-1].model_copy(update=changes)
        others = [a for a in task.attempts if a.number != number]
        self.task(event, attempts=tuple(sorted([*others, changed], key=lambda a: a.number)))

    def view(self) -> RunView:
        tasks = with_held(self.tasks)
        update = {**self.run, "tasks": tasks, "slots": self.slots, "owners": tuple(self.owners)}
        update.update({name: tuple(values) for name, values in self.lists.items()})
        return self.was.model_copy(update=update)


def present(**values: Any) -> dict[str, Any]:
    """Only what says something: an event that is silent about a field does not wipe it."""
    return {name: value for name, value in values.items() if value not in ("", None, ())}


def open_again(draft: Draft) -> None:
    if draft.get("state") not in ("", RunState.AUDITING):
        draft.run.update(finished=None, state=str(RunState.RUNNING), reason="")


def note_sandbox(draft: Draft, event: Event) -> None:
    if read.flag(event.data, "unsandboxed"):
        draft.run["unsandboxed"] = True


def add_note(draft: Draft, kind: str, project: str, title: str) -> None:
    if title:
        draft.add("notes", NoteView(kind=kind, project=project, title=title))


def state_word(data: read.Data, key: str) -> TaskState | None:
    word = read.text(data, key)
    return _STATES.get(word)
