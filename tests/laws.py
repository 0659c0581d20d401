"""How often a law is tried, and with which cases what is dear: as the Hypothesis profile says (CONTRIBUTING.md)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import HealthCheck, settings

USUAL = 40

T = TypeVar("T")

# No deadline: what a law costs depends on the machine, and none of them is about speed. The usual examples are the same
# on every machine, so that a change is judged by what it changed; `thorough` looks for new ones.
settings.register_profile(
    "usual", max_examples=USUAL, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=25 * USUAL, derandomize=False)


def load_profile() -> None:
    """The one that HYPOTHESIS_PROFILE names, else `usual`; before any law is collected."""
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


def examples(usual: int) -> int:
    """For a law of which one example is a whole run: fewer than `USUAL`, and more by the same factor when thorough."""
    return usual * settings().max_examples // USUAL


def some(cases: Sequence[T], usual: int = 1) -> Sequence[T]:
    """Of one promise whose every case is a whole run, the first few; all of them when thorough."""
    return cases if settings().max_examples > USUAL else cases[:usual]
