"""Reads `memories/topics_active.md`. It is context, never a condition: without it, nothing changes."""

from __future__ import annotations

from ops_orchestrate.adapters.textfile import read_if_there
from ops_orchestrate.config import Settings
from ops_orchestrate.core.topics import TEXT_LIMIT, Topic, parse_topics
from ops_orchestrate.errors import OpsError


def read_topics(settings: Settings) -> tuple[Topic, ...]:
    """The active topics; none where the file is missing or cannot be read."""
    try:
        data = read_if_there(settings.data_dir / "memories" / "topics_active.md", TEXT_LIMIT, OpsError)
    except OpsError:
        return ()
    return parse_topics(data.decode("utf-8", "replace")) if data else ()
