"""Merges of the run's own, as its events tell them."""

from __future__ import annotations

from ops_orchestrate.core.value import Value


class PromotionView(Value):
    """One promotion of an integration branch that was proved."""

    name: str = ""
    """The repository's name for people; `repo` is its key."""

    repo: str
    source: str
    target: str
    commit: str
    at: float


class RevertView(Value):
    """One merge that was taken back, and that was proved."""

    name: str = ""
    """The repository's name for people; `repo` is its key."""
    repo: str
    target: str
    """The branch."""
    reverts: str
    """The merge that was taken back."""
    commit: str
    """What the branch stands at since."""
    at: float
