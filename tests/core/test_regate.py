"""What a run takes from the registry when a person answers: the gate that stands there now, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.project import GateSetting, Repository
from ops_orchestrate.core.regate import Regate, Registered, regate
from tests.builders import make_portfolio, make_repository


def found(repository: Repository | None, **kw: Any) -> Registered:
    """The registry has this now."""
    return Registered(**({"origin": "/r.json", "digest": "d", "repository": repository} | kw))


def setting(gate: str, *, seconds: int = 1800, hosts: tuple[str, ...] = ()) -> GateSetting:
    return GateSetting(gate=gate, gate_seconds=seconds, gate_network=False, gate_hosts=hosts)


@pytest.mark.parametrize(
    ("before", "now", "takes"),
    [
        ({}, {"gate": "make test"}, setting("make test")),
        ({"gate": "make test"}, {"gate": "make check"}, setting("make check")),
        ({"gate": "make test"}, {"gate": "make test"}, None),
        ({"gate": "make test"}, {"gate": "make test", "gate_seconds": 60}, setting("make test", seconds=60)),
        (
            {"gate": "make test"},
            {"gate": "make test", "gate_hosts": ("pypi.org",)},
            setting("make test", hosts=("pypi.org",)),
        ),
        ({"gate": "make test"}, {}, None),
    ],
)
def test_the_registrys_gate_of_now_counts(
    before: dict[str, Any], now: dict[str, Any], takes: GateSetting | None
) -> None:
    """Also what it runs with; a gate that is gone from there stays the run's."""
    assert regate(make_repository(**before), found(make_repository(**now))) == Regate(take=takes)


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (found(make_repository()), "app still has no gate in /r.json"),
        (found(make_repository(gate="  ")), "app still has no gate in /r.json"),
        (found(None), "app still has no entry in /r.json"),
        (found(None, missing="There is no registry."), "there is no registry that could give it one"),
    ],
)
def test_without_any_gate_the_remedy_is_named(now: Registered, says: str) -> None:
    decided = regate(make_repository(), now)
    assert decided.take is None
    assert says in decided.refusal
    assert decided.refusal.endswith(", and answer yes then.")


def test_nothing_else_of_the_entry_reaches_the_run() -> None:
    """The registry's other fields were frozen when the run began: branches, rules, where it ships to."""
    before = make_repository(integration="dev", upstream="/srv/upstream/app.git")
    other = make_repository(gate="make test", integration="main", upstream="/elsewhere.git", ci="none")
    taken = regate(before, found(other)).take
    assert taken
    portfolio = make_portfolio().model_copy(update={"projects": ()})
    assert portfolio.with_gates({"app": taken}) == portfolio
    assert before.with_gate(taken) == make_repository(gate="make test", integration="dev", upstream=before.upstream)
