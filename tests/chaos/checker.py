"""What must hold of a world after whatever was done to it. Standard library only: no line of it is the engine's.

Each rule reads a record and yields a sentence for each violation. `RULES` names them as the table prints them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from tests.chaos.record import Base, Line, Record

#: The owner's own number, written down once more: a check does not read it from what it checks.
CAP = 5
ENDS = frozenset({"completed", "blocked", "discarded", "cancelled"})

Rule = Callable[[Record], Iterator[str]]


def every(record: Record, *kinds: str) -> Iterator[Line]:
    """Events of these kinds, run by run."""
    return (event for events in record.events.values() for event in events if event["kind"] in kinds)


def who(event: Line) -> str:
    """The task of an event, for a sentence."""
    return f"{event['run']}/{event['task']}"


def lost(record: Record) -> Iterator[str]:
    """Every run that began has ended; every task that was planned is completed."""
    for run, events in record.events.items():
        kinds = Counter(event["kind"] for event in events)
        if kinds["run.begun"] and not kinds["run.finished"]:
            yield f"run {run} never ended"
    ended = {who(event): event["data"]["state"] for event in every(record, "task.settled")}
    for name in {who(event) for event in every(record, "task.planned")}:
        if ended.get(name) != "completed":
            yield f"{name} was planned and is {ended.get(name, 'nowhere')}"


def sequence(record: Record) -> Iterator[str]:
    """The log itself has no gap and nothing twice: an event that is lost is a fact that is lost."""
    for run, events in record.events.items():
        seqs = [event["seq"] for event in events]
        if seqs != list(range(seqs[0], seqs[0] + len(seqs))) if seqs else False:
            yield f"the events of {run} are not one after the other"


def twice(record: Record) -> Iterator[str]:
    """No effect is there twice: in the log, on a base, on the forge."""
    completed = Counter(who(e) for e in every(record, "task.settled") if e["data"]["state"] == "completed")
    proved = Counter(who(e) for e in every(record, "merge.proved") if e["task"])
    on_base: Counter[str] = Counter()
    prints: Counter[str] = Counter()
    for base in record.bases:
        for commit in base.commits:
            task, run = trailer(commit.message, "Ops-Task"), trailer(commit.message, "Ops-Run")
            on_base[f"{run}/{task}"] += bool(task)
            prints[f"{base.repo}: {trailer(commit.message, 'Ops-Fingerprint')}"] += bool(task)
    opened = Counter(f"{e['repository']} {e['head']}" for e in effects(record, "pull-opened"))
    closed = Counter(f"{e['repository']}#{e['number']}" for e in effects(record, "pull-merged"))
    counts = {
        "completed": completed, "proved": proved, "merged": on_base, "merged by its fingerprint": prints,
        "opened": opened, "merged by the forge": closed,
        "run again": Counter(f"{e['repository']} run {e['run']}" for e in effects(record, "rerun")),
        "answered": Counter(f"{e['thread']}: {e['body']}" for e in effects(record, "comment") if "thread" in e),
    }  # fmt: skip
    for what, count in counts.items():
        yield from (f"{name} is {what} {number} times" for name, number in count.items() if number > 1)


def untrue(record: Record) -> Iterator[str]:
    """What the log says to be merged is on its base, and what is on a base was said."""
    there = {commit.sha for base in record.bases for commit in base.commits}
    said = {str(event["data"].get("commit")) for event in every(record, "merge.proved", "promoted")}
    for event in every(record, "merge.proved"):
        if event["data"].get("commit") not in there:
            yield f"{who(event)} is said to be merged and is not"
    for base in record.bases:
        for commit in base.commits[1:]:
            if trailer(commit.message, "Ops-Run") and commit.sha not in said:
                yield f"{base.repo} has {commit.sha[:12]}, and no event says so"


def sixth(record: Record) -> Iterator[str]:
    """Never a sixth agent: by the slots of the log and by what the kernel showed."""
    if record.most_agents > CAP:
        yield f"{record.most_agents} agents were alive at one moment"
    held: dict[int, str] = {}
    for event in in_order(record, "slot.taken", "slot.released"):
        slot, holder = event["data"]["slot"], f"{who(event)} f{event['fence']}"
        if event["kind"] == "slot.taken":
            if slot in held:
                yield f"slot {slot} is taken by {holder} while {held[slot]} has it"
            held[slot] = holder
        elif held.pop(slot, None) != holder:
            yield f"slot {slot} is given back by {holder}, who does not have it"
        if len(held) > CAP:
            yield f"{len(held)} slots are out"


def owners(record: Record) -> Iterator[str]:
    """Never two owners of a repository, nor two agents at one task."""
    yield from (f"two attempts of {task} were alive at one moment" for task in sorted(record.doubled))
    held: dict[str, str] = {}
    for event in in_order(record, "ownership.taken", "ownership.released"):
        repo, holder = event["data"]["repo"], f"{who(event)} f{event['fence']}"
        if event["kind"] == "ownership.taken":
            if repo in held:
                yield f"{repo} is taken by {holder} while {held[repo]} owns it"
            held[repo] = holder
        elif held.pop(repo, None) != holder:
            yield f"{repo} is given back by {holder}, who does not own it"


def linear(record: Record) -> Iterator[str]:
    """Each base only ever moved forward, from where it was, by one commit of ours at a time."""
    for base in record.bases:
        yield from _moves(base)
        for older, newer in zip(base.commits, base.commits[1:], strict=False):
            if newer.parents[:1] != (older.sha,):
                yield f"{base.repo}: {newer.sha[:12]} does not stand on {older.sha[:12]}"
        if len({commit.sha for commit in base.commits}) != len(base.commits):
            yield f"{base.repo} has a commit twice on its line"


def _moves(base: Base) -> Iterator[str]:
    steps = {(older.sha, newer.sha) for older, newer in zip(base.commits, base.commits[1:], strict=False)}
    at = base.commits[0].sha if base.commits else ""
    for before, after in base.moves:
        if before != at:
            yield f"{base.repo} moved from {before[:12]}, and it was at {at[:12]}"
        if (before, after) not in steps:
            yield f"{base.repo} moved from {before[:12]} to {after[:12]}, which is no step of its line"
        at = after
    if base.moves and at != base.commits[-1].sha:
        yield f"{base.repo} is not where its last move went"


def attempts(record: Record) -> Iterator[str]:
    """Every attempt that started has ended, once, before the next one of its task; each fence is above the last."""
    running: dict[str, int] = {}
    fences: dict[str, int] = {}
    for event in every(record, "attempt.started", "attempt.ended", "run.finished"):
        name, number = who(event), event["attempt"]
        if event["kind"] == "run.finished":
            yield from (f"{one} is at work when its run ends" for one in running if one.startswith(f"{event['run']}/"))
        elif event["kind"] == "attempt.started":
            if name in running:
                yield f"attempt {number} of {name} starts while attempt {running[name]} is at work"
            if event["fence"] <= fences.get(name, 0):
                yield f"the fence of attempt {number} of {name} does not rise"
            running[name], fences[name] = number, event["fence"]
        elif running.pop(name, None) != number:
            yield f"attempt {number} of {name} ends, and it was not at work"
    yield from (f"attempt {number} of {name} never ended" for name, number in running.items())


def order(record: Record) -> Iterator[str]:
    """No attempt starts before all that its task waits for has completed."""
    for run, events in record.events.items():
        waits = {e["task"]: set(e["data"]["blocked_by"]) for e in events if e["kind"] == "task.planned"}
        done: set[str] = set()
        for event in events:
            if event["kind"] == "task.settled" and event["data"]["state"] == "completed":
                done.add(event["task"])
            missing = waits.get(event["task"], set()) - done
            if event["kind"] == "attempt.started" and missing:
                yield f"{run}/{event['task']} starts before {', '.join(sorted(missing))}"


def wasted(record: Record) -> Iterator[str]:
    """Nothing that an agent was seen to have written is gone."""
    for draft in record.drafts:
        if (draft.path, draft.text) not in record.kept:
            yield f"{draft.path} of {draft.run}/{draft.task} {draft.attempt} is gone"


def leftover(record: Record) -> Iterator[str]:
    """Nothing is held and nobody is alive when all is over."""
    return (f"{what} is left over" for what in record.leftover)


RULES: dict[str, Rule] = {
    "a task or run lost": lost,
    "an event lost": sequence,
    "an effect twice": twice,
    "a merge that is not so": untrue,
    "a sixth agent": sixth,
    "two owners": owners,
    "a base not linear": linear,
    "an attempt without its end": attempts,
    "a start before its blockers": order,
    "an agent's work lost": wasted,
    "something left over": leftover,
}


def violations(record: Record) -> dict[str, list[str]]:
    """By rule; a rule that found nothing has an empty list."""
    return {name: list(rule(record)) for name, rule in RULES.items()}


def outages(record: Record) -> list[float]:
    """Seconds, sorted, that a disturbed task was in nobody's hands: from its last sign of life until the next claim.

    Disturbed is an attempt that was lost, crashed or interrupted, and a stage whose lease ran out.
    """
    found, since = [], dict[str, float]()
    last: dict[str, float] = defaultdict(float)
    for event in every(record, *_SIGNS, "attempt.ended", "stage.lost"):
        name, at = who(event), float(event["at"])
        disturbed = event["kind"] == "stage.lost" or event["data"].get("outcome") in ("lost", "crashed", "interrupted")
        if event["kind"] in _TAKEN_UP and name in since:
            found.append(at - since.pop(name))
        if disturbed:
            since.setdefault(name, last[name] or at)
        last[name] = at
    return sorted(found)


_TAKEN_UP = ("attempt.started", "stage.claimed")
_SIGNS = (*_TAKEN_UP, "agent.note", "evidence", "verdict", "merge.intended", "merge.proved", "task.snoozed")


def percentile(sorted_values: list[float], part: float) -> float:
    """Of a sorted list; 0 where it is empty."""
    if not sorted_values:
        return 0.0
    return sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))]


def in_order(record: Record, *kinds: str) -> list[Line]:
    """Events of all runs as they happened. At one moment what is given back comes before what is taken."""
    return sorted(every(record, *kinds), key=lambda e: (e["at"], e["kind"].endswith("taken"), e["run"], e["seq"]))


def effects(record: Record, what: str) -> Iterator[Line]:
    """What changed on the forge, of one sort."""
    return (line for line in record.journal if line["kind"] == "effect" and line["what"] == what)


def trailer(message: str, name: str) -> str:
    """The value of a trailer line; empty where there is none."""
    found = re.search(rf"^{name}: (.+)$", message, re.MULTILINE)
    return found[1] if found else ""
