"""`drain HOST`: before a machine is upgraded or switched off. Its workers stay, and take nothing new."""

from __future__ import annotations

import time

import click

from ops_orchestrate.cli.connect import Connection, connected
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.errors import UsageError
from ops_orchestrate.report.amounts import count

#: How often a machine that is waited for is looked at, in seconds.
_LOOK = 0.5


@click.command("drain")
@click.argument("host")
@click.option("--undo", is_flag=True, help="Let it take jobs again.")
@click.option("--wait", is_flag=True, help="Stay until no agent works there any more.")
def command(host: str, undo: bool, wait: bool) -> int:
    """Let HOST finish what it does and take no new jobs, until --undo; also after its workers were started again."""
    with connected(load_settings(), workers=False) as connection:
        hosts = connection.ledger.hosts
        known = [one.name for one in hosts.live()]
        if host not in known and not hosts.is_drained(host):
            there = did_you_mean(host, known) or f" There are: {', '.join(known) or 'none'}."
            raise UsageError(f'No machine "{one_line(host, 60)}" has announced itself.{there}')
        hosts.drain(host, undo=undo)
        if undo:
            click.echo(f"{host} takes jobs again.")
            return 0
        while wait and _busy(connection, host):
            time.sleep(_LOOK)
        busy = _busy(connection, host)
        under_way = f"{count(busy, 'agent')} still at work there" if busy else "no agent is at work there"
        click.echo(f"{host} takes no new jobs; {under_way}.")
    return 0


def _busy(connection: Connection, host: str) -> int:
    return sum(1 for slot in connection.ledger.board.slots() if slot.host == host)
