"""Who is behind a request: users, apps, tokens and the scale of what they may do to a repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops_orchestrate.standin.repository import Repository

#: From nothing to everything; each may do what the ones before it may.
LEVELS = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass(eq=False)
class User:
    """A person, an organization or an app's bot."""

    id: int
    node_id: str
    login: str
    kind: str = "User"
    name: str = ""

    @property
    def email(self) -> str:
        """The address that commits made in the user's name carry."""
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(eq=False)
class App:
    """A GitHub App: it signs with its key and acts through installations."""

    id: int
    node_id: str
    slug: str
    owner: User
    public_key: str = ""
    permissions: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Installation:
    """An app on an account; `repositories` None: all of the account's."""

    id: int
    app: App
    account: User
    repositories: frozenset[str] | None = None
    permissions: dict[str, str] = field(default_factory=dict)

    def covers(self, repository: Repository) -> bool:
        """Whether it may act on a repository."""
        chosen = self.repositories is None or repository.full_name in self.repositories
        return chosen and self.account is repository.owner


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sends a request, and the name that limits are counted under."""

    user: User | None
    key: str
    installation: Installation | None = None
    app: App | None = None

    @property
    def login(self) -> str:
        """For the journal."""
        if self.app and not self.user:
            return f"app/{self.app.slug}"
        return self.user.login if self.user else "anonymous"


@dataclass(frozen=True, slots=True)
class Token:
    """What a secret stands for; `expires` in seconds since 1970, None: never."""

    user: User
    installation: Installation | None = None
    expires: float | None = None


ANONYMOUS = Identity(None, "anonymous")


def at_least(level: str, wanted: str) -> bool:
    """Whether a permission includes another one."""
    return LEVELS.index(level) >= LEVELS.index(wanted)
