"""`events RUN`: the story of a run, one event a line, as it was written; `--check` looks whether it holds together."""

from __future__ import annotations

import json

import click

from ops_orchestrate.cli.connect import connected, run_named
from ops_orchestrate.cli.owner import owners_clock
from ops_orchestrate.cli.screen import say
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.event import Event
from ops_orchestrate.core.names import one_line
from ops_orchestrate.report.amounts import count
from ops_orchestrate.report.check import violations
from ops_orchestrate.report.times import Clock


@click.command("events")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line (docs/schemas.md).")
@click.option("--check", is_flag=True, help="Check cap, order, ownership and attempts; exit 1 on a violation.")
def command(run: str, as_json: bool, check: bool) -> int:
    """Print the events of RUN (default: the newest)."""
    settings = load_settings()
    with connected(settings, workers=False) as connection:
        name = run_named(connection.ledger, run)
        events = list(connection.ledger.events.all(name))
    if check:
        return _check(name, events, as_json=as_json)
    clock = owners_clock(settings)
    for event in events:
        if as_json:
            click.echo(event.model_dump_json())
        else:
            say(_line(event, clock), whole=True)
    return 0


def _check(run: str, events: list[Event], *, as_json: bool) -> int:
    found = violations(events)
    if as_json:
        click.echo(json.dumps({"version": 1, "run": run, "events": len(events), "violations": found}))
    else:
        for line in found:
            click.echo(line)
        click.echo(f"{count(len(events), 'event')} of run {run}, {count(len(found), 'violation')}")
    return 1 if found else 0


def _line(event: Event, clock: Clock) -> str:
    who = event.task or "-"
    attempt = f" a{event.attempt}" if event.attempt is not None else ""
    data = " ".join(f"{key}={_value(value)}" for key, value in event.data.items() if value not in ("", None, [], {}))
    return f"{event.seq:>5} {clock.time(event.at)} {event.kind:<18} {who}{attempt} {data}".rstrip()


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text, 80)
