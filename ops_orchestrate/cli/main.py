"""The group of verbs. Verbs are imported when they are called, so that `--help` starts fast."""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper

import click

from ops_orchestrate import __version__
from ops_orchestrate.cli.exits import guarded
from ops_orchestrate.cli.mistakes import unknown_verb

#: Verb to its one line of help; the order is the order of `--help`.
VERBS: dict[str, str] = {
    "run": "Audit, plan, work, verify, ship and report.",
    "plan": "Audit and plan only; print what would be done.",
    "init": "Make a registry from the git repositories under some folders.",
    "status": "Runs, slots, ownership, hosts.",
    "metrics": "The ledger in figures, for Prometheus.",
    "report": "The report of a run.",
    "watch": "Look on while a run goes.",
    "events": "The events of a run, one a line.",
    "explain": "Why is this task not running, or not shipped?",
    "send": "Say something to an agent while it works.",
    "answer": "Answer what a task waits for.",
    "retry": "Try a task again that was discarded or is blocked.",
    "cancel": "Withdraw a task.",
    "stop": "Stop a run; its agents' work is kept.",
    "resume": "Go on with a run.",
    "up": "Keep workers, beat and Flower running here, until Ctrl-C.",
    "budget": "What today has cost, the caps, and accounts without quota.",
    "drain": "Let a machine finish what it does and take nothing new.",
    "projects": "The projects of the registry, and what is skipped.",
    "doctor": "Check this machine and say what to mend.",
    "demo": "Build four small repositories and run the whole pipeline on them.",
}


class Verbs(click.Group):
    """A group whose commands are modules of this package, loaded when named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of the table."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The verb's own command; None for an unknown one."""
        del ctx
        if name not in VERBS:
            return None
        command: click.Command = import_module(f"ops_orchestrate.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of verbs, without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest verb suggested for a mistyped one."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(unknown_verb(args[0], VERBS))
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ops-orchestrate")
def root() -> None:
    """Audit every repository you own, plan the work as a graph, let agents do it, verify and ship it.

    Exit codes: 0 done, 1 error, 2 usage, 3 bug, 4 halted with tasks that wait for you, 130 interrupted.
    Every setting is an OPS_* variable; docs/configuration.md lists them.
    """


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what a poor encoding cannot show is no reason to fail
            stream.reconfigure(errors="replace")
    return guarded(lambda: int(root.main(args=argv, prog_name="ops-orchestrate", standalone_mode=False) or 0))
