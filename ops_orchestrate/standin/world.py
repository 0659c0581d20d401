"""The state of the whole stand-in behind one lock: people, repositories, numbers, the clock and the journal.

Every request and every hand of the control side holds `lock` while it works, so each sees a world at rest.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ops_orchestrate.standin.faults import Faults
from ops_orchestrate.standin.journal import Journal
from ops_orchestrate.standin.limits import Limits
from ops_orchestrate.standin.people import App, Installation, Token, User
from ops_orchestrate.standin.pull import Pull
from ops_orchestrate.standin.repository import Repository


class Named(Protocol):
    """A thing with a global name."""

    node_id: str


T = TypeVar("T", bound=Named)

#: The app that GitHub Actions reports with; the number is GitHub's own.
ACTIONS = 15368


class World:
    """What there is. Keys of people and repositories are lower case: GitHub does not tell cases apart."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.moved = threading.Condition(self.lock)
        """Notified whenever a request ends or the control side changes something."""
        self._clock = clock
        self._ahead = 0.0
        self._ids = itertools.count(1001)
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, str] = {}
        self.nodes: dict[str, Any] = {}
        self.journal = Journal()
        self.faults = Faults()
        self.limits = Limits()
        self.reads_before_mergeable = 1
        """How many reads of a pull request GitHub answers "unknown" before mergeability is computed."""
        self.published: Path | None = None
        self.claimed: set[Pull] = set()
        """Pull requests that have shown a claimed mergeability during this request."""
        self.queue_open = True
        self.in_flight = 0
        self.ghost = self.user("ghost")
        actions = User(self.next_id(), "", "github-actions[bot]", "Bot")
        self.users[actions.login] = actions
        self.apps[ACTIONS] = App(
            ACTIONS, self.name_node("A", ACTIONS), "github-actions", self.user("github", "Organization")
        )

    def now(self) -> float:
        """Seconds since 1970, as far as the control side has let time go on."""
        return self._clock() + self._ahead

    def skip(self, seconds: float) -> None:
        """Let that much time pass at once."""
        self._ahead += seconds

    def next_id(self) -> int:
        """A number that nothing else has, greater than all before it."""
        return next(self._ids)

    @staticmethod
    def name_node(prefix: str, number: int) -> str:
        """The global name of a thing for GraphQL."""
        return f"{prefix}_{number}"

    def ids(self, prefix: str) -> tuple[int, str]:
        """A new number and its global name."""
        number = self.next_id()
        return number, self.name_node(prefix, number)

    def keep(self, thing: T) -> T:
        """Make a thing findable by its global name."""
        self.nodes[thing.node_id] = thing
        return thing

    def user(self, login: str, kind: str = "User") -> User:
        """The user of that login, made where there is none."""
        if login.lower() not in self.users:
            number, node = self.ids("O" if kind == "Organization" else "U")
            self.users[login.lower()] = self.keep(User(number, node, login, kind))
        return self.users[login.lower()]

    def bot_of(self, app: App) -> User:
        """The user that an app acts as."""
        return self.user(f"{app.slug}[bot]", "Bot")

    def effect(self, what: str, repository: Repository, by: User | None, **facts: Any) -> None:
        """Write down that something changed."""
        login = by.login if by else "github"
        self.journal.add(self.now(), "effect", login, what, repository=repository.full_name, **facts)

    def find(self, full_name: str) -> Repository | None:
        """A repository by its present name."""
        return self.repositories.get(full_name.lower())

    def level(self, user: User | None, repository: Repository, installation: Installation | None = None) -> str:
        """What somebody may do to a repository."""
        if installation is not None:
            return _installed(installation, repository)
        if user is None:
            return "none" if repository.private else "read"
        if user is repository.owner:
            return "admin"
        return repository.members.get(user.login.lower(), "none" if repository.private else "read")


def _installed(installation: Installation, repository: Repository) -> str:
    if not installation.covers(repository):
        return "none" if repository.private else "read"
    return "write" if installation.permissions.get("contents") == "write" else "read"
