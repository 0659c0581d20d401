"""What Sentry answers, as far as it is used. Nothing else of it is kept; a word that is not known is `unknown`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ops_orchestrate.adapters.web import read_as
from ops_orchestrate.errors import SourceUnavailable

LEVELS = frozenset({"sample", "debug", "info", "warning", "error", "fatal"})
STATUSES = frozenset({"resolved", "ignored", "unresolved"})


def _level(value: Any) -> Any:
    return value if value in LEVELS else "unknown"


def _status(value: Any) -> Any:
    return value if value in STATUSES else "unknown"


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Seen(_Answer):
    """When an error was seen, over its whole life."""

    first: datetime | None = Field(None, alias="firstSeen")


class Issue(_Answer):
    """One issue of a list. Counts are those of the period that was asked about."""

    id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    short_id: Annotated[str, Field(alias="shortId", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,100}$")]
    title: str = ""
    culprit: str | None = None
    permalink: str | None = None
    level: Annotated[str, BeforeValidator(_level)] = "unknown"
    status: Annotated[str, BeforeValidator(_status)] = "unknown"
    substatus: str | None = None
    category: str = Field("error", alias="issueCategory")
    count: int = Field(ge=0)
    users: int = Field(0, alias="userCount", ge=0)
    first_seen: datetime | None = Field(None, alias="firstSeen")
    last_seen: datetime | None = Field(None, alias="lastSeen")
    lifetime: Seen | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    annotations: list[Any] = Field(default_factory=list)

    @property
    def born(self) -> datetime | None:
        """When it was seen for the first time ever."""
        return (self.lifetime.first if self.lifetime else None) or self.first_seen


def issues_of(data: Any) -> list[Issue]:
    """A page of issues. Raises SourceUnavailable, naming the field that is not what it should be."""
    if not isinstance(data, list):
        raise SourceUnavailable("Sentry's answer holds no list of issues")
    return [issue_of(one) for one in data]


def issue_of(data: Any) -> Issue:
    """One issue. Raises SourceUnavailable."""
    return read_as(Issue, data, "Sentry")


def next_cursor(link: str) -> str:
    """The cursor of the next page; empty where this was the last one (`results="false"`).

    Only the cursor is taken: the address in the header is not followed.
    """
    for part in link.split(","):
        if 'rel="next"' in part and 'results="true"' in part:
            found = re.search(r'cursor="([A-Za-z0-9:_=.-]{1,200})"', part)
            return found[1] if found else ""
    return ""
