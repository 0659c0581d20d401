"""An outside check of a run, from its events alone: were cap, order, ownership, attempts and merges right?

Shares no code with what it checks and knows nothing but the events' documented fields, so that a mistake in the engine
cannot hide in it. It reads the events of one run in order of `seq`, or those of several runs merged in order of `at`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.report.globs import surely_overlap

#: The user's own number. Written out once more here, because a check must not read it from what it checks.
CAP = 5
_ENDS = frozenset({"completed", "blocked", "cancelled", "discarded"})
#: Ends that a person may still turn into `cancelled` without reopening the task first.
_MAY_BE_CANCELLED = frozenset({"blocked", "discarded"})

_Key = tuple[str, str]


def violations(events: Iterable[Event]) -> list[str]:
    """What the events say that must not be, one sentence each with the event's `seq`. Empty: all is right."""
    checker = _Checker()
    for event in events:
        checker.see(event)
    return checker.found


@dataclass
class _Task:
    blocked_by: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    planned: bool = False
    end: str = ""
    flying: bool = False  # granted, and not settled since
    running: dict[int, int | None] = field(default_factory=dict)  # attempt number -> fence, agent at work
    seen: set[int] = field(default_factory=set)
    fence: int | None = None
    verified: set[str] = field(default_factory=set)
    verified_trees: set[str] = field(default_factory=set)
    intended: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)  # heads that the forge was to make a commit of


@dataclass(frozen=True)
class _Holding:
    run: str
    task: str
    fence: int | None
    paths: tuple[str, ...] = ()


