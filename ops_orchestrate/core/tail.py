"""The part of a log that tells what failed: for the next brief, for a report, and to compare two failures.

A log is written by whatever ran, so it is data: lines are picked and cleaned here, never interpreted.
"""

from __future__ import annotations

import re

from ops_orchestrate.core.names import clean_text

#: Between two picked parts of a log.
GAP = "…"

_BAD = re.compile(
    r"\b(?:fail(?:ed|ure|ures|ing|s)?|errors?|panic(?:ked)?|fatal|traceback|exception|refused|cannot|undefined"
    r"|not ok|mismatch|expected|aborted|segmentation fault|timed out|no such file|command not found)\b"
    r"|\w(?:Error|Exception|Failure|Failed)\b|✗|✘|✖|×|^E\s{2,}|^\s*(?:>|not ok)\s",
    re.IGNORECASE | re.MULTILINE,
)
# What reads like a failure and is none: summaries of a success.
_FINE = re.compile(r"\b(?:0|no)\s+(?:failures?|failed|failing|errors?)\b", re.IGNORECASE)
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]{0,30}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)?|.)")
_VARYING = re.compile(
    r"0x[0-9a-f]+|\b[0-9a-f]{7,64}\b|\b\d+(?:[.:,]\d+)*\s*(?:ms|s|sec|seconds|m|min|µs|us|ns)?\b|/tmp/\S+|\S*/(?=[^/\s]+)",
    re.IGNORECASE,
)

_BEFORE, _AFTER, _LAST = 3, 5, 8
_LONGEST_LINE = 500
_LOOKED_AT = 400_000
_MOST_LINES = 50_000


def relevant_tail(log: str, limit: int = 4000) -> str:
    """The lines around the failures in `log`, the latest ones first to be kept, in the order of the log.

    At most `limit` characters; the end of the log where nothing in it looks like a failure. Escape sequences and
    control characters are gone.
    """
    lines = _lines(log)
    picked = _fitting(_interesting(lines), lines, limit)
    parts: list[str] = []
    previous = -1
    for index in picked:
        if index > previous + 1:
            parts.append(GAP)
        parts.append(lines[index])
        previous = index
    return "\n".join(parts)


def gist(log: str, limit: int) -> tuple[str, ...]:
    """The lines of `relevant_tail` that hold a word: rulers and markers below them tell nobody anything."""
    return tuple(line for line in relevant_tail(log, limit).splitlines() if line == GAP or any(map(str.isalnum, line)))


def failure_lines(log: str) -> frozenset[str]:
    """The failures in `log` without what differs from one run to the next (numbers, times, addresses, folders)."""
    return frozenset(_plain(line) for line in _lines(log) if _failing(line))


def _lines(log: str) -> list[str]:
    plain = clean_text(_ANSI.sub("", log[-_LOOKED_AT:].replace("\r\n", "\n").replace("\r", "\n")), _LOOKED_AT)
    return [line.rstrip()[:_LONGEST_LINE] for line in plain.splitlines()][-_MOST_LINES:]


def _failing(line: str) -> bool:
    return bool(_BAD.search(_FINE.sub("", line)))


def _plain(line: str) -> str:
    return " ".join(_VARYING.sub("#", line).split()).casefold()


def _interesting(lines: list[str]) -> list[int]:
    """Indexes worth showing, most wanted first: the last lines, then what surrounds failures, latest first."""
    last = len(lines) - 1
    wanted = dict.fromkeys(range(last, max(-1, last - _LAST), -1))
    for index in range(last, -1, -1):
        if _failing(lines[index]):
            around = range(max(0, index - _BEFORE), min(last, index + _AFTER) + 1)
            wanted.update(dict.fromkeys(sorted(around, key=lambda at: abs(at - index))))
    return list(wanted)


def _fitting(wanted: list[int], lines: list[str], limit: int) -> list[int]:
    """As many of the wanted lines as fit, a gap before each one counted, in the order of the log."""
    kept: list[int] = []
    room = limit
    for index in wanted:
        cost = len(lines[index]) + len(GAP) + 2
        if cost <= room:
            kept.append(index)
            room -= cost
    return sorted(kept)
