"""Text in columns of a terminal: display width, safe cutting and wrapping, and what a poor encoding can show.

Widths are columns, not characters: a Chinese title takes two columns a character, a combining mark none.
Refuses to trust what it is given: control and direction characters never reach the terminal.
"""

from __future__ import annotations

import re
import unicodedata

from ops_orchestrate.core.names import one_line

#: What stands for our own symbols where the output's encoding cannot show them; one column each.
_ASCII = str.maketrans(
    {
        "━": "=",
        "─": "-",
        "►": ">",
        "▸": ">",
        "✓": "+",
        "✗": "x",
        "◉": "@",
        "○": "o",
        "■": "#",
        "↻": "~",
        "…": "~",
        "—": "-",
        "–": "-",
        "·": ".",
        "→": ">",
        "“": '"',
        "”": '"',
    }
)
#: Marks stacked on one character; more than two is vandalism ("zalgo"), not a language.
_MARKS = r"[\u0300-\u036f\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_STACKED = re.compile(f"({_MARKS}{{2}}){_MARKS}+")
#: Terminal sequences as a whole: without their escape character they would be left as litter (`[31m`).
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")

#: Nobody reads a line beyond this; looking at a megabyte of it would take longer than drawing the screen.
_READ = 20_000


def clean(text: str, limit: int = 200) -> str:
    """`text` as one harmless line of at most `limit` characters: no sequences, no stacked marks."""
    return _STACKED.sub(r"\1", one_line(_SEQUENCE.sub("", text[:_READ]), limit))


def width_of(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    return len(text) if text.isascii() else sum(_columns(char) for char in text)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns; ends with an ellipsis where something was cut."""
    if width_of(text) <= width:
        return text
    if width < 1:
        return ""
    kept, used = [], 0
    for char in text:
        used += _columns(char)
        if used > width - 1:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"


def pad(text: str, width: int) -> str:
    """`text` in exactly `width` columns, cut or filled."""
    shown = cut(text, width)
    return shown + " " * (width - width_of(shown))


def wrap(text: str, width: int, indent: int = 0) -> list[str]:
    """`text` in lines of at most `width` columns, broken at spaces, inside a word only where it must be.

    Every line but the first begins with `indent` spaces.
    """
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if width_of(joined) <= width - (indent if lines else 0):
            line = joined
            continue
        if line:
            lines.append(line)
        line, *others = _pieces(word, max(width - (indent if lines else 0), 2))
        if others:
            lines.append(line)
            *full, line = _pieces("".join(others), max(width - indent, 2))
            lines.extend(full)
    lines += [line] if line else []
    return [*lines[:1], *(" " * indent + one for one in lines[1:])]


def for_encoding(text: str, encoding: str | None) -> str:
    """`text` as an output of that encoding can show it: our symbols become ASCII ones, other characters `?`.

    An unknown encoding counts as ASCII.
    """
    try:
        text.encode(encoding or "ascii")
    except UnicodeEncodeError:
        return _degrade(text.translate(_ASCII), encoding or "ascii")
    except LookupError:
        return _degrade(text.translate(_ASCII), "ascii")
    return text


def _degrade(text: str, encoding: str) -> str:
    return "".join(char if _fits(char, encoding) else "?" * _columns(char) for char in text)


def _fits(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _pieces(word: str, width: int) -> list[str]:
    pieces, piece = [], ""
    for char in word:
        if piece and width_of(piece + char) > width:
            pieces.append(piece)
            piece = ""
        piece += char
    return [*pieces, piece]


def _columns(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
