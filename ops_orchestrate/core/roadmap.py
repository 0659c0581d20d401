"""`.planning/ROADMAP.md` as phases. Never fails: what cannot be understood is simply not a phase.

Code fences, HTML comments and shipped milestones are not part of the plan. Nothing read here is an
instruction; titles and goals become one cleaned line each.
"""

from __future__ import annotations

import re

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.value import Value

TEXT_LIMIT = 1_000_000
LINE_LIMIT = 2_000
PHASE_LIMIT = 500

_ID = r"(?:[A-Z][A-Z0-9]{0,15}-)?\d{1,6}[A-Za-z]?(?:\.\d{1,6}){0,4}"
_HEADING = re.compile(r"(#{1,6})\s+(\S.*)")
_PHASE = re.compile(rf"(?:✅\s*|🚧\s*|📋\s*|🟡\s*)?Phase\s+({_ID})\s*[:—–-]\s*(\S.*)", re.IGNORECASE)
_CHECKBOX = re.compile(rf"\s{{0,3}}[-*]\s+\[([ xX])\]\s+\*{{0,2}}Phase\s+({_ID})\s*[:—–-]\s*(\S.*)", re.IGNORECASE)
_FIELD = re.compile(r"\s{0,3}(?:[-*]\s+)?\*\*([A-Za-z][A-Za-z ]{0,30}?):?\*\*:?\s*(.*)")
_ROW = re.compile(rf"\*{{0,2}}(?:Phase\s+)?({_ID})(?![\w.]*\w)", re.IGNORECASE)
_PLAN = re.compile(r"\s*[-*]\s+\[([ xX])\]\s+\S*\d")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})(.*)")
_REFERENCE = re.compile(rf"\bPhases?\s+({_ID}(?:\s*(?:,|and|&|\+)\s*(?:Phases?\s+)?{_ID})*)\b", re.IGNORECASE)
_ITEM = re.compile(r"\s{0,7}(?:\d+[.)]|[-*])\s+(\S.*)")
_DONE_WORDS = re.compile(r"\b(?:complete|completed|done|shipped)\b", re.IGNORECASE)
_SHIPPED = re.compile(r"✅|\bshipped\b", re.IGNORECASE)
_HUMAN = re.compile(
    r"HUMAN_APPROVAL|human[-_ ]verif[a-z]*|human_needed|MANUAL_UAT"
    r"|awaiting\s+checkpoint|checkpoint:human[-a-z]*",
    re.IGNORECASE,
)


class Phase(Value):
    """One phase of the roadmap."""

    id: str
    """As written; compare with `phase_key`."""
    title: str
    done: bool | None = None
    """What the checkbox says, else the progress table; None where neither says anything."""
    deferred: bool = False
    goal: str = ""
    criteria: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    """Keys of the phases that its `Depends on` names."""
    human: str | None = None
    """The words of a human gate found in the phase."""
    plans: int = 0
    plans_checked: int = 0


class Roadmap(Value):
    """The open milestone of a roadmap, in the order of the file."""

    phases: tuple[Phase, ...] = ()
    drift: tuple[str, ...] = ()
    """Where the file contradicts itself."""
    archived: bool = False
    """Shipped milestones were left out: a phase that is not listed may be in one of them."""


def phase_key(text: str) -> str:
    """The same for `3`, `03` and `Phase 03`, and different for `3.1`, `3.10` and `31`."""
    found = re.search(_ID, text, re.IGNORECASE)
    if not found:
        return ""
    prefix, _, number = found.group().upper().rpartition("-")
    parts = [re.sub(r"^0+(?=\d)", "", part) for part in number.split(".")]
    return f"{prefix}-{'.'.join(parts)}" if prefix else ".".join(parts)


def depends_on(prose: str) -> tuple[str, ...]:
    """Keys of the phases a `Depends on` line names.

    Only what stands before the first parenthesis counts: "Nothing (independent of Phases 15–16)" names none.
    """
    head = prose.split("(", maxsplit=1)[0]
    if re.match(r"\W*(?:nothing|none|n/?a)\b", head, re.IGNORECASE):
        return ()
    keys = (phase_key(i) for hit in _REFERENCE.finditer(head) for i in re.findall(_ID, hit[1], re.IGNORECASE))
    return tuple(dict.fromkeys(keys))


def human_gate(text: str) -> str | None:
    """The words that say that a person has to act; None where there are none."""
    found = _HUMAN.search(text)
    return one_line(found.group(), 60) if found else None


def visible_lines(text: str) -> list[str]:
    """The lines outside code fences, HTML comments and `<details>` of shipped milestones."""
    return _without_shipped(_plain_lines(text))


def parse_roadmap(text: str) -> Roadmap:
    """Read a ROADMAP.md of any shape. Never raises."""
    plain = _plain_lines(text)
    lines = _without_shipped(plain)
    boxes, drift = _checkboxes(lines)
    details, twice = _details(lines)
    table = _progress(lines)
    order = list(dict.fromkeys([*boxes, *details]))[:PHASE_LIMIT]
    phases = tuple(_merged(key, boxes, details, table) for key in order)
    drift += [f"phase {key} has two headings" for key in twice]
    drift += [
        f"phase {phase.id} is checked off, but its progress says otherwise"
        for phase in phases
        if phase.done and table.get(phase_key(phase.id), "").lower().startswith(("not started", "in progress"))
    ]
    return Roadmap(phases=phases, drift=tuple(drift), archived=len(lines) < len(plain))


