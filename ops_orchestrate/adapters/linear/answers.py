"""What Linear answers, as far as it is used."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ops_orchestrate.adapters.web import read_as

#: Types of a workflow state.
STATE_TYPES = frozenset({"triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate"})
#: What else there may be, which nothing accepts.
UNKNOWN = "unknown"
_OVER = frozenset({"completed", "canceled", "duplicate"})

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,20}-[0-9]{1,10}$")]


def _state_type(value: Any) -> Any:
    return value if value in STATE_TYPES else UNKNOWN


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class PageInfo(_Answer):
    """Whether a list goes on, and where."""

    more: bool = Field(alias="hasNextPage")
    cursor: str | None = Field(None, alias="endCursor")


class State(_Answer):
    """A state of a team's workflow."""

    id: str = ""
    name: str = ""
    type: Annotated[str, BeforeValidator(_state_type)]
    position: float = 0.0

    @property
    def over(self) -> bool:
        """Whether nobody works on it any more."""
        return self.type in _OVER


class Page(_Answer):
    """A page of a list; what is in it is read by whoever asked."""

    nodes: list[dict[str, Any]]
    info: PageInfo = Field(alias="pageInfo")


class Person(_Answer):
    """Somebody, by name."""

    name: str = ""
    display: str = Field("", alias="displayName")


class Project(_Answer):
    """What Linear calls a project, by name."""

    name: str = ""


class Ticket(_Answer):
    """One ticket, its lists one page each."""

    id: Annotated[str, Field(min_length=1, max_length=100)]
    identifier: Identifier
    previous: list[str] = Field(default_factory=list, alias="previousIdentifiers")
    title: str
    description: str | None = None
    priority: float = 0.0
    url: str = ""
    state: State
    project: Project | None = None
    assignee: Person | None = None
    outsider: Person | None = Field(None, alias="externalUserCreator")
    labels: Page
    attachments: Page
    relations: Page
    blockers: Page = Field(alias="inverseRelations")
    children: Page


class Team(_Answer):
    """A team, as far as it is asked about: whether a cycle is going on."""

    key: str
    cycle: dict[str, Any] | None = Field(None, alias="activeCycle")


class Related(_Answer):
    """Another ticket: the other end of a relation, or a sub-issue."""

    identifier: Identifier
    state: State | None = None


class Relation(_Answer):
    """How two tickets stand to each other: `blocks`, `duplicate`, `related`, or what else there may be."""

    type: str
    issue: Related | None = None
    related: Related | None = Field(None, alias="relatedIssue")


_Model = TypeVar("_Model", bound=BaseModel)


def read(model: type[_Model], data: Any) -> _Model:
    """Data as that model. Raises SourceUnavailable, naming the field that is not what it should be."""
    return read_as(model, data, "Linear")
