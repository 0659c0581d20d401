"""A rest for Python's collector of circles, while something large is made, used and dropped that has none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_rests() -> Iterator[None]:
    """Within it nothing is searched for circles: of millions of new values that is a third of the time, and finds none.

    What is no longer needed is freed as ever, by its count. Whoever drops all of it within pays for no search at the
    end either. Where the collector is off already it stays off.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
