"""What is wrong with a setting, for the person who set it: its name, its value, what it may be, and what to do.

Only numbers, yes-or-no and choices are quoted: any other value may be, or hold, a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.nearest import did_you_mean

#: pydantic-settings names the field that it could not read as JSON in the middle of a sentence.
_FIELD = re.compile(r'field "(\w+)"')


def sentences(error: ValidationError, fields: Mapping[str, FieldInfo], file: object, in_file: Iterable[str]) -> str:
    """A line for each setting that was refused. `in_file`: the fields that the settings file `file` has."""
    there = set(in_file)
    return "\n".join(_sentence(problem, fields, f"{file}", there) for problem in error.errors(include_url=False))


def unreadable(error: ValueError) -> str:
    """For a value that is no JSON where it has to be."""
    found = _FIELD.search(str(error))
    if found is None:
        return f"The settings cannot be read: {error}"
    return f"{_variable(found[1])}: it is not JSON. Write it as JSON, or unset it."


def _sentence(problem: Any, fields: Mapping[str, FieldInfo], file: str, in_file: set[str]) -> str:
    field, *inside = (str(part) for part in problem["loc"])
    name, kind = _variable(field), _kind(fields[field])
    given = name in {one.upper() for one in os.environ}
    filed = not given and field in in_file
    where = f"{file}, {field}" if filed else name
    said = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if inside:
        return f"{where}: {'.'.join(inside)}: {said}."
    unset = not (given or filed) and problem["input"] == fields[field].default
    value = f"its default, {problem['input']}," if unset else _quoted(problem["input"])
    if problem["type"] == "value_error":
        return f"{where}: {value} {said}." if kind in (int, float) else f"{where}: {said}."
    wrong = _wrong(kind, fields[field])
    if not wrong:
        return f"{where}: {said}."
    near = did_you_mean(str(problem["input"]), kind) if isinstance(kind, tuple) else ""
    return f"{where}: {value} {wrong}.{near}{_remedy(fields[field], 'take the line out' if filed else 'unset it')}"


def _variable(field: str) -> str:
    return f"OPS_{field.upper()}"


def _quoted(value: object) -> str:
    return f'"{one_line(str(value), 60)}"'


def _kind(info: FieldInfo) -> Any:
    """The type of its values; the words that it may be, where it is a choice."""
    if get_origin(info.annotation) is Literal:
        return tuple(word for word in get_args(info.annotation) if word)
    options = [one for one in get_args(info.annotation) if one is not type(None)]
    return options[0] if len(options) == 1 and type(None) in get_args(info.annotation) else info.annotation


def _wrong(kind: Any, info: FieldInfo) -> str:
    """What is wrong with a value of the wrong kind; empty where there are no words of ours for it."""
    if isinstance(kind, tuple):
        return f"is none of {', '.join(kind)}"
    if kind is bool:
        return "is neither true nor false"
    if kind in (int, float):
        return f"is not a {'whole ' if kind is int else ''}number{_bounds(info)}"
    return ""


def _bounds(info: FieldInfo) -> str:
    found = {side: getattr(one, side) for one in info.metadata for side in ("ge", "gt", "le") if hasattr(one, side)}
    if "ge" in found and "le" in found:
        return f" from {found['ge']:,} to {found['le']:,}"
    low = f" above {found['gt']:,}" if "gt" in found else f" of at least {found['ge']:,}" if "ge" in found else ""
    high = f" of at most {found['le']:,}" if "le" in found else ""
    return f"{low} and{high}" if low and high else low + high


def _remedy(info: FieldInfo, otherwise: str) -> str:
    default = info.get_default()
    if default is None or default == "":
        return f" Change it, or {otherwise}."
    shown = (
        str(default).lower() if isinstance(default, bool) else f"{default:,}" if isinstance(default, int) else default
    )
    return f" Change it, or {otherwise}: then it is {shown}."
