"""Locks, hosts and facts: small shared things that end by themselves."""

from __future__ import annotations

import time

import pytest

from ops_orchestrate.core.board import Host
from ops_orchestrate.core.change import GateEnd, GateResult
from ops_orchestrate.ledger import Ledger


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
    assert ledger.facts.lengths() == {}
    ledger.facts.learn("app", 100)
    ledger.facts.learn("web", 200)
    ledger.facts.learn("app", 200)
    assert ledger.facts.lengths() == pytest.approx({"app": 130, "web": 200, "": 151})
