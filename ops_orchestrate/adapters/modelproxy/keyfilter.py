"""Keeps one value out of a stream: a provider that repeats our key must not hand it to the agent."""

from __future__ import annotations

_INSTEAD = b"[removed]"


class KeyFilter:
    """Passes bytes on at once, except an end that may be the beginning of the value."""

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What of it can go on now."""
        data = (self._held + data).replace(self._value, _INSTEAD)
        keep = next((n for n in range(min(len(self._value) - 1, len(data)), 0, -1) if self._begins(data, n)), 0)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def whole(self, text: str) -> str:
        """A text that is no part of the stream, without the value."""
        return text.replace(self._value.decode(), _INSTEAD.decode())

    def end(self) -> bytes:
        """What was held back and is not the value."""
        held, self._held = self._held, b""
        return held

    def _begins(self, data: bytes, size: int) -> bool:
        return data.endswith(self._value[:size])
