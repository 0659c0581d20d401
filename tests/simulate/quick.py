"""The two short cuts that a hundred thousand worlds need. Neither leaves out a rule."""

from __future__ import annotations

from operator import is_
from typing import Any, TypeVar

from ops_orchestrate.core.merge.checks import CheckSummary
from ops_orchestrate.core.merge.decide import checks_of
from ops_orchestrate.core.merge.snapshot import MergeSnapshot
from ops_orchestrate.core.value import Value

V = TypeVar("V", bound=Value)


def changed(value: V, values: dict[str, Any]) -> V:
    """`model_copy(update=values)`, without its care for private and extra fields, which no value has."""
    new = object.__new__(type(value))
    object.__setattr__(new, "__dict__", {**value.__dict__, **values})
    object.__setattr__(new, "__pydantic_fields_set__", value.__pydantic_fields_set__)
    object.__setattr__(new, "__pydantic_extra__", None)
    object.__setattr__(new, "__pydantic_private__", None)
    return new


def summed(seen: MergeSnapshot, last: tuple[MergeSnapshot, CheckSummary] | None) -> CheckSummary:
    """What the checks amount to; the last answer where every check and every demand is the very same object."""
    if last is not None:
        then, summary = last
        old, new = then.pull.checks, seen.pull.checks
        same = then.rules is seen.rules and then.policy is seen.policy and then.usual_checks is seen.usual_checks
        if same and (old is new or (len(old) == len(new) and all(map(is_, old, new)))):
            return summary
    return checks_of(seen)