class _Checker:
    """Goes through the events once, remembering only who holds what."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.tasks: dict[_Key, _Task] = {}
        self.slots: dict[int, _Holding] = {}
        self.owners: dict[str, list[_Holding]] = {}
        self.seqs: dict[str, int] = {}
        self.granted: int | None = None

    def see(self, event: Event) -> None:
        last = self.seqs.get(event.run)
        if last is not None and event.seq <= last:
            self.say(event, f"comes after seq {last} of the same run")
        self.seqs[event.run] = event.seq
        rule = _RULES.get(event.kind)
        if rule is not None:
            rule(self, event)

    def say(self, event: Event, what: str) -> None:
        name = f"{event.run}/{event.task}" if event.task else event.run
        self.found.append(f"seq {event.seq} ({event.kind}, {name}): {what}")

    def task(self, event: Event) -> _Task:
        return self.tasks.setdefault((event.run, event.task or ""), _Task())


def _holding(event: Event) -> _Holding:
    return _Holding(event.run, event.task or "", event.fence, _names(event.data.get("paths")))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list | tuple) else ()


def _word(event: Event, key: str) -> str:
    value = event.data.get(key)
    return value if isinstance(value, str) else ""


def _planned(check: _Checker, event: Event) -> None:
    task = check.task(event)
    if task.planned:
        check.say(event, "the task was planned twice")
    task.planned, task.blocked_by = True, _names(event.data.get("blocked_by"))


def _slot_taken(check: _Checker, event: Event) -> None:
    slot = event.data.get("slot")
    if not isinstance(slot, int):
        check.say(event, "names no slot")
        return
    if slot in check.slots:
        holder = check.slots[slot]
        check.say(event, f"slot {slot} is held by {holder.run}/{holder.task} already")
    check.slots[slot] = _holding(event)
    _check_early(check, event)
    check.task(event).flying = True
    if len(check.slots) > CAP:
        check.say(event, f"{len(check.slots)} slots are taken, and {CAP} is the most")
    if event.fence is None:
        check.say(event, "names no fence")
    elif check.granted is not None and event.fence <= check.granted and event.data.get("for") != "review":
        check.say(event, f"fence {event.fence} does not come after {check.granted}")
    check.granted = max(event.fence or 0, check.granted or 0)


def _slot_released(check: _Checker, event: Event) -> None:
    slot = event.data.get("slot")
    holder = check.slots.get(slot) if isinstance(slot, int) else None
    if not isinstance(slot, int) or holder is None:
        check.say(event, f"slot {slot} is released, and nobody holds it")
    elif (holder.run, holder.task, holder.fence) != (event.run, event.task or "", event.fence):
        check.say(event, f"slot {slot} is released, and {holder.run}/{holder.task} holds it")
    else:
        del check.slots[slot]
        task = check.task(event)
        task.flying = task.flying and event.attempt in task.seen  # a grant that nobody claimed


def _owner_taken(check: _Checker, event: Event) -> None:
    repo, new = _word(event, "repo"), _holding(event)
    for other in check.owners.get(repo, []):
        if not new.paths or not other.paths:
            check.say(event, f"{repo} is owned by {other.run}/{other.task} already")
        elif shared := sorted(a for a in new.paths if any(surely_overlap(a, b) for b in other.paths)):
            check.say(event, f"{', '.join(shared)} of {repo} is owned by {other.run}/{other.task} already")
    check.owners.setdefault(repo, []).append(new)


def _owner_released(check: _Checker, event: Event) -> None:
    repo, gone = _word(event, "repo"), (event.run, event.task or "", event.fence)
    owners = check.owners.get(repo, [])
    left = [o for o in owners if (o.run, o.task, o.fence) != gone]
    if len(left) == len(owners):
        check.say(event, f"the ownership of {repo} is released, and the task does not hold it")
    check.owners[repo] = left


def _started(check: _Checker, event: Event) -> None:
    task, number = check.task(event), event.attempt or 0
    if not task.planned:
        check.say(event, "an attempt starts, and the task was never planned")
    if task.end or task.parts:
        check.say(event, f"attempt {number} starts, and the task is {task.end or 'split'}")
    if task.running:
        check.say(event, f"attempt {number} starts while attempt {max(task.running)} is at work")
    if number in task.seen:
        check.say(event, f"attempt {number} starts twice")
    if event.fence is not None and task.fence is not None and event.fence <= task.fence:
        check.say(event, f"fence {event.fence} of attempt {number} does not come after {task.fence}")
    if not any((h.run, h.task, h.fence) == (event.run, event.task, event.fence) for h in check.slots.values()):
        check.say(event, f"attempt {number} starts without a slot")
    task.running[number] = event.fence
    task.seen.add(number)
    at_work = sum(len(other.running) for other in check.tasks.values())
    if at_work > CAP:
        check.say(event, f"{at_work} agents are at work, and {CAP} is the most")
    task.fence = event.fence if event.fence is not None else task.fence
    _check_order(check, event)


def _unfinished(check: _Checker, event: Event) -> list[tuple[str, _Task]]:
    """Blockers of the event's task that have not completed."""
    found = [(name, check.tasks.get((event.run, name), _Task())) for name in check.task(event).blocked_by]
    return [(name, blocker) for name, blocker in found if blocker.end != "completed"]


def _check_order(check: _Checker, event: Event) -> None:
    for name, blocker in _unfinished(check, event):
        if not (event.data.get("early") is True and blocker.flying):
            check.say(event, f"attempt {event.attempt} starts before its blocker {name} has completed")


def _check_early(check: _Checker, event: Event) -> None:
    """A member is granted early only while each blocker that has not completed has an agent at work."""
    for name, blocker in _unfinished(check, event) if event.data.get("early") is True else ():
        if not blocker.running:
            check.say(event, f"it is granted early, and nobody works on its blocker {name}")


def _ended(check: _Checker, event: Event) -> None:
    task, number = check.task(event), event.attempt or 0
    if number not in task.running:
        was = "has ended already" if number in task.seen else "never started"
        check.say(event, f"attempt {number} ends, and it {was}")
    task.running.pop(number, None)


def _settled(check: _Checker, event: Event) -> None:
    task, state = check.task(event), _word(event, "state")
    task.flying = False
    if task.end and not (state == "cancelled" and task.end in _MAY_BE_CANCELLED):
        check.say(event, f"the task is settled as {state}, and it has ended as {task.end} already")
    for name, _ in _unfinished(check, event) if state == "completed" and task.parts else ():
        check.say(event, f"the task is completed before its part {name}")
    if state in _ENDS:
        task.end = state
        if task.running:
            check.say(event, f"the task ends as {state} while attempt {max(task.running)} is at work")


