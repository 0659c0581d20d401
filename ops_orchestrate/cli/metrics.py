"""`metrics`: the ledger in figures for Prometheus, once or for as long as it runs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from ops_orchestrate.cli.connect import Connection, connected
from ops_orchestrate.cli.status import look
from ops_orchestrate.config import load_settings
from ops_orchestrate.errors import OpsError, UsageError
from ops_orchestrate.report.metrics import figures

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

_MISSING = "`metrics` needs the Prometheus client: pip install 'ops-orchestrate[metrics]'."


@click.command("metrics")
@click.option("--listen", metavar="ADDRESS:PORT", help="Answer Prometheus there until Ctrl-C; without it, print once.")
def command(listen: str | None) -> int:
    """Figures of slots, tasks, runs, hosts and money, in Prometheus' text format. Nothing in them is secret."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest, start_http_server
    except ImportError:
        raise UsageError(_MISSING) from None
    with connected(load_settings(), workers=False) as connection:
        registry = CollectorRegistry()
        registry.register(_Ledger(connection))
        if listen is None:
            click.echo(generate_latest(registry).decode(), nl=False)
            return 0
        address, port = _place(listen)
        try:
            server, thread = start_http_server(port, address, registry)
        except OSError as error:
            raise OpsError(f"Nothing can listen at {listen}: {error.strerror}.") from None
        click.echo(f"Metrics at http://{address}:{server.server_port}/metrics until Ctrl-C.")
        try:
            threading.Event().wait()
        finally:
            server.shutdown()
            thread.join()
    return 0


def _place(listen: str) -> tuple[str, int]:
    address, _, port = listen.rpartition(":")
    if not (address and port.isdecimal() and int(port) < 1 << 16):
        raise UsageError(f"--listen is {listen!r}; give an address and a port, like 127.0.0.1:9464.")
    return address.strip("[]"), int(port)


class _Ledger:
    """What Prometheus' client asks when it is asked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def collect(self) -> Iterator[GaugeMetricFamily]:
        from prometheus_client.core import GaugeMetricFamily

        for figure in figures(look(self._connection)):
            family = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
            for labels, value in figure.values.items():
                family.add_metric(labels, value)
            yield family

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing is asked of the ledger before somebody wants to know."""
        return ()
