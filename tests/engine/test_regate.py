"""What becomes of an answer where the registry cannot be read again: only one that is about the gate is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.regate import Registered
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.regate import take_gate, with_gate
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import RegistryError, UsageError
from tests.builders import make_portfolio, make_project, make_repository, make_request, make_task
from tests.engine.rig import Rig
from tests.ledger.play import planned, story


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory, server_url: str) -> Iterator[Rig]:
    """A run over `app`, whose gate is `true`; nobody works."""
    made = Rig.build(tmp_path_factory.mktemp("regate"), server_url, repos=())
    app = make_project("app", repositories=(make_repository("app", gate="true"),))
    planned(made.ledger, make_task("t1", gate="true"), request=make_request(portfolio=make_portfolio(app)))
    yield made
    made.close()


def broken(portfolio: Portfolio, key: str) -> Registered:
    raise RegistryError("/r.json is no JSON.")


def task(tools: Toolbox) -> TaskRecord:
    return tools.ledger.tasks.get("r1", "t1")


def test_a_registry_that_is_broken_is_said_and_the_runs_gate_stays(rig: Rig) -> None:
    tools = replace(rig.tools, registered=broken)
    with pytest.raises(RegistryError, match="no JSON"):
        take_gate(task(tools), by="ann", needed=True, tools=tools)
    assert take_gate(task(tools), by="ann", needed=False, tools=tools) == ""
    (warning,) = [event for event in story(rig.ledger) if event.kind is EventKind.WARNING]
    assert "the gate of app stays what it was: /r.json is no JSON." in warning.data["text"]


def test_an_entry_that_is_gone_takes_no_gate_away(rig: Rig) -> None:
    tools = replace(rig.tools, registered=lambda *_: Registered(origin="/r.json", digest="d", repository=None))
    assert take_gate(task(tools), by="ann", needed=True, tools=tools) == ""
    assert not [event for event in story(rig.ledger) if event.kind is EventKind.GATE_TAKEN]


def test_whoever_judges_the_change_knows_the_gate_that_its_run_has_now(rig: Rig) -> None:
    """The guard of the gate's own files, and the words of the commit, go by the task."""
    now = make_repository("app", gate="sh check.sh")
    tools = replace(rig.tools, registered=lambda *_: Registered(origin="/r.json", digest="d", repository=now))
    assert take_gate(task(tools), by="ann", needed=False, tools=tools) == ", with the gate `sh check.sh` of /r.json"
    repository = rig.ledger.runs.get("r1").request.portfolio.repository("app")
    assert (repository.gate, task(tools).spec.gate) == ("sh check.sh", "true")
    assert with_gate(task(tools), repository).spec.gate == "sh check.sh"


def test_without_any_gate_only_an_answer_about_it_is_refused(rig: Rig) -> None:
    planned(rig.ledger, make_task("t1"), run="r2")
    tools = replace(rig.tools, registered=lambda *_: Registered(origin="/r.json", digest="d", repository=None))
    bare = rig.ledger.tasks.get("r2", "t1")
    assert take_gate(bare, by="ann", needed=False, tools=tools) == ""
    with pytest.raises(UsageError, match=r"still has no entry in /r\.json"):
        take_gate(bare, by="ann", needed=True, tools=tools)
