"""The story of a task, an entry an event: more than the board says, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.names import clean_text, short
from ops_orchestrate.report import read
from ops_orchestrate.report.amounts import count, duration, money

#: Entries of one task before the middle is left out: an agent that talks all night is not the story.
MOST = 400
_LOG = 4_000


class Entry(NamedTuple):
    """What happened to a task at one moment."""

    at: float
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    """Names and values, as they are."""
    log: str = ""
    """The end of a log, lines and all."""
    quiet: bool = False
    """Of the engine's own doings: shown smaller."""


class Story(NamedTuple):
    """A task's entries; `left_out` of them, in the middle, are not there."""

    entries: tuple[Entry, ...]
    left_out: int = 0


def stories(events: Iterable[Event]) -> dict[str, Story]:
    """By task. Events of the run as a whole, and those with nothing to say, have no part in it."""
    told: dict[str, list[Entry]] = {}
    for event in events:
        say = _TELL.get(event.kind) if event.task is not None else None
        entry = say(event) if say else None
        if entry is not None:
            told.setdefault(read.text({"id": event.task}, "id"), []).append(entry)
    return {task: _shortened(entries) for task, entries in told.items()}


def _shortened(entries: list[Entry]) -> Story:
    if len(entries) <= MOST:
        return Story(tuple(entries))
    half = MOST // 2
    return Story((*entries[:half], *entries[-half:]), len(entries) - 2 * half)


def _facts(data: Mapping[str, object], **names: str) -> tuple[tuple[str, str], ...]:
    """Those of the named keys that say something, commits cut as people write them."""
    found = ((label, short(read.text(data, key))) for key, label in names.items())
    return tuple((label, value) for label, value in found if value)


def _number(event: Event) -> str:
    return f"attempt {event.attempt}" if event.attempt is not None else "the attempt"


def _granted(event: Event) -> Entry:
    return Entry(event.at, f"{_number(event)} got slot {read.whole(event.data, 'slot')}", quiet=True)


def _owned(event: Event) -> Entry:
    paths = ", ".join(read.texts(event.data, "paths")) or "all of it"
    return Entry(event.at, f"owns {read.text(event.data, 'repo')}: {paths}", quiet=True)


def _started(event: Event) -> Entry:
    host = read.text({"host": event.host}, "host")
    where = f" on {host}" if host else ""
    early = ", early: a blocker is still at work" if read.flag(event.data, "early") else ""
    text = f"{_number(event)} started{where}{early}"
    return Entry(event.at, text, _facts(event.data, agent="agent", branch="branch", brief="brief"))


def _ended(event: Event) -> Entry:
    data = event.data
    outcome = read.text(data, "outcome") or "ended"
    seconds = read.number(data, "seconds")
    after = f" after {duration(seconds)}" if seconds is not None else ""
    summary = read.text(data, "summary", 2_000)
    told = [*_spent(data)]
    told += [("sandbox", "OFF")] if read.flag(data, "unsandboxed") else []
    facts = (*_facts(data, head="commit", agent_version="version"), *told)
    return Entry(event.at, f"{_number(event)} {outcome}{after}" + (f": {summary}" if summary else ""), facts)


