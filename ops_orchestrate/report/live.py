"""One sentence an event, for the command that follows a run. Events that would only make noise have none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.names import short
from ops_orchestrate.core.own_change import NOUNS, OwnKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report import read
from ops_orchestrate.report.amounts import count, duration
from ops_orchestrate.report.cells import for_encoding
from ops_orchestrate.report.commands import next_command
from ops_orchestrate.report.fold_attempt import HAND_OVER
from ops_orchestrate.report.money import waiting_words
from ops_orchestrate.report.view import RunView, TaskView


def event_line(event: Event, view: RunView, encoding: str | None = "utf-8") -> str | None:
    """What happened, in one line; None where it is not worth one.

    `view` is the picture with the event already folded in; `encoding` is the output's.
    """
    say = _SENTENCES.get(event.kind)
    line = say(event, view) if say else None
    return for_encoding(line, encoding) if line else None


def _task(event: Event) -> str:
    return read.text({"id": event.task}, "id") or "?"


def _of(event: Event, view: RunView) -> TaskView | None:
    return view.tasks.get(_task(event))


def _begun(event: Event, view: RunView) -> str:
    dry = ", dry run" if view.dry_run else ""
    return f"▸ run {view.run}: {count(len(view.projects), 'project')}, mode {view.mode or '—'}{dry}"


def _audited(event: Event, view: RunView) -> str:
    found = read.whole(event.data, "findings") or 0
    unknown = len(read.left_out(event.data, "unknown"))
    tail = f", {unknown} unknown" if unknown else ""
    return f"  audited {_part(read.text(event.data, 'part'), view.projects)}: {count(found, 'finding')}{tail}"


def _part(name: str, projects: Sequence[str]) -> str:
    """A part of the audit as people call it: `projects:0-4` is the first four projects of the run."""
    kind, _, what = name.partition(":")
    if kind == "source":
        return "the tasks file" if what == "tasks-file" else what
    first, _, last = what.partition("-")
    if kind != "projects" or not (first.isdecimal() and last.isdecimal()):
        return name or "a part"
    meant = projects[int(first[:6]) : int(last[:6])]
    return ", ".join(meant) if 0 < len(meant) < 4 else count(len(meant), "project")


def _planned(event: Event, view: RunView) -> str:
    tasks = read.whole(event.data, "tasks")
    waves = read.whole(event.data, "waves")
    line = f"▸ planned {count(len(view.tasks) if tasks is None else tasks, 'task')}"
    if waves is not None:
        line += f" in {count(waves, 'wave')}"
    parts = [f"{len(view.skipped)} skipped"] if view.skipped else []
    parts += [f"{len(view.unknown)} unknown"] if view.unknown else []
    return line + (f" ({', '.join(parts)})" if parts else "")


def _started(event: Event, view: RunView) -> str:
    task, name = _of(event, view), _task(event)
    slot = next((s.index for s in view.slots.values() if s.task == name), None)
    told = [] if event.attempt is None else [f"attempt {event.attempt}"]
    told += [] if slot is None else [f"slot {slot}"]
    newest = task.newest if task else None
    where = f" on {newest.host}" if newest and newest.host else ""
    return f"▸ {name} started{where}" + (f" ({', '.join(told)})" if told else "")


def _ended(event: Event, view: RunView) -> str:
    outcome = read.text(event.data, "outcome") or "ended"
    seconds = read.number(event.data, "seconds")
    after = f" after {duration(seconds)}" if seconds is not None else ""
    if outcome == OutcomeKind.SUCCEEDED:
        head = short(read.text(event.data, "head"))
        return f"  {_task(event)} delivered {head or 'a commit'}{after}; it is being verified"
    summary = read.text(event.data, "summary")
    if outcome == OutcomeKind.PLANNED:
        return f"▸ {_task(event)}: an agent was asked how to split it{after}" + (f"; {summary}" if summary else "")
    number = f"attempt {event.attempt}" if event.attempt is not None else "the attempt"
    return f"✗ {_task(event)}: {number} {outcome}{after}" + (f": {summary}" if summary else "")


def _said(event: Event, view: RunView) -> str | None:
    line = read.text(event.data, "text")
    return f"  {_task(event)}: {line}" if line else None


def _sent(event: Event, view: RunView) -> str:
    words = {name: read.text(event.data, name) for name in ("from", "text")}
    return f"  message from {words['from'] or '?'} to {_called(event, view)}: {words['text']}"


def _told(event: Event, view: RunView) -> str | None:
    """What was told at once; what stands in a brief is told with its start."""
    if read.text(event.data, "how") != "session":
        return None
    number = read.whole(event.data, "number")
    return (
        f"  {_called(event, view)} was told{f' message {number}' if number else ': ' + read.text(event.data, 'text')}"
    )


def _called(event: Event, view: RunView) -> str:
    task = _of(event, view)
    return (task.member if task else "") or _task(event)


def _lost(event: Event, view: RunView) -> str:
    stage = read.text(event.data, "stage") or "a stage"
    if read.text(event.data, "why") == "nobody claimed it":
        return f"… {_task(event)}: {stage} waits for a free worker; it was published once more"
    return f"↻ {_task(event)}: {stage} was lost with its worker and is repeated"


def _judged(event: Event, view: RunView) -> str:
    kind = read.text(event.data, "kind") or "judged"
    summary, rule = read.text(event.data, "summary"), read.text(event.data, "rule")
    if kind == OutcomeKind.VERIFIED:
        return f"✓ {_task(event)} verified"
    by = f" by {rule}" if rule else ""
    held = kind == OutcomeKind.WAITING
    return f"{'■' if held else '✗'} {_task(event)} {'held' if held else kind}{by}" + (f": {summary}" if summary else "")


def _looked_at(event: Event, view: RunView) -> str | None:
    """What a task was told about the work that it builds on; other evidence is for the report."""
    if event.task is None or read.text(event.data, "what") != HAND_OVER:
        return None
    told = read.text(event.data, "text") or f"merged as {short(read.text(event.data, 'merge')) or '?'}"
    return f"  hand-over from {read.text(event.data, 'from') or '?'} to {_task(event)}: {told}"


def _merged(event: Event, view: RunView) -> str:
    branch = read.text(event.data, "branch") or "its base"
    return f"✓ {_task(event)} merged into {branch} as {short(read.text(event.data, 'commit')) or '?'}"


def _refused(event: Event, view: RunView) -> str:
    reason = read.text(event.data, "reason") or "refused"
    if event.task:
        return f"■ {_task(event)} not merged: {reason}"
    named = read.text(event.data, "name") or read.text(event.data, "repo") or "a repository"
    if read.text(event.data, "ask"):
        return f"■ {named}: {reason} → {read.text(event.data, 'command', 1000)}"
    what = read.text(event.data, "what") or NOUNS[OwnKind.PROMOTE]
    return f"■ {named} not promoted: {reason}" if what == NOUNS[OwnKind.PROMOTE] else f"■ {named}, {what}: {reason}"


def _settled(event: Event, view: RunView) -> str | None:
    task, name = _of(event, view), _task(event)
    state, reason = read.text(event.data, "state"), _new_in(read.text(event.data, "reason"), task)
    told = f": {reason}" if reason else ""
    if state == TaskState.COMPLETED:
        return f"✓ {name} done ({len(view.of_state(TaskState.COMPLETED))}/{len(view.tasks)})"
    if state == TaskState.BLOCKED:
        answer = next_command(view.run, task) if task else ""
        return f"■ {name} waits for you{told}" + (f" → {answer}" if answer else "")
    interrupted = task is not None and task.newest is not None and task.newest.outcome == OutcomeKind.INTERRUPTED
    again = "goes back to those that wait" if interrupted else "will be tried again with a different brief"
    words: dict[str, str] = {
        TaskState.RETRYABLE: f"↻ {name} {again}{told}",
        TaskState.DISCARDED: f"✗ {name} given up{told}",
        TaskState.CANCELLED: f"– {name} cancelled{told}",
    }
    return words.get(state)


def _new_in(reason: str, task: TaskView | None) -> str:
    """The reason without what the line before has said already: how the attempt ended, or what was found in it."""
    said = task.newest.summary if task and task.newest else ""
    if not said or said not in reason:
        return reason
    rest = reason[: reason.index(said)].rstrip(": ")
    return rest if " " in rest else ""


def _reopened(event: Event, view: RunView) -> str:
    answer, by = read.text(event.data, "answer"), read.text(event.data, "by")
    told = " ".join(part for part in (f"“{answer}”" if answer else "", f"from {by}" if by else "") if part)
    return f"▸ {_task(event)} goes on" + (f": {told}" if told else "")


def _regated(event: Event, view: RunView) -> str:
    words = {name: read.text(event.data, name) for name in ("repo", "name", "gate", "origin")}
    named = words["name"] or words["repo"]
    return f"▸ {named} has the gate `{words['gate']}` from now on, from {words['origin'] or 'the registry'}"


def _snoozed(event: Event, view: RunView) -> str:
    wake = read.number(event.data, "wake_at")
    until = f" for {duration(max(0.0, wake - event.at))}" if wake is not None else ""
    note = read.text(event.data, "note")
    return f"  {_task(event)} waits{until}" + (f": {note}" if note else "")


def _salvaged(event: Event, view: RunView) -> str:
    return f"  {_task(event)}: unfinished work is kept as {read.text(event.data, 'ref') or 'a ref'}"


def _promoted(event: Event, view: RunView) -> str:
    words = {name: read.text(event.data, name) for name in ("repo", "name", "from", "to", "commit")}
    return f"✓ {words['name'] or words['repo']}: {words['from']} promoted to {words['to']} ({short(words['commit'])})"


def _brought_back(event: Event, view: RunView) -> str:
    words = {name: read.text(event.data, name) for name in ("repo", "name", "from", "to")}
    return f"✓ {words['name'] or words['repo']}: {words['from']} brought back to {words['to']}"


def _reverted(event: Event, view: RunView) -> str:
    words = {name: read.text(event.data, name) for name in ("repo", "name", "to", "reverts", "change")}
    by = f" by {words['change']}" if words["change"] else ""
    return f"✓ {words['name'] or words['repo']}: {short(words['reverts'])} on {words['to']} taken back{by}"


def _warned(event: Event, view: RunView) -> str | None:
    line = read.text(event.data, "text")
    named = _task(event) in re.findall(r"[\w.-]+", line)
    whose = f"{_task(event)}: " if event.task and not named else ""
    return f"■ warning: {whose}{line}" if line else None


def _parked(event: Event, view: RunView) -> str:
    account, until = read.text(event.data, "account"), read.number(event.data, "until")
    rest = f" for {duration(max(0.0, until - event.at))}" if until is not None else ""
    return f"■ {account} has no quota{rest}: nothing is started with it"


def _waits(event: Event, view: RunView) -> str:
    return f"  {count(len(read.texts(event.data, 'tasks')), 'task')} waiting: {waiting_words(view)}"


def _stopping(event: Event, view: RunView) -> str:
    now = " without salvage" if read.text(event.data, "how") == "now" else "; unfinished work is kept"
    return f"■ stopping{now}"


def _resumed(event: Event, view: RunView) -> str:
    return f"▸ run {view.run} goes on"


def _finished(event: Event, view: RunView) -> str:
    reason = f": {view.reason}" if view.reason else ""
    return f"▸ run {view.run} {view.state or 'finished'} after {duration(view.seconds)}{reason}"


_SENTENCES: dict[str, Callable[[Event, RunView], str | None]] = {
    EventKind.RUN_BEGUN: _begun,
    EventKind.AUDIT_PART: _audited,
    EventKind.RUN_PLANNED: _planned,
    EventKind.ATTEMPT_STARTED: _started,
    EventKind.ATTEMPT_ENDED: _ended,
    EventKind.AGENT_NOTE: _said,
    EventKind.MESSAGE_SENT: _sent,
    EventKind.MESSAGE_DELIVERED: _told,
    EventKind.STAGE_LOST: _lost,
    EventKind.EVIDENCE: _looked_at,
    EventKind.VERDICT: _judged,
    EventKind.MERGE_PROVED: _merged,
    EventKind.MERGE_REFUSED: _refused,
    EventKind.TASK_SETTLED: _settled,
    EventKind.TASK_REOPENED: _reopened,
    EventKind.TASK_SNOOZED: _snoozed,
    EventKind.SALVAGED: _salvaged,
    EventKind.PROMOTED: _promoted,
    EventKind.BACK_MERGED: _brought_back,
    EventKind.REVERTED: _reverted,
    EventKind.WARNING: _warned,
    EventKind.ACCOUNT_PARKED: _parked,
    EventKind.GATE_TAKEN: _regated,
    EventKind.RUN_WAITING: _waits,
    EventKind.RUN_STOPPING: _stopping,
    EventKind.RUN_RESUMED: _resumed,
    EventKind.RUN_FINISHED: _finished,
}
