"""`events RUN`: the story of a run, one event a line, as it was written; `--check` looks whether it holds together."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ops_orchestrate.cli.connect import connected, run_named
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.event import Event
from ops_orchestrate.core.names import one_line
from ops_orchestrate.ledger import Ledger
from ops_orchestrate.report.check import violations


@click.command("events")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--check", is_flag=True, help="Check cap, order, ownership and attempts; exit 1 on a violation.")
def command(run: str, as_json: bool, check: bool) -> int:
    """Print the events of RUN."""
    with connected(load_settings(), workers=False) as connection:
        events = list(all_events(connection.ledger, run_named(connection.ledger, run)))
    if check:
        found = violations(events)
        for line in found:
            click.echo(line)
        click.echo(f"{len(events)} events, {len(found)} violations")
        return 1 if found else 0
    for event in events:
        click.echo(event.model_dump_json() if as_json else _line(event))
    return 0


def all_events(ledger: Ledger, run: str) -> Iterator[Event]:
    """Every event of a run, read in pages."""
    after = 0
    while page := ledger.events.read(run, after):
        yield from page
        after = page[-1].seq


def _line(event: Event) -> str:
    attempt = f" a{event.attempt}" if event.attempt is not None else ""
    data = " ".join(f"{key}={one_line(str(value), 80)}" for key, value in event.data.items() if value not in ("", None))
    return f"{event.seq:>5} {event.at:.3f} {event.kind:<18} {event.task or '-'}{attempt} {data}".rstrip()