def _split(check: _Checker, event: Event) -> None:
    task, parts = check.task(event), _names(event.data.get("parts"))
    if task.parts or task.running or task.end or len(parts) < 2:
        check.say(event, "a task is split twice, in less than two parts, at work or after its end")
    for name in (one for one in parts if not check.tasks.get((event.run, one), _Task()).planned):
        check.say(event, f"its part {name} was never planned")
    task.parts, task.flying, task.blocked_by = parts, False, (*task.blocked_by, *parts)


def _reopened(check: _Checker, event: Event) -> None:
    task, to = check.task(event), _word(event, "to")
    if task.end == "completed":
        check.say(event, "a completed task is reopened")
    task.end = to if to in _ENDS else ""


def _verdict(check: _Checker, event: Event) -> None:
    if _word(event, "kind") == "verified":
        check.task(event).verified.add(_word(event, "head"))
        check.task(event).verified_trees.add(_word(event, "tree"))


def _intended(check: _Checker, event: Event) -> None:
    task, commit = check.task(event), _word(event, "commit")
    if commit:
        task.intended.add(commit)
    elif _word(event, "change"):
        task.asked.add(_word(event, "head"))
    else:
        check.say(event, "a merge is intended that names neither a commit nor a change")
    for name, _ in _unfinished(check, event):
        check.say(event, f"a merge is intended before its blocker {name} has completed")
    _check_verified(check, event)


def _proved(check: _Checker, event: Event) -> None:
    commit, task = _word(event, "commit"), check.task(event)
    change = bool(_word(event, "change"))
    by_forge = change and _word(event, "head") in task.asked
    by_other = change and bool(_word(event, "by"))  # without a pull request a merge is a push of ours
    if not commit or not (commit in task.intended or by_forge or by_other):
        check.say(event, f"commit {commit or '?'} is merged, and no intent names it")
    if not by_other:  # what a person merges is theirs to answer for
        _check_verified(check, event)


def _check_verified(check: _Checker, event: Event) -> None:
    """The head that is merged was verified; where the event names only the tree, that tree was."""
    task, head, tree = check.task(event), _word(event, "head"), _word(event, "tree")
    known = head in task.verified if head else bool(tree) and tree in task.verified_trees
    if not known:
        check.say(event, f"{head or tree or 'an unnamed commit'} is merged, and no verdict has verified it")


def _finished(check: _Checker, event: Event) -> None:
    done = _word(event, "state") == "done"
    own = [(name, task) for (run, name), task in check.tasks.items() if run == event.run]
    left = [f"attempt {number} of {name} has not ended" for name, task in own for number in task.running]
    left += [f"{name} has not ended" for name, task in own if done and task.planned and not task.end]
    left += [f"{h.task} holds slot {slot}" for slot, h in check.slots.items() if h.run == event.run]
    left += [f"{o.task} owns {repo}" for repo, os in check.owners.items() for o in os if o.run == event.run]
    for what in left:
        check.say(event, f"the run has finished, and {what}")


_RULES: dict[str, Callable[[_Checker, Event], None]] = {
    EventKind.TASK_PLANNED: _planned,
    EventKind.SLOT_TAKEN: _slot_taken,
    EventKind.SLOT_RELEASED: _slot_released,
    EventKind.OWNERSHIP_TAKEN: _owner_taken,
    EventKind.OWNERSHIP_RELEASED: _owner_released,
    EventKind.ATTEMPT_STARTED: _started,
    EventKind.ATTEMPT_ENDED: _ended,
    EventKind.TASK_SETTLED: _settled,
    EventKind.TASK_REOPENED: _reopened,
    EventKind.TASK_SPLIT: _split,
    EventKind.VERDICT: _verdict,
    EventKind.MERGE_INTENDED: _intended,
    EventKind.MERGE_PROVED: _proved,
    EventKind.RUN_FINISHED: _finished,
}
