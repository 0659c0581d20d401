"""`report RUN`: the final report again, from the run's events."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from ops_orchestrate.cli.connect import connected, run_named
from ops_orchestrate.cli.owner import owners_clock
from ops_orchestrate.cli.screen import Screen
from ops_orchestrate.config import load_settings
from ops_orchestrate.errors import UsageError
from ops_orchestrate.report.fold import fold


@click.command("report")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/schemas.md).")
@click.option(
    "--html",
    "page_file",
    type=click.Path(path_type=Path),
    help="Write one self-contained page: graph, slots over time, every task's story.",
)
def command(run: str, as_json: bool, page_file: Path | None) -> int:
    """Print the board and the report of RUN (default: the newest), also of one that is under way."""
    settings = load_settings()
    with connected(settings, workers=False) as connection:
        events = list(connection.ledger.events.all(run_named(connection.ledger, run)))
    screen = Screen(as_json=as_json, clock=owners_clock(settings))
    if page_file:
        from ops_orchestrate.report.page import page  # late: its template engine is for this option alone

        _write(page_file, page(events, owners_clock(settings)))
        screen.line(f"The page is in {page_file}.")
        if not as_json:
            return 0
    view = fold(events)
    screen.board(view)
    screen.final(view)
    return 0


def _write(target: Path, text: str) -> None:
    """Whole or not at all: a page that is open in a browser is never half a page.

    The draft has a name that nobody can guess, so that nobody has put a link there; a link in the page's own place is
    replaced, not followed. A page that is there keeps who may read it.
    """
    beside: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".page-", dir=target.parent)
        beside = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        beside.chmod(_mode_for(target))
        beside.replace(target)
    except OSError as error:
        raise UsageError(f"The page could not be written to {target}: {error.strerror or error}.") from None
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _mode_for(target: Path) -> int:
    """Of the page that is replaced, else what any new file gets."""
    with suppress(FileNotFoundError):
        known = target.lstat().st_mode
        if stat.S_ISREG(known):
            return stat.S_IMODE(known) & 0o666
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
