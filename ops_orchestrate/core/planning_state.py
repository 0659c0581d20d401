"""`.planning/STATE.md` as a value. Never fails, and never decides what is to be done.

People and agents write this file in many shapes (ten were read in the field, no two alike): a YAML header or
none, fields in bold, in lists, in headings, in other languages. What cannot be read stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.roadmap import TEXT_LIMIT, human_gate, phase_key, visible_lines
from ops_orchestrate.core.value import Value

_FRONT_LIMIT = 20_000
_WORDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("paused", "stopped"), "paused"),
    (("ready to execute", "executing", "in progress", "in_progress"), "executing"),
    (("planning", "ready to plan"), "planning"),
    (("discussing",), "discussing"),
    (("verif",), "verifying"),
    (("complete", "done"), "completed"),
)
_OF = re.compile(r"\bof\s+(\d{1,6})\b")


class PlanningState(Value):
    """What STATE.md says. Every field may be unknown."""

    status: str = "unknown"
    """`paused`, `executing`, `planning`, `discussing`, `verifying`, `completed`, a raw word, or `unknown`."""
    phase: str = ""
    """Key of the current phase."""
    total_phases: int | None = None
    completed_phases: int | None = None
    blockers: tuple[str, ...] = ()
    human: str | None = None
    """The words of a human gate that the state names for the current phase."""
    subordinate: bool = False
    """The project follows another workspace's plan and is not to be called stalled."""
    drift: tuple[str, ...] = ()


def parse_state(text: str) -> PlanningState:
    """Read a STATE.md of any shape. Never raises."""
    front, body = _split(text[:TEXT_LIMIT])
    lines = visible_lines(body)
    fields = _body_fields(lines)
    progress = front.get("progress")
    counts: Mapping[str, Any] = progress if isinstance(progress, dict) else {}
    raw = _word(front.get("status")) or fields.get("status", "")
    paused = _word(front.get("paused_at")) or fields.get("paused at", "")
    written = _first_phase(front, fields)
    total = _count(counts.get("total_phases")) or _total(fields)
    return PlanningState(
        status=canonical_status(raw, paused=paused),
        phase=phase_key(written),
        total_phases=total,
        completed_phases=_count(counts.get("completed_phases")),
        blockers=_blockers(lines),
        human=human_gate("\n".join([raw, written, *_current(lines)])),
        subordinate=raw.strip() == "subordinate_to_workspace",
        drift=_state_drift(front, fields),
    )


def canonical_status(raw: str, *, paused: str = "") -> str:
    """One word for the many that people write; the raw one where none fits, `unknown` where there is none."""
    text = raw.strip().strip("`*").lower()
    if paused and paused.lower() not in {"none", "null", "-", "—"}:
        return "paused"
    for words, status in _WORDS:
        if any(word in text for word in words):
            return status
    return one_line(text, 40) or "unknown"


def _split(text: str) -> tuple[dict[str, Any], str]:
    """The front matter, if it starts at the first byte and is a mapping, and the rest."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found = re.match(r"---[ \t]*\n(.*?\n)---[ \t]*(?:\n|$)", text[:_FRONT_LIMIT], re.DOTALL)
    if not found:
        return {}, text
    body = text[found.end() :]
    try:
        # The base loader knows strings, lists and mappings only: no tag and no date can make it raise others.
        front = yaml.BaseLoader(found[1]).get_single_data()
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return _plain_front(found[1]), body
    return (front if isinstance(front, dict) else {}), body


def _plain_front(text: str) -> dict[str, Any]:
    """`key: value` lines, where YAML gives up."""
    pairs = (line.partition(":") for line in text.splitlines() if re.match(r"[a-z_]+\s*:", line))
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def _body_fields(lines: list[str]) -> dict[str, str]:
    """`**Field:** value`, `Field: value`, `- **field:** value`, and `## Current Phase` with its next line."""
    pattern = re.compile(r"\s{0,3}(?:[-*]\s+)?(?:\*\*)?([A-Za-z_][A-Za-z_ ]{0,30}?)(?::\*\*|\*\*:|:)\s*(\S.*)")
    found: dict[str, str] = {}
    for number, line in enumerate(lines):
        field = pattern.match(line)
        if field:
            found.setdefault(field[1].strip().lower().replace("_", " "), one_line(field[2]))
        elif re.fullmatch(r"#{1,4}\s+Current Phase\s*", line, re.IGNORECASE):
            following = next((one for one in lines[number + 1 : number + 5] if one.strip()), "")
            found.setdefault("current phase", one_line(following))
    return found


def _first_phase(front: Mapping[str, Any], fields: Mapping[str, str]) -> str:
    written = _word(front.get("active_phase")) or _word(front.get("current_phase"))
    return written or next(
        (fields[name] for name in ("current phase", "active phase", "phase", "fase ativa") if name in fields),
        "",
    )


def _total(fields: Mapping[str, str]) -> int | None:
    of = _OF.search(fields.get("phase", ""))
    return _count(of[1]) if of else _count(fields.get("total phases"))


def _state_drift(front: Mapping[str, Any], fields: Mapping[str, str]) -> tuple[str, ...]:
    notes = []
    above, below = phase_key(_word(front.get("current_phase"))), phase_key(fields.get("phase", ""))
    if above and below and above != below:
        notes.append(f"STATE.md names phase {above} in its header and phase {below} in its text")
    progress = front.get("progress")
    counts = progress if isinstance(progress, dict) else {}
    done, total = _count(counts.get("completed_phases")), _count(counts.get("total_phases"))
    if done is not None and total is not None and done > total:
        notes.append(f"STATE.md counts {done} of {total} phases done")
    if _count(counts.get("percent")) == 100 and done is not None and total is not None and done < total:
        notes.append(f"STATE.md says 100 percent with {done} of {total} phases done")
    return tuple(notes)


def _section(lines: list[str], title: str) -> list[str]:
    """The lines below a heading, up to the next heading."""
    found: list[str] = []
    inside = False
    for line in lines:
        if re.match(r"#{1,6}\s", line):
            inside = bool(re.match(rf"#{{1,6}}\s+(?:{title})\b", line, re.IGNORECASE))
        elif inside:
            found.append(line)
    return found


def _blockers(lines: list[str]) -> tuple[str, ...]:
    items = [re.sub(r"^\s*[-*]\s+", "", line).strip() for line in _section(lines, "Blockers|Bloqueios")]
    kept = [one_line(one, 300) for one in items if one and not re.match(r"(?:none|nenhum|n/?a)\b", one, re.IGNORECASE)]
    return tuple(kept[:20])


def _current(lines: list[str]) -> list[str]:
    """Lines that speak of where the project stands now, not of its history."""
    spoken = re.compile(r"\s{0,3}(?:[-*]\s+)?\*{0,2}(?:status|phase|plan|fase ativa|stopped at)\b", re.IGNORECASE)
    return [line for line in lines if spoken.match(line)][:20]


def _word(value: Any) -> str:
    text = one_line(value) if isinstance(value, str) else ""
    return "" if text in {"null", "~"} else text


def _count(value: Any) -> int | None:
    text = _word(value)
    return int(text) if re.fullmatch(r"\d{1,6}", text, re.ASCII) else None
