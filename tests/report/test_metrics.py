"""The figures for Prometheus: what a status says, as gauges; zero where there is nothing."""

from __future__ import annotations

from prometheus_client.core import GaugeMetricFamily

from ops_orchestrate.cli.metrics import _place
from ops_orchestrate.core.spend import Purse
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.core.treasury import Treasury
from ops_orchestrate.report.metrics import Figure, figures
from ops_orchestrate.report.status import Status
from tests.report.test_documents import STATUS


def named(status: Status) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures(status)}


def test_a_status_in_figures() -> None:
    purse = Purse(micros=1_500_000, reserved_micros=250_000, tokens=1000, reserved_tokens=200)
    treasury = Treasury(purse=purse, parked={"claude/KEY@h": STATUS.now + 60, "old@h": STATUS.now - 1})
    found = named(STATUS.model_copy(update={"treasury": treasury}))
    assert found["ops_slots_taken"].values == {(): 2.0}
    assert found["ops_tasks"].values[("running",)] == 2.0
    assert found["ops_tasks"].values[("blocked",)] == 0.0, "r0 is over"
    assert found["ops_runs"].values[("running",)] == 1.0
    assert found["ops_pool_size"].values == {("host-1", "agent"): 5.0, ("host-1", "audit"): 2.0}
    assert found["ops_admission_quiet_seconds"].values == {(): 30.0}
    assert found["ops_spent_today_dollars"].values == {(): 1.75}
    assert found["ops_spent_today_tokens"].values == {(): 1200.0}
    assert found["ops_account_parked_seconds"].values == {("claude/KEY@h",): 60.0, ("old@h",): 0.0}


def test_every_state_is_there_also_where_nothing_is_in_it() -> None:
    found = named(Status())
    assert set(found["ops_tasks"].values) == {(str(state),) for state in TaskState}
    assert set(found["ops_runs"].values) == {(str(state),) for state in RunState}
    assert all(value == 0 for name in ("ops_tasks", "ops_runs") for value in found[name].values.values())


def test_names_and_labels_are_prometheus_own() -> None:
    for figure in figures(STATUS):
        family = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
        for labels, value in figure.values.items():
            family.add_metric(labels, value)
        assert len(family.samples) == len(figure.values)


def test_where_to_listen() -> None:
    assert _place("127.0.0.1:9464") == ("127.0.0.1", 9464)
    assert _place("[::1]:9464") == ("::1", 9464)
