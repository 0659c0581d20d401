"""Which part of a pull request's life a request to the forge belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest

from ops_orchestrate.adapters.github.pulls import GitHubPullRequests
from ops_orchestrate.adapters.github.source import GitHubSource
from ops_orchestrate.engine.landing import change

ELSEWHERE = "elsewhere"

#: What each of these asks belongs to a phase; where one calls another, to that of the outer one.
_CALLS: tuple[tuple[Any, str, str], ...] = (
    (GitHubSource, "findings", "audit"),
    (GitHubPullRequests, "still", "audit"),
    (change, "publish_change", "push"),
    (GitHubPullRequests, "publish", "push"),
    (GitHubPullRequests, "open", "open"),
    (GitHubPullRequests, "glance", "watch"),
    (GitHubPullRequests, "rules", "rules of the base"),
    (GitHubPullRequests, "read", "gate"),
    (GitHubPullRequests, "checks", "gate"),
    (GitHubPullRequests, "may_write", "gate"),
    (GitHubPullRequests, "merge", "merge"),
    (GitHubPullRequests, "remove", "after-care"),
)
#: A part of a push that is a phase of its own.
_INSIDE = "open"

PHASES = (*dict.fromkeys(phase for _, _, phase in _CALLS), "proof", ELSEWHERE)
"""Of a proof only git is asked, so it has no call here."""


class Phases:
    """The phase of every request so far, by its place in the forge's own record."""

    def __init__(self, count: Callable[[], int]) -> None:
        """`count`: how many entries that record has now."""
        self._count = count
        self._spans: list[tuple[int, int, str]] = []
        self._under_way: list[str] = []

    def of(self, place: int) -> str:
        """The phase of an entry."""
        return next((phase for start, end, phase in self._spans if start <= place < end), ELSEWHERE)

    @contextmanager
    def during(self) -> Iterator[None]:
        """Everything in here is put down to its phase."""
        with pytest.MonkeyPatch.context() as patch:
            for owner, name, phase in _CALLS:
                patch.setattr(owner, name, self._noted(getattr(owner, name), phase))
            yield

    def _noted(self, real: Callable[..., Any], phase: str) -> Callable[..., Any]:
        @wraps(real)
        def call(*args: Any, **kwargs: Any) -> Any:
            if self._under_way and (phase != _INSIDE or phase in self._under_way):
                return real(*args, **kwargs)
            self._under_way.append(phase)
            start = self._count()
            try:
                return real(*args, **kwargs)
            finally:
                self._spans.append((start, self._count(), phase))  # an inner one comes before its outer one
                self._under_way.pop()

        return call
