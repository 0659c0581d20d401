"""From flags to a frozen request: what the seed's table of arguments means."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.adapters.tasksfile import load_tasks
from ops_orchestrate.cli.screen import read_answer
from ops_orchestrate.config import Settings
from ops_orchestrate.core.mode import effective_mode
from ops_orchestrate.core.planner_help import help_wanted
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.requested import TasksFile
from ops_orchestrate.core.run import RequestedTask, RunRequest
from ops_orchestrate.core.task import Mode
from ops_orchestrate.errors import UsageError
from ops_orchestrate.report.matrix import CHOICES, mode_question
from ops_orchestrate.wiring import DEAF, portfolio

F = TypeVar("F", bound=Callable[..., Any])

_FLAGS = (
    click.option("--subagents", is_flag=True, help="One independent agent a task (cheapest)."),
    click.option("--teams", is_flag=True, help="Agent teams: steerable, consumers start early (3-7x cost)."),
    click.option("--hybrid", is_flag=True, help="Chosen task by task (recommended); without teams: subagents."),
    click.option("--dry-run", is_flag=True, help="Audit and plan only; print the plan, dispatch nothing."),
    click.option("--project", metavar="ALIAS", help="Only this project."),
    click.option("--fires-only", is_flag=True, help="Only P0 tasks, and what blocks them."),
    click.option(
        "--no-main", is_flag=True, help="Stop at the merge into integration; where that is main, ask for each."
    ),
    click.option("--max-waves", metavar="N", help="Work on the first N waves only, then halt."),
    click.option("--force", is_flag=True, help="Skip merge confirmations (never a guard)."),
    click.option(
        "--planner-help/--no-planner-help",
        default=None,
        help="Ask an agent how to split big tasks first (OPS_PLANNER_HELP; off by default).",
    ),
    click.option("--registry", type=click.Path(path_type=Path), metavar="PATH", help="The registry file."),
    click.option("--tasks", type=click.Path(path_type=Path), metavar="FILE", help="Tasks of yours, YAML or JSON."),
)


def options(function: F) -> F:
    """The flags of `run` and `plan`."""
    for option in reversed(_FLAGS):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Asked:
    """The flags as given, checked against each other."""

    mode: Mode | None
    dry_run: bool
    project: str | None
    fires_only: bool
    no_main: bool
    max_waves: int | None
    force: bool
    planner_help: bool | None
    registry: Path | None
    tasks: Path | None

    @classmethod
    def of(cls, flags: dict[str, Any]) -> Asked:
        """Raises UsageError for flags that contradict each other, or a number that makes no sense."""
        modes = [mode for mode in Mode if flags.pop(str(mode))]
        if len(modes) > 1:
            *first, last = [f"--{mode}" for mode in modes]
            raise UsageError(f"{', '.join(first)} and {last} contradict each other: give one mode.")
        if flags["dry_run"] and flags["force"]:
            raise UsageError("--dry-run merges nothing, so --force has nothing to skip: give one of them.")
        return cls(mode=modes[0] if modes else None, **{**flags, "max_waves": _waves(flags["max_waves"])})


def asked_of(words: Sequence[str]) -> Asked:
    """The flags of `run`, given as words (the nightly's). Raises UsageError; there is no dry run without a reader."""

    @click.command("nightly", add_help_option=False)
    @options
    def read(**flags: object) -> Asked:
        return Asked.of(flags)

    try:
        asked: Asked = read.main(args=list(words), prog_name="OPS_NIGHTLY_FLAGS", standalone_mode=False)
    except click.ClickException as error:
        raise UsageError(f"OPS_NIGHTLY_FLAGS: {error.format_message()}") from None
    except UsageError as error:
        raise UsageError(f"OPS_NIGHTLY_FLAGS: {error}") from None
    if asked.dry_run:
        raise UsageError("OPS_NIGHTLY_FLAGS: a night has no reader for --dry-run; call `ops-orchestrate plan` instead.")
    return asked


def _waves(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) == int(text)):
        raise UsageError(f"--max-waves takes a whole number from 1 up, not {text!r}.")
    return int(text)


@dataclass(frozen=True, slots=True)
class Material:
    """What a run would work on: read before anything is asked or started."""

    portfolio: Portfolio
    tasks: tuple[RequestedTask, ...]


def gather(settings: Settings, asked: Asked, *, anywhere: bool = False) -> Material:
    """Read registry and tasks file; `anywhere`: whatever the folder that this process stands in.

    Raises UsageError, RegistryError, TasksFileError, GitError.
    """
    found = portfolio(settings, registry=asked.registry, project=asked.project, anywhere=anywhere)
    wanted = load_tasks(asked.tasks, found) if asked.tasks else TasksFile(tasks=())
    found = found.model_copy(update={"skipped": (*found.skipped, *wanted.skipped)})
    return Material(portfolio=found, tasks=wanted.tasks)


def make_request(settings: Settings, asked: Asked, material: Material, *, terminal: bool) -> RunRequest:
    """The frozen request; its `mode_note` says why the mode is not just what was asked for."""
    deaf = settings.agent if settings.agent in DEAF else ""
    mode, note = effective_mode(asked.mode, terminal=terminal, teams_available=settings.teams, deaf=deaf)
    return RunRequest(
        portfolio=material.portfolio,
        mode=mode,
        mode_note=note,
        dry_run=asked.dry_run,
        fires_only=asked.fires_only,
        no_main=asked.no_main,
        max_waves=asked.max_waves,
        force=asked.force,
        planner_help=help_wanted(settings.planner_help, asked.planner_help, attended=terminal),
        tasks=material.tasks,
        agent=settings.agent,
        requested_by=getpass.getuser(),
        merge_authors=load_preferences(settings).merge_authors,
    )


def ask_mode(asked: Asked) -> Asked:
    """The seed's question with its four answers, where no flag has answered it. Raises click.Abort."""
    if asked.mode is not None or asked.dry_run:
        return asked
    click.echo(mode_question())
    choice = _choice()
    if choice == "dry-run":
        return replace(asked, dry_run=True, force=False)
    return replace(asked, mode=Mode(choice))


def _choice() -> str:
    """The flag that was meant: its name, the beginning of it, or nothing for the recommended one."""
    while True:
        try:
            reply = read_answer(f"  {', '.join(CHOICES)} [{Mode.HYBRID}]: ")
        except KeyboardInterrupt:
            raise click.Abort from None
        if reply is None:
            raise click.Abort
        word = reply.lower().lstrip("-") or str(Mode.HYBRID)
        meant = [choice for choice in CHOICES if choice.startswith(word)]
        if len(meant) == 1:
            return meant[0]
        click.echo(f"  “{reply}” is none of them.")


def new_run_id() -> str:
    """A name that sorts by time and is short enough to type: `r1123-0305-7f3a`."""
    now = datetime.now(UTC)
    return f"r{now:%m%d-%H%M}-{secrets.token_hex(2)}"
