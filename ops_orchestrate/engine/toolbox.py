"""What a step works with. Made by `wiring`, one per process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from ops_orchestrate.config import Settings
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.progress import Phase
from ops_orchestrate.core.project import Portfolio, Repository
from ops_orchestrate.core.regate import Registered
from ops_orchestrate.ledger import Ledger
from ops_orchestrate.ports import (
    Agent,
    Forge,
    Gates,
    Health,
    PullRequests,
    SecretScan,
    Source,
    Workshop,
)
from ops_orchestrate.ports.aftermath import Errors, Tracker
from ops_orchestrate.ports.consult import Consultant
from ops_orchestrate.ports.kept import KeptSessions


@dataclass(frozen=True, slots=True)
class Means:
    """What money is counted by. Each may raise UsageError: the owner's file behind it cannot be read."""

    priced: Callable[[str], bool]
    """Whether the price of a model is known."""
    zone: Callable[[], tzinfo]
    """Whose midnight ends a day."""
    terms: Callable[[], str]
    """By which settings this process would grant, as a digest: another one with the same decides the same."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The ports of this process, its settings and its name on the board."""

    settings: Settings
    ledger: Ledger
    workshop: Workshop
    gates: Gates
    secrets: SecretScan
    forge_of: Callable[[Repository], Forge]
    pulls_of: Callable[[Repository], PullRequests | None]
    """Where the repository's pull requests are; None where it has none and commits are pushed."""
    agent_of: Callable[[str], Agent]
    consultant_of: Callable[[str], Consultant]
    """Who is asked something, by the name of an agent."""
    sources: Mapping[str, Source]
    health: Health
    means: Means
    trackers: Mapping[str, Tracker]
    """Where tickets and errors may be marked as done, by the first word of their names; only what the owner allows."""
    errors: Errors | None
    """Counts errors in production; None where nobody is set up to be asked."""
    sessions: KeptSessions
    """What this machine keeps of agents' sessions between their attempts."""
    registered: Callable[[Portfolio, str], Registered]
    """What the registry on this machine has now for a repository of a run, by its key; only a person's word asks.

    May raise RegistryError."""
    kept: bool
    """Whether the server is our own, which has forgotten nothing when it comes back."""
    stopping: Callable[[], bool]
    """Whether this process is being shut down: agents are interrupted and their work salvaged."""
    doing: Callable[[Phase, str], None] = lambda _phase, _now: None
    """Tells whoever looks on what the job does now; heard by nobody outside of a job. It never waits, never raises."""

    @property
    def host(self) -> str:
        """This machine's name on the board."""
        return self.settings.host

    def note(self, key: StageKey, kind: EventKind, data: Mapping[str, Any]) -> None:
        """Write an event of an attempt, as seen from this machine."""
        self.ledger.runs.note(
            key.run, kind, task=key.task, attempt=key.attempt, fence=key.fence, host=self.host, data=dict(data)
        )
