"""What a query about pull requests tells of their repository on the way: it costs no point more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ops_orchestrate.core.names import one_line

Method = Literal["squash", "merge", "rebase"]

_METHODS: tuple[tuple[str, Method], ...] = (
    ("squashMergeAllowed", "squash"),
    ("mergeCommitAllowed", "merge"),
    ("rebaseMergeAllowed", "rebase"),
)


class Standing(NamedTuple):
    """A repository as one answer had it."""

    asked_at: float
    """When it was asked for, by time.monotonic()."""
    login: str
    """Our own, as REST has it; empty where the answer named none."""
    open_to_writes: bool
    """It has the name that it was asked for by, and is neither archived nor disabled: all in so many words."""
    methods: frozenset[Method]
    """Ways to merge that the repository allows."""


def standing_of(slug: str, data: Mapping[str, Any], login: str, asked_at: float) -> Standing:
    """`data`: the repository of an answer. What it does not say is never a yes."""
    name = one_line(str(data.get("nameWithOwner") or ""), 140)
    ours = name.lower() == slug.lower()
    usable = data.get("isArchived") is False and data.get("isDisabled") is False
    return Standing(asked_at, login, ours and usable, methods_of(data))


def methods_of(data: Mapping[str, Any]) -> frozenset[Method]:
    """The ways to merge that it allows."""
    return frozenset(method for field, method in _METHODS if data.get(field) is True)
