"""The base of every value that crosses a room or a process: frozen, closed, and JSON at the edges."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value. Unknown fields are an error: a typo in stored JSON must not pass silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")
