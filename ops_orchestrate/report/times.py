"""Moments as the owner's clock shows them. For reading only: every document for scripts has seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


class Clock:
    """Shows moments in one time zone."""

    def __init__(self, zone: tzinfo = UTC, name: str = "UTC") -> None:
        self._zone = zone
        self._name = name

    def moment(self, at: float) -> str:
        """`2026-11-23 04:08 UTC`."""
        return f"{datetime.fromtimestamp(at, self._zone):%Y-%m-%d %H:%M} {self._name}"

    def time(self, at: float) -> str:
        """`04:08:55.187`, with the day left out: for the lines of one run."""
        return f"{datetime.fromtimestamp(at, self._zone):%H:%M:%S.%f}"[:-3]
