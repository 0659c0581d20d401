"""A slot that an agent has left: who waits for it is started from there, and nobody's trouble is that attempt's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.stage import staged
from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.board import Host
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.engine import answer, work
from ops_orchestrate.engine.step import Next
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import LedgerUnavailable
from ops_orchestrate.ledger import Ledger
from ops_orchestrate.wiring.means import means_of
from tests.engine.hand import Hand
from tests.engine.rig import Rig, requested

pytestmark = pytest.mark.real


@pytest.fixture
def hand(rig: Rig) -> Iterator[Hand]:
    """Two tasks of one repository, the first of which has been granted."""
    made = Hand(rig)
    made.begin([requested("one"), requested("two")])
    made.collect()
    while made.mail and made.mail[0].job != "agent.implement":
        made.play(made.mail.pop(0))
    yield made


@pytest.fixture
def tools(hand: Hand, tmp_path: Path) -> Toolbox:
    (tmp_path / "lengths.json").write_text("{}")
    return staged(hand.tools, tmp_path)


def ends(hand: Hand, tools: Toolbox) -> tuple[Next, list[tuple[str, str]]]:
    """The attempt is made; what was published meanwhile: job, and task of an attempt."""
    (message,) = hand.mail
    hand.mail.clear()
    key = StageKey.model_validate(message.args[0])
    went = work.implement(key, "me", tools)
    outcome = tools.ledger.attempts.outcome(key)
    assert outcome is not None and outcome.kind is OutcomeKind.SUCCEEDED
    return went, [(one.job, one.args[0]["task"] if one.job == "agent.implement" else "") for one in hand.collect()]


def test_the_next_agent_is_granted_where_the_last_one_ended(hand: Hand, tools: Toolbox) -> None:
    assert ends(hand, tools) == (Next.GO_ON, [("agent.implement", "two")])


@pytest.mark.parametrize("trouble", [LedgerUnavailable("no answer"), KeyError("a bug")], ids=["expected", "a bug"])
def test_where_that_fails_the_chain_goes_on_and_the_planner_looks(
    hand: Hand, tools: Toolbox, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def away(_tools: Toolbox, *, stands_in: bool) -> bool:
        raise trouble

    monkeypatch.setattr(work, "fill", away)
    assert ends(hand, tools) == (Next.GO_ON, [("planner.admit", "")])
    hand.play(hand.mail.pop())
    assert [one.args[0]["task"] for one in hand.mail] == ["two"]


@pytest.mark.parametrize("setting", ["OPS_MAX_DAY_USD", "OPS_MAX_AGENTS"])
def test_an_agents_machine_that_does_not_know_the_planners_settings_leaves_it_to_them(
    hand: Hand, tools: Toolbox, setting: str
) -> None:
    """A cap is a setting of the planners' machines: whoever does not have it would grant beyond it."""
    values = {"OPS_MAX_DAY_USD": {"max_day_usd": 5.0}, "OPS_MAX_AGENTS": {"max_agents": 2}}[setting]
    theirs = means_of(tools.settings.model_copy(update=values)).terms()
    assert theirs != tools.means.terms()
    announced(tools.ledger, theirs)
    assert ends(hand, tools) == (Next.GO_ON, [("planner.admit", "")])
    tools.ledger.hosts.withdraw("rig", theirs)
    assert work.fill(tools, stands_in=True)


@pytest.mark.parametrize("other", ["other", ""], ids=["other settings", "settings that cannot be read"])
def test_it_leaves_it_to_them_as_long_as_one_process_of_a_machine_goes_by_something_else(
    hand: Hand, tools: Toolbox, other: str
) -> None:
    """While the planners are started again with new settings, whoever has announced itself last."""
    for terms in (other, tools.means.terms()):
        announced(tools.ledger, terms)
        assert not work.fill(tools, stands_in=True)
    tools.ledger.hosts.withdraw("rig", other)
    assert work.fill(tools, stands_in=True)


def announced(ledger: Ledger, terms: str) -> None:
    """One more planner process on this machine, which goes by these terms."""
    planner = Host(name="rig", pools={"planner": 1}, terms=(terms,), seen_at=ledger.now())
    ledger.hosts.announce(planner, process=terms, ttl=600)


def test_no_command_grants(hand: Hand, tools: Toolbox) -> None:
    """It goes by the settings of whoever's machine it is: what it moves is granted by the planners."""
    hosts = tools.ledger.hosts
    run = hand.begin([requested("one")])
    (host,) = hosts.live()
    hosts.withdraw(host.name, "hand")
    while hand.collect() or hand.mail:
        hand.play(hand.mail.pop(0))
    hosts.announce(host, process="hand", ttl=600)
    done = tools.ledger.tasks.get(run, "one").model_copy(update={"state": TaskState.COMPLETED})
    answer._go_on(run, done, tools)
    answer.resume(run, tools)
    assert [one.job for one in hand.collect()] == ["planner.admit", "planner.finish", "planner.reconcile"]
    assert not tools.ledger.board.slots()
    hand.play(hand.mail.pop())
    assert [one.args[0]["task"] for one in hand.of("agent.implement")] == ["one"]
