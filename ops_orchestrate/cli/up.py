"""`up`: an installation that stays. What the Procfile starts, started and kept running without a process manager.

The keeper of the embedded stack does it, since it already has what a manager lacks: it starts again what dies, with
growing pauses, and gives agents the time to be interrupted and their work the time to be salvaged.
"""

from __future__ import annotations

import signal
import threading
import time
from importlib.util import find_spec

import click

from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.adapters.stack import Stack
from ops_orchestrate.cli.connect import process_spec, stack_of, worker_specs
from ops_orchestrate.cli.exits import Exit
from ops_orchestrate.cli.night_check import night_troubles, night_words
from ops_orchestrate.cli.ready import check_server, check_this_host
from ops_orchestrate.cli.screen import warn
from ops_orchestrate.config import Settings, load_settings, mistyped_settings
from ops_orchestrate.core.hosts import is_loopback

#: How often the stack is looked at, in seconds.
_LOOK = 1.0


@click.command("up")
@click.option("--no-flower", is_flag=True, help="Without Flower.")
def command(no_flower: bool) -> int:
    """Keep the four pools, beat and Flower running on this machine, until Ctrl-C or SIGTERM.

    Without OPS_REDIS_URL it brings a server along, as `run` does, and `run` then uses these workers.
    """
    settings = load_settings()
    for sentence in mistyped_settings():
        warn(sentence)
    nightly = night_words(settings, time.time())  # a mistake in it is better said now than at three in the morning
    for sentence in _night_warnings(settings):
        warn(sentence)
    check_server(settings)
    if settings.urls is None:
        check_this_host(settings, settings.agent)
    shows = not no_flower and find_spec("flower") is not None
    if not no_flower and not shows:
        warn("Flower is not installed, so it is left out: pip install 'ops-orchestrate[flower]'")
    if shows and not is_loopback(settings.flower_address):
        warn(
            f"Flower listens at {settings.flower_address}, beyond this machine, without TLS: its password can be read "
            "on the way. Leave OPS_FLOWER_ADDRESS unset and come by an SSH tunnel, or put a proxy with TLS before it."
        )
    specs = (*worker_specs(), process_spec("beat"), *([process_spec("flower")] if shows else []))
    asked = _Asked()
    stack = stack_of(settings, workers=specs, elsewhere=settings.urls is not None)
    try:
        _say(settings, stack, nightly, shows=shows)
        _stay(stack, asked.ended)
        click.echo(
            "Stopping: unless another command uses them too, workers end, agents are interrupted, and their work is "
            "kept. Ctrl-C again does not wait for that."
        )
    finally:
        code = _leave(stack, asked)
    return code


class _Asked:
    """What Ctrl-C and SIGTERM asked for: to end, and when they come again, not to wait for it."""

    def __init__(self) -> None:
        self.ended, self.again = threading.Event(), threading.Event()
        self.waiting = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def _hear(self, *_: object) -> None:
        if self.waiting:
            raise KeyboardInterrupt
        (self.again if self.ended.is_set() else self.ended).set()


def _leave(stack: Stack, asked: _Asked) -> int:
    """Give up the stack, and say what becomes of it; the exit code."""
    try:
        asked.waiting = True
        if stack.close(wait=not asked.again.is_set()):
            click.echo("Everything has ended.")
            return Exit.DONE
    except KeyboardInterrupt:
        asked.again.set()
    if asked.again.is_set():
        click.echo("Not waited for: what is left ends by itself, unless another command uses the workers too.")
        return Exit.INTERRUPTED
    stays = "Another command uses the workers too, so they stay until it ends."
    click.echo(stays if stack.alive() else "Not everything has ended yet; what is left ends by itself.")
    return Exit.DONE


def _night_warnings(settings: Settings) -> list[str]:
    """What would keep the night from being what its owner thinks it is."""
    troubles = [f"{found}. {remedy}" for found, remedy in night_troubles(settings)]
    return [*load_preferences(settings).warnings, *troubles]


def _say(settings: Settings, stack: Stack, nightly: str, *, shows: bool) -> None:
    where = "your server" if settings.urls else stack.describe()
    if not stack.ours:
        click.echo(f"Up already on {where}; logs in {settings.state_dir / 'logs'}")
        click.echo(
            "Another command has started these workers, and they run by its settings, not by those of this one. Now "
            "they stay until both have ended."
        )
        return
    click.echo(f"Up on {where}; logs in {settings.state_dir / 'logs'}")
    click.echo(f"Nightly: {nightly}")
    if shows:
        login = "OPS_FLOWER_AUTH" if settings.flower_auth else str(settings.state_dir / "flower.auth")
        host = f"[{settings.flower_address}]" if ":" in settings.flower_address else settings.flower_address
        click.echo(f"Flower: http://{host}:{settings.flower_port} (login in {login})")


def _stay(stack: Stack, ended: threading.Event) -> None:
    """Until somebody ends it: start the keeper again if it was killed, and say once what it cannot mend itself."""
    said = ""
    while not ended.wait(_LOOK):
        if not stack.alive():
            stack.ensure()
        problem = stack.problem()
        if problem and problem != said:
            warn(problem)
        elif said and not problem:
            click.echo("That is over; it goes on.")
        said = problem
