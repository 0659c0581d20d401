"""A ledger that comes back: quiet where something may have been forgotten, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.ledger import Ledger


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


def test_another_server_than_the_last_time_is_noticed_and_quiet(real_redis: Any) -> None:
    """A failover: nobody says so, and the successor may have forgotten who works."""
    ledger = Ledger(real_redis)
    life = ledger.notice(quiet=0)
    assert ledger.notice(quiet=100) == life
    assert waits(ledger) <= 0
    ledger._server.run_id = lambda: "the successor"  # type: ignore[method-assign]
    assert ledger.notice(quiet=100) == "the successor"
    assert waits(ledger) > 50