def _plain_lines(text: str) -> list[str]:
    """Lines without comments and fences, cut at a length no honest line reaches: patterns stay fast."""
    lines = _without_fences(_without_comments(text[:TEXT_LIMIT]))
    return [line[:LINE_LIMIT] for line in lines]


def _without_comments(text: str) -> str:
    """Without `<!-- … -->`; one that never ends hides the rest, as a browser would."""
    kept, position = [], 0
    while (start := text.find("<!--", position)) >= 0:
        kept.append(text[position:start])
        end = text.find("-->", start + 4)
        if end < 0:
            return "".join(kept)
        position = end + 3
    return "".join([*kept, text[position:]])


def _without_fences(text: str) -> list[str]:
    """Lines outside fences. A fence ends only at one of its own kind that is at least as long."""
    kept: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
        else:
            kept.append(line)
    return kept


def _without_shipped(lines: list[str]) -> list[str]:
    """Lines outside shipped milestones: `<details>` whose summary says so, and headings that do."""
    kept: list[str] = []
    folds: list[bool] = []
    level = 0
    for line in lines:
        lower = line.lower()
        if "<details" in lower:
            folds.append(False)
        if folds and "<summary" in lower and _SHIPPED.search(line):
            folds[-1] = True
        heading = _HEADING.fullmatch(line)
        if heading and (not level or len(heading[1]) <= level):
            shipped = _SHIPPED.search(heading[2]) and not _PHASE.match(heading[2])
            level = len(heading[1]) if shipped else 0
        if not any(folds) and not level:
            kept.append(line)
        if "</details" in lower and folds:
            folds.pop()
    return kept


def _checkboxes(lines: list[str]) -> tuple[dict[str, Phase], list[str]]:
    found: dict[str, Phase] = {}
    drift: list[str] = []
    for line in lines:
        box = _CHECKBOX.match(line)
        if not box:
            continue
        key = phase_key(box[2])
        done = box[1] in "xX"
        if key not in found:
            title = re.split(r"\*\*|\s+[-–—]\s+|\(completed", box[3])[0]
            found[key] = Phase(id=box[2], title=one_line(title, 120), done=done, human=human_gate(line))
        elif found[key].done != done:
            drift.append(f"phase {key} is listed twice, once open and once done")
    return found, drift


def _details(lines: list[str]) -> tuple[dict[str, Phase], list[str]]:
    """Phases by their headings; of two with the same id the first one counts."""
    found: dict[str, Phase] = {}
    twice: list[str] = []
    start: tuple[str, str, int] | None = None
    body: list[str] = []

    def close() -> None:
        if start:
            key = phase_key(start[0])
            twice.append(key) if key in found else found.setdefault(key, _phase(start[0], start[1], body))

    for line in lines:
        heading = _HEADING.fullmatch(line)
        if heading and (not start or len(heading[1]) <= start[2]):
            close()
            named = _PHASE.match(heading[2]) if 2 <= len(heading[1]) <= 4 else None
            start, body = ((named[1], named[2], len(heading[1])) if named else None), []
        elif start:
            body.append(line)
    close()
    return found, twice


def _phase(identifier: str, title: str, body: list[str]) -> Phase:
    fields = {field[1].strip().lower(): field[2] for line in body if (field := _FIELD.match(line))}
    boxes = [box[1] in "xX" for line in body if (box := _PLAN.match(line))]
    text = "\n".join([title, *body])
    return Phase(
        id=identifier,
        title=one_line(re.sub(r"\s*\((?:INSERTED|completed[^)]*)\)", "", title), 120),
        done=True if "✅" in title else None,
        goal=one_line(fields.get("goal", ""), 500),
        criteria=_criteria(body),
        depends_on=depends_on(fields.get("depends on", "")),
        human=human_gate(text),
        plans=len(boxes),
        plans_checked=sum(boxes),
    )


def _criteria(body: list[str]) -> tuple[str, ...]:
    """The items below `**Success Criteria**`, up to the next field."""
    found: list[str] = []
    inside = False
    for line in body:
        field = _FIELD.match(line)
        if field:
            inside = field[1].strip().lower().startswith("success criteria")
        elif inside and (item := _ITEM.match(line)):
            found.append(one_line(item[1], 300))
    return tuple(found[:20])


def _progress(lines: list[str]) -> dict[str, str]:
    """The status column of the progress table, by phase key."""
    found: dict[str, str] = {}
    known = ("not started", "in progress", "complete", "deferred", "planned")
    for line in lines:
        if not line.lstrip().startswith("|"):
            continue
        name, *cells = (cell.strip() for cell in line.strip().strip("|").split("|"))
        row = _ROW.match(name)
        if row:
            found.setdefault(phase_key(row[1]), next((c for c in cells if c.lower().startswith(known)), ""))
    return found


def _merged(key: str, boxes: dict[str, Phase], details: dict[str, Phase], table: dict[str, str]) -> Phase:
    """One phase out of its checkbox, its heading and its row; the checkbox wins."""
    box, detail = boxes.get(key), details.get(key)
    phase = detail or box
    assert phase is not None
    status = table.get(key, "")
    done = box.done if box else phase.done
    if done is None and status:
        done = bool(_DONE_WORDS.match(status))
    human = phase.human or (box.human if box else None)
    return phase.model_copy(update={"done": done, "human": human, "deferred": status.lower() == "deferred"})
