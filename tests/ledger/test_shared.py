"""Locks, hosts and facts: small shared things that end by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ops_orchestrate.core.board import Host
from ops_orchestrate.core.change import GateEnd, GateResult
from ops_orchestrate.core.states import Stage
from ops_orchestrate.ledger import PREFIX, Closing, Ledger
from tests.builders import make_task
from tests.ledger.play import DONE, claimed, granted, planned


def host(name: str = "h1", **pools: int) -> Host:
    return Host(name=name, pools=pools, seen_at=0, sandbox="bwrap", version="1", agents=("scripted",))


def test_a_lock_has_one_holder(ledger: Ledger) -> None:
    locks = ledger.locks
    assert [locks.acquire("base:app", who, 30) for who in ("a", "b", "a")] == [True, False, True]
    assert [locks.renew("base:app", who, 30) for who in ("a", "b")] == [True, False]
    assert (locks.holder("base:app"), locks.holder("base:web")) == ("a", "")
    locks.release("base:app", "b")
    assert not locks.acquire("base:app", "b", 30)
    locks.release("base:app", "a")
    assert locks.acquire("base:app", "b", 30)


def test_a_lock_ends_by_itself(ledger: Ledger) -> None:
    assert ledger.locks.acquire("x", "a", 0.02)
    time.sleep(0.04)
    assert not ledger.locks.renew("x", "a", 1)
    assert ledger.locks.acquire("x", "b", 1)


def by_a_clock_set_back(redis: Any, lock: str, seconds: float) -> None:
    """As a lock stands once the server's clock was set back: given at a time to come, to end as much later."""
    name = f"{PREFIX}lock:{lock}"
    since, rest = redis.get(name).split(" ", 1)
    redis.set(name, f"{float(since) + seconds:.6f} {rest}", px=redis.pttl(name) + int(seconds * 1000))


def test_by_a_clock_that_was_set_back_a_lock_ends_within_its_time(real_redis: Any) -> None:
    locks = Ledger(real_redis).locks
    assert locks.acquire("x", "dead", 0.3)
    by_a_clock_set_back(real_redis, "x", 3600)
    assert (locks.holder("x"), locks.acquire("x", "b", 1)) == ("dead", False)
    assert real_redis.pttl(f"{PREFIX}lock:x") <= 300
    wait_for(lambda: locks.acquire("x", "b", 1))


def test_by_a_clock_that_was_set_back_who_lives_keeps_a_lock(real_redis: Any) -> None:
    locks = Ledger(real_redis).locks
    assert locks.acquire("x", "a", 30)
    by_a_clock_set_back(real_redis, "x", 3600)
    assert locks.renew("x", "a", 30)
    assert 29_000 < real_redis.pttl(f"{PREFIX}lock:x") <= 30_000
    assert not locks.acquire("x", "b", 30)
    locks.release("x", "a")
    assert locks.acquire("x", "b", 30)


def test_a_lock_of_an_older_version_is_respected(real_redis: Any) -> None:
    """Marks stay for weeks: `told:…` says that a digest was sent."""
    locks = Ledger(real_redis).locks
    real_redis.set(f"{PREFIX}lock:x", "h1:42:abc", px=30_000)
    assert (locks.holder("x"), locks.acquire("x", "b", 30)) == ("h1:42:abc", False)
    assert locks.renew("x", "h1:42:abc", 30)


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_processes_of_a_host_add_up(ledger: Ledger) -> None:
    ledger.hosts.announce(host(agent=2, ship=1), process="1", ttl=30)
    ledger.hosts.announce(host(agent=1), process="2", ttl=30)
    ledger.hosts.announce(host("h2", audit=4), process="1", ttl=30)
    first, second = ledger.hosts.live()
    assert (first.name, first.pools, first.agents) == ("h1", {"agent": 3, "ship": 1}, ("scripted",))
    assert (second.name, second.pools) == ("h2", {"audit": 4})
    assert first.seen_at == pytest.approx(ledger.now(), abs=5)


def test_a_silent_process_is_forgotten(ledger: Ledger) -> None:
    ledger.hosts.announce(host(agent=2), process="1", ttl=0.02)
    ledger.hosts.announce(host(agent=1), process="2", ttl=30)
    time.sleep(0.04)
    assert [one.pools for one in ledger.hosts.live()] == [{"agent": 1}]
    ledger.hosts.withdraw("h1", "2")
    assert ledger.hosts.live() == []


def test_a_gate_is_known_per_tree_and_text(ledger: Ledger) -> None:
    result = GateResult(end=GateEnd.FAILED, exit_code=2, log_tail="1 failed")
    assert ledger.facts.gate("app", "tree1", "make test") is None
    ledger.facts.put_gate("app", "tree1", "make test", result)
    assert ledger.facts.gate("app", "tree1", "make test") == result
    assert ledger.facts.gate("app", "tree2", "make test") is None
    assert ledger.facts.gate("app", "tree1", "make check") is None


def test_lengths_are_learned_per_repository_and_over_all(ledger: Ledger) -> None:
    planned(ledger, make_task("a", repo="app"), make_task("b", repo="web"), make_task("c", repo="app"))
    assert ledger.facts.lengths() == {}
    for task, seconds in ("a", 100), ("b", 200), ("c", 200):
        key = granted(ledger, task)
        claimed(ledger, key, Stage.IMPLEMENT)
        for _ in range(2):  # said once more, it is learned once
            took = Closing(learned=seconds)
            assert ledger.attempts.end(
                key, Stage.IMPLEMENT, holder="me", outcome=DONE[Stage.IMPLEMENT], goes_on=True, closing=took
            )
    assert ledger.facts.lengths() == pytest.approx({"app": 130, "web": 200, "": 151})
