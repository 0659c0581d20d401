"""GitHub's answers as far as we use them. What is more is ignored; what is missing or of another kind is an error."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import SourceUnavailable

N = TypeVar("N")
M = TypeVar("M", bound=BaseModel)


class Wire(BaseModel):
    """A part of a GraphQL answer."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Rest(BaseModel):
    """A part of a REST answer."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PageInfo(Wire):
    """Where a list goes on."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Connection(Wire, Generic[N]):
    """One page of a list. GitHub leaves null in the place of what we may not see."""

    nodes: list[N | None] = Field(default_factory=list)
    total_count: int | None = None
    page_info: PageInfo = PageInfo()

    @property
    def items(self) -> list[N]:
        """What can be seen of it."""
        return [node for node in self.nodes if node is not None]

    @property
    def whole(self) -> bool:
        """Whether this page is all there is."""
        cut = self.total_count is not None and self.total_count != len(self.nodes)
        return not self.page_info.has_next_page and not cut and None not in self.nodes


class Actor(Wire):
    """Somebody; GraphQL names bots without the ending that REST and people use."""

    login: str = ""
    typename: str = Field("", alias="__typename")

    @property
    def name(self) -> str:
        """The login as `merge_authors` has it: `dependabot[bot]`."""
        login = one_line(self.login, 100)
        return f"{login}[bot]" if self.typename == "Bot" and not login.endswith("[bot]") else login


class Oid(Wire):
    """A commit's id."""

    oid: str = ""


class NameWithOwner(Wire):
    """A repository's name."""

    name_with_owner: str


class Label(Wire):
    """A label."""

    name: str


class CommentNode(Wire):
    """A comment in a thread."""

    body: str = ""
    created_at: str | None = None
    author: Actor | None = None
    author_association: str = ""
    viewer_did_author: bool = False


class ThreadNode(Wire):
    """A review thread."""

    id: str = ""
    is_resolved: bool
    path: str = ""
    line: int | None = None
    comments: Connection[CommentNode] | None = None


class IssueRef(Wire):
    """An issue by its number."""

    number: int
    repository: NameWithOwner
    state: str = ""


def read(model: type[M], data: Any, what: str) -> M:
    """`data` as the model. Raises SourceUnavailable where it is something else; values stay out of the message."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
    raise SourceUnavailable(f"GitHub's answer about {what} is not what it should be (at {one_line(where, 80)})")
