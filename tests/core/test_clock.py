"""A machine's clock against the server's: what counts as a difference, and what is done about it."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.clock import said, skew_of, why_refused


@pytest.mark.parametrize(
    ("looks", "skew"),
    [
        ([(10.0, 10.1, 10.2)], 0.0),
        ([(10.0, 10.0, 10.0)], 0.0),
        ([(100.0, 10.0, 100.2)], 90.0),
        ([(10.0, 100.0, 10.2)], -89.8),
        # Held up for a minute, and once not: the quick look counts.
        ([(10.0, 65.0, 70.0), (100.0, 40.0, 100.1)], 60.0),
        ([(10.0, 65.0, 70.0), (100.0, 100.05, 100.1)], 0.0),
    ],
)
def test_how_far_it_is_off(looks: list[tuple[float, float, float]], skew: float) -> None:
    assert skew_of(looks) == pytest.approx(skew)


@pytest.mark.parametrize(
    ("skew", "words", "refused"),
    [(0, "", False), (-4.9, "", False), (30, "30 s ahead of", False), (-60, "60 s behind", False), (61, "61 s", True)],
)
def test_what_is_said_and_what_is_refused(skew: float, words: str, refused: bool) -> None:
    assert words in said(skew)
    assert bool(words) == bool(said(skew))
    assert bool(why_refused(skew, 60)) == refused
