"""JSON written by people and other tools, read without surprises.

Refuses what the standard reader lets through: the same key twice in one object (the last one would win in
silence), NaN, lone surrogates, NUL bytes. Accepts a byte order mark and UTF-16 that carries one.
"""

from __future__ import annotations

import codecs
import json
from collections import Counter
from typing import Any, NoReturn

from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import OpsError

LIMIT = 64 * 1024 * 1024
"""Bytes; ten thousand projects with all their fields are about five million."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class _RefusedError(ValueError):
    """Why the text is not accepted, in words that follow the name of the file."""


def decode_text(data: bytes, *, origin: str, error: type[OpsError], limit: int = LIMIT) -> str:
    """The bytes as text. Raises `error`, naming `origin`, for what is too large, empty or not text."""
    try:
        return _decode(data, limit)
    except _RefusedError as refusal:
        raise error(f"{origin} {refusal}") from None


def load_json(data: bytes, *, origin: str, error: type[OpsError], limit: int = LIMIT) -> Any:
    """The value of a JSON text. Raises `error`, naming `origin` and, where there is one, the line."""
    text = decode_text(data, origin=origin, error=error, limit=limit)
    try:
        return _parse(text)
    except _RefusedError as refusal:
        raise error(f"{origin} {refusal}") from None


def _decode(data: bytes, limit: int) -> str:
    if len(data) > limit:
        raise _RefusedError(f"is larger than {limit // 1024} kB; that cannot be right.")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data:
        raise _RefusedError("has NUL bytes in it: it was damaged, or saved in another encoding than UTF-8.")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as bad:
        raise _RefusedError(f"is not UTF-8 (byte {bad.start}); save it as UTF-8.") from None
    if "\0" in text:
        raise _RefusedError("has NUL characters in it: it was damaged.")
    if not text.strip():
        raise _RefusedError("is empty.")
    return text


def _parse(text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as bad:
        where = f"line {bad.lineno}, column {bad.colno}"
        end = " It ends in the middle: was it cut off?" if bad.pos >= len(text.rstrip()) - 1 else ""
        raise _RefusedError(f"is not valid JSON ({where}: {bad.msg}).{end}") from None
    except RecursionError:
        raise _RefusedError("is nested too deeply.") from None
    except UnicodeEncodeError:
        raise _RefusedError("has half a character (a lone surrogate) in one of its strings.") from None
    except _RefusedError:
        raise
    except ValueError:  # an integer of more digits than Python converts
        raise _RefusedError("has a number that cannot be read.") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        who = next((found[k] for k in ("alias", "name", "id") if isinstance(found.get(k), str)), None)
        place = f' of "{one_line(who, 60)}"' if who else ""
        raise _RefusedError(f'has the key "{one_line(twice, 60)}" twice in one object{place}; remove one of them.')
    return found


def _constant(name: str) -> NoReturn:
    raise _RefusedError(f"has {name} in it, which is not JSON.")
