"""Reading an event's data, whatever came in it: each reader gives its type or nothing, never an error.

Events outlive versions: a key may be missing, or hold what an older version wrote. A board that crashes over
one odd event shows nothing at all, so an odd value counts as an absent one here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ops_orchestrate.core.project import Skipped
from ops_orchestrate.report.cells import clean

Data = Mapping[str, Any]


def text(data: Data, key: str, limit: int = 500) -> str:
    """One harmless line; numbers are shown, anything else is empty."""
    return _line(data.get(key), limit)


def flag(data: Data, key: str) -> bool:
    """True only for true."""
    return data.get(key) is True


def answer(data: Data, key: str) -> bool | None:
    """True or false, or None where it was not said."""
    value = data.get(key)
    return value if isinstance(value, bool) else None


def whole(data: Data, key: str) -> int | None:
    """A whole number, or None."""
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(data: Data, key: str) -> float | None:
    """A finite number, or None."""
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def texts(data: Data, key: str) -> tuple[str, ...]:
    """Harmless lines, without the empty ones."""
    lines = (_line(value, 500) for value in _items(data, key))
    return tuple(line for line in lines if line)


def left_out(data: Data, key: str) -> tuple[Skipped, ...]:
    """What was skipped or is unknown: `{name, reason}` each, or a plain sentence."""
    return tuple(_skipped(value) for value in _items(data, key))


def tables(data: Data, key: str) -> tuple[Data, ...]:
    """The objects of a list, without whatever else is in it."""
    return tuple(value for value in _items(data, key) if isinstance(value, Mapping))


def _items(data: Data, key: str) -> tuple[Any, ...]:
    value = data.get(key)
    return tuple(value) if isinstance(value, list | tuple) else ()


def _line(value: Any, limit: int) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return clean(str(value) if isinstance(value, str | float) or abs(value) < 10**30 else "", limit)


def _skipped(value: Any) -> Skipped:
    if isinstance(value, Mapping):
        return Skipped(name=text(value, "name"), reason=text(value, "reason"))
    return Skipped(name=_line(value, 500), reason="")
