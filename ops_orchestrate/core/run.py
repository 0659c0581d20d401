"""A run: what was asked for, and where it stands."""

from __future__ import annotations

from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.states import RunState
from ops_orchestrate.core.task import Mode, Priority
from ops_orchestrate.core.value import Value


class RequestedTask(Value):
    """One task of the `--tasks` file, checked; stands in for the seed's "conversation context"."""

    id: str
    project: str
    repo: str | None = None
    title: str
    description: str = ""
    acceptance: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    priority: Priority | None = None
    label: str | None = None
    blocked_by: tuple[str, ...] = ()
    human: str | None = None


class RunRequest(Value):
    """Everything a run needs, frozen at its start: workers read this and never the user's files."""

    portfolio: Portfolio
    mode: Mode
    mode_note: str = ""
    """Why the mode is not the one asked for, or that it was chosen without a terminal."""
    dry_run: bool = False
    fires_only: bool = False
    no_main: bool = False
    max_waves: int | None = None
    force: bool = False
    """Skips merge confirmations. Never a guard."""
    planner_help: bool = False
    """Big tasks are put to an agent first, which proposes how to split them."""
    tasks: tuple[RequestedTask, ...] = ()
    agent: str = "command"
    """Which agent works: a name of wiring.AGENTS."""
    requested_by: str = ""
    night: str = ""
    """The date of the night that it was begun for, by nobody's hand; a digest follows it."""
    merge_authors: tuple[str, ...] = ()
    """Logins whose changes may be merged (the owner's preferences); empty: everybody's."""


class RunRecord(Value):
    """A run as the ledger has it now."""

    id: str
    request: RunRequest
    state: RunState
    reason: str = ""
    stop: str = ""
    """`salvage` or `now` once a stop was asked for."""
    created_at: float
    finished_at: float = 0.0
    skipped: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
