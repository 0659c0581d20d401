"""A ledger that comes back: quiet where something may have been forgotten, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.states import Stage
from ops_orchestrate.errors import OtherVersion
from ops_orchestrate.ledger import Ledger
from tests.ledger.play import at_stage, claimed, planned


def waits(ledger: Ledger) -> float:
    return ledger.board.look(5).quiet_until - ledger.now()


def another_life(redis: Any) -> None:
    """The server's run id is no longer the one that was seen last."""
    redis.hset("{ops}:board", "server", "an earlier life")


@pytest.mark.parametrize(("restarted", "quiet"), [(None, True), (0, False)])
def test_a_server_that_came_back_with_its_data(real_redis: Any, restarted: float | None, quiet: bool) -> None:
    ledger = Ledger(real_redis)
    ledger.open(quiet=0)
    another_life(real_redis)
    ledger.open(quiet=100, restarted=restarted)
    assert (waits(ledger) > 50) == quiet


def test_an_empty_ledger_is_always_new(real_redis: Any) -> None:
    ledger = Ledger(real_redis)
    ledger.open(quiet=100, restarted=0)
    assert waits(ledger) > 50


def test_a_restart_does_not_cut_a_quiet_period_short(real_redis: Any) -> None:
    ledger = Ledger(real_redis)
    ledger.open(quiet=100)
    another_life(real_redis)
    ledger.open(quiet=100, restarted=0)
    assert waits(ledger) > 50


def test_a_look_tells_a_new_ledger_and_another_life_of_the_server(real_redis: Any) -> None:
    """A failover: nobody says so, and the successor may have forgotten who works."""
    ledger = Ledger(real_redis)
    assert not ledger.board.look(5).noticed
    ledger.open(quiet=0)
    assert ledger.board.look(5).noticed
    another_life(real_redis)
    assert not ledger.board.look(5).noticed
    ledger.open(quiet=100)
    assert ledger.board.look(5).noticed
    assert waits(ledger) > 50


def test_a_life_that_nobody_has_noticed_grants_nothing(real_redis: Any) -> None:
    ledger = Ledger(real_redis)
    ledger.open(quiet=0)
    planned(ledger)
    assert ledger.board.offer("r1", "t1")
    board = ledger.board.look(5)
    another_life(real_redis)
    assert ledger.board.grant(board, board.candidates, lease=30) == []
    ledger.open(quiet=0)
    assert len(ledger.board.grant(board, board.candidates, lease=30)) == 1


def test_nor_has_a_reviewer_a_slot_there(real_redis: Any) -> None:
    """The last grant may be forgotten with its slot: a sixth agent would be at work."""
    ledger = Ledger(real_redis)
    ledger.open(quiet=0)
    planned(ledger)
    key = at_stage(ledger, Stage.REVIEW)
    claimed(ledger, key, Stage.REVIEW)
    another_life(real_redis)
    assert ledger.attempts.seat(key, holder="me", cap=5, pause=600, note="full") == 0
    assert ledger.board.slots() == []


def test_a_server_that_does_not_tell_its_life_is_taken_for_the_same(fake_redis: Any) -> None:
    ledger = Ledger(fake_redis)
    ledger.open(quiet=0)
    assert ledger.board.look(5).noticed


@pytest.mark.parametrize(("key", "field"), [("run:r1", "request"), ("plan:r1", "t1"), ("task:r1:t1", "spec")])
def test_what_a_newer_version_has_written_is_called_so(ledger: Ledger, key: str, field: str) -> None:
    planned(ledger)
    assert not key.startswith("task:") or ledger.board.offer("r1", "t1")  # touched, it has a hash of its own
    client, name = ledger._server.client, f"{{ops}}:{key}"
    client.hset(name, field, client.hget(name, field).replace("{", '{"from_the_future": 1, ', 1))
    with pytest.raises(OtherVersion, match=r"another version of ops-orchestrate.*from_the_future"):
        (Ledger(client).runs.list(), Ledger(client).tasks.all("r1"))


@pytest.mark.parametrize("line", ["later\x1f", ""])
def test_so_is_a_line_of_another_length_and_a_task_without_one(ledger: Ledger, line: str) -> None:
    planned(ledger)
    assert ledger.board.offer("r1", "t1")
    client, name = ledger._server.client, "{ops}:plan:r1"
    client.hset(name, "t1", line and line + client.hget(name, "t1"))
    with pytest.raises(OtherVersion, match=r"another version of ops-orchestrate.*its form"):
        Ledger(client).tasks.all("r1")


@pytest.mark.parametrize(("old", "new"), [("\x1fapp\x1f", "\x1fapp\x1flater\x1f"), ("\x1fapp\x1f", "\x1f")])
def test_a_script_says_so_of_a_line_of_another_length(ledger: Ledger, old: str, new: str) -> None:
    planned(ledger)
    client, name = ledger._server.client, "{ops}:plan:r1"
    client.hset(name, "t1", client.hget(name, "t1").replace(old, new, 1))
    with pytest.raises(OtherVersion, match=r"the plan of run r1.*another version.*Install the version that wrote it"):
        ledger.board.offer("r1", "t1")
    assert not client.exists("{ops}:task:r1:t1")