def _spent(data: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    cost, tokens = read.number(data, "cost_usd"), read.whole(data, "tokens")
    dollars = (("cost", money(cost)),) if cost is not None else ()
    return (*dollars, ("used", count(tokens, "token"))) if tokens is not None else dollars


def _said(event: Event) -> Entry | None:
    text = read.text(event.data, "text")
    return Entry(event.at, f"“{text}”", quiet=True) if text else None


def _evidence(event: Event) -> Entry | None:
    data = event.data
    what = read.text(data, "what")
    if what == "brief":
        return Entry(event.at, "its brief was written", _facts(data, brief="brief", branch="branch"), quiet=True)
    if what == "merge preview":
        return _preview(event)
    if what == "merge gate":
        return _gate_passed(event)
    if what == "hand-over":
        text = f"was told by {read.text(data, 'from') or '?'}: {read.text(data, 'text') or 'it is merged'}"
        return Entry(event.at, text, _facts(data, merge="merge"))
    if what == "security review":
        return _reviewed(event)
    told = " ".join(read.text(data, key) for key in ("change", "check", "class", "text")).strip()
    return Entry(event.at, f"{what}: {told}" if told else what, _facts(data, head="commit", url="at"))


def _reviewed(event: Event) -> Entry:
    data = event.data
    verdict, words = read.text(data, "verdict"), read.text(data, "why") or read.text(data, "summary", 2_000)
    said = "no security review" if verdict == "none" else f"the security reviewer says {verdict or '?'}"
    found = data.get("findings")
    lines = [_finding(one) for one in (found if isinstance(found, list) else [])[:20] if isinstance(one, dict)]
    facts = (*_facts(data, agent="agent", model="model", head="commit", base="on"), *_spent(data))
    return Entry(event.at, said + (f": {words}" if words else ""), facts, clean_text("\n".join(lines), _LOG))


def _finding(one: Mapping[str, object]) -> str:
    where = f"{read.text(one, 'path')}:{read.whole(one, 'line')}"
    return f"{read.text(one, 'severity')} {where} {read.text(one, 'reason', 600)}"


def _preview(event: Event) -> Entry:
    data = event.data
    gate, code, seconds = read.text(data, "gate"), read.whole(data, "exit_code"), read.number(data, "seconds")
    how = f"gate {gate}" + (f", exit {code}" if code is not None else "")
    how += f", {duration(seconds)}" if seconds else ""
    files = read.texts(data, "files")
    facts = _facts(data, head="commit", base="on", tree="tree")
    facts += (("files", ", ".join(files[:12]) + (" …" if len(files) > 12 else "")),) if files else ()
    return Entry(event.at, f"merge preview made: {how}", facts, _log_of(data))


def _gate_passed(event: Event) -> Entry:
    """The table's answer, row by row."""
    data = event.data
    rows, checks = read.texts(data, "passed"), read.texts(data, "checks")
    facts = _facts(data, row="decided by", head="commit", base="on")
    facts += (("approved by", ", ".join(read.texts(data, "approved_by"))),) if data.get("approved_by") else ()
    log = "\n".join([*(f"✓ {row}" for row in rows), *(f"check {one}" for one in checks)])
    return Entry(event.at, f"merge gate: {read.text(data, 'text')}", facts, clean_text(log, _LOG))


def _log_of(data: Mapping[str, object]) -> str:
    value = data.get("log")
    return clean_text(value, _LOG) if isinstance(value, str) else ""


def _judged(event: Event) -> Entry:
    data = event.data
    kind, rule = read.text(data, "kind") or "judged", read.text(data, "rule")
    summary = read.text(data, "summary", 2_000)
    text = f"verdict: {kind}" + (f" by {rule}" if rule else "") + (f": {summary}" if summary else "")
    return Entry(event.at, text, _facts(data, head="commit", base="on", tree="tree"))


def _decided(event: Event) -> Entry:
    data = event.data
    text = "the merge was written down before it was asked for"
    return Entry(event.at, text, _facts(data, branch="into", method="by", head="commit", change="change"), quiet=True)


def _merged(event: Event) -> Entry:
    data = event.data
    by = read.text(data, "by")
    text = f"merged into {read.text(data, 'branch') or 'its base'}" + (f" by {by}" if by else "") + ", and proved there"
    return Entry(event.at, text, _facts(data, commit="merge", tree="tree", change="change"))


def _refused(event: Event) -> Entry:
    return Entry(event.at, f"not merged: {read.text(event.data, 'reason') or 'refused'}")


def _settled(event: Event) -> Entry | None:
    state, reason = read.text(event.data, "state"), read.text(event.data, "reason", 2_000)
    return Entry(event.at, f"now {state}" + (f": {reason}" if reason else "")) if state else None


def _reopened(event: Event) -> Entry:
    answer, by = read.text(event.data, "answer"), read.text(event.data, "by")
    text = "moved on" + (f" with “{answer}”" if answer else "") + (f" by {by}" if by else "")
    return Entry(event.at, text)


def _regated(event: Event) -> Entry:
    text = "its repository has another gate from now on"
    return Entry(event.at, text, _facts(event.data, gate="gate", before="before", origin="from", by="by"))


def _split(event: Event) -> Entry:
    parts = ", ".join(read.texts(event.data, "parts"))
    return Entry(event.at, f"{read.text(event.data, 'text') or 'split'}: {parts}")


def _snoozed(event: Event) -> Entry:
    wake, note = read.number(event.data, "wake_at"), read.text(event.data, "note")
    until = f" {duration(max(0.0, wake - event.at))}" if wake is not None else ""
    return Entry(event.at, f"waits{until}" + (f": {note}" if note else ""), quiet=True)


def _lost(event: Event) -> Entry:
    why = read.text(event.data, "why") or "its worker was gone"
    return Entry(event.at, f"{read.text(event.data, 'stage') or 'a stage'} is repeated: {why}")


def _salvaged(event: Event) -> Entry:
    return Entry(event.at, "unfinished work was kept", _facts(event.data, ref="ref"))


def _warned(event: Event) -> Entry | None:
    text = read.text(event.data, "text", 2_000)
    return Entry(event.at, f"warning: {text}") if text else None


_TELL: dict[str, Callable[[Event], Entry | None]] = {
    EventKind.SLOT_TAKEN: _granted,
    EventKind.OWNERSHIP_TAKEN: _owned,
    EventKind.ATTEMPT_STARTED: _started,
    EventKind.ATTEMPT_ENDED: _ended,
    EventKind.AGENT_NOTE: _said,
    EventKind.EVIDENCE: _evidence,
    EventKind.VERDICT: _judged,
    EventKind.MERGE_INTENDED: _decided,
    EventKind.MERGE_PROVED: _merged,
    EventKind.MERGE_REFUSED: _refused,
    EventKind.TASK_SETTLED: _settled,
    EventKind.TASK_REOPENED: _reopened,
    EventKind.GATE_TAKEN: _regated,
    EventKind.TASK_SPLIT: _split,
    EventKind.TASK_SNOOZED: _snoozed,
    EventKind.STAGE_LOST: _lost,
    EventKind.SALVAGED: _salvaged,
    EventKind.WARNING: _warned,
}
