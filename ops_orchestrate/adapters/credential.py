"""A secret that a source needs, or the sentence that says where it was looked for. Never its value."""

from __future__ import annotations

from ops_orchestrate.errors import SourceUnavailable
from ops_orchestrate.ports import Secrets


class NotSetUp(SourceUnavailable):
    """The owner has not set this source up: it is skipped, which is no failure of it."""


def required(secrets: Secrets, name: str) -> str:
    """The secret's value. Raises NotSetUp, naming the places that were asked."""
    value = secrets.get(name)
    if value is None:
        raise NotSetUp(f"{name} was not found ({'; '.join(secrets.tried(name))})")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise NotSetUp(f"{name} is no token: it has characters that a header cannot carry")
    return value
