"""How often a worker process says that it is there."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.board import Host
from ops_orchestrate.errors import LedgerUnavailable
from ops_orchestrate.ledger import Ledger
from workers.announcement import BELIEVED, RENEWED, Announcement

HERE = Host(name="here", pools={"agent": 5}, seen_at=0)
DRAINED = HERE.model_copy(update={"pools": {}, "drained": True})


class Clock:
    """Seconds, as the test wants them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Told:
    """The board, which counts what it is told, and may be away."""

    def __init__(self, ledger: Ledger) -> None:
        self._hosts = ledger.hosts
        self.times, self.away = 0, False

    def announce(self, host: Host, *, process: str, ttl: float) -> None:
        if self.away:
            raise LedgerUnavailable("away")
        self.times += 1
        self._hosts.announce(host, process=process, ttl=ttl)

    def withdraw(self, name: str, process: str) -> None:
        self._hosts.withdraw(name, process)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(ledger: Ledger) -> Told:
    return Told(ledger)


@pytest.fixture
def announcement(told: Told, clock: Clock) -> Announcement:
    return Announcement(told, "1:agent", clock)  # type: ignore[arg-type]  # it counts


def test_it_is_renewed_while_it_is_believed(announcement: Announcement, told: Told, clock: Clock) -> None:
    for clock.now in range(10):
        announcement.say(HERE)
    assert told.times == 4  # at 0, 3, 6 and 9
    assert 3 * RENEWED < BELIEVED


def test_a_change_is_said_at_once(announcement: Announcement, ledger: Ledger) -> None:
    announcement.say(HERE)
    announcement.say(DRAINED)
    assert [(host.pools, host.drained) for host in ledger.hosts.live()] == [({}, True)]


def test_what_did_not_arrive_is_said_again(announcement: Announcement, told: Told, ledger: Ledger) -> None:
    announcement.say(HERE)
    told.away = True
    with pytest.raises(LedgerUnavailable):
        announcement.say(DRAINED)
    told.away = False
    announcement.say(HERE)  # it may have arrived all the same
    assert told.times == 2
    assert [host.pools for host in ledger.hosts.live()] == [{"agent": 5}]


def test_it_is_taken_back(announcement: Announcement, ledger: Ledger) -> None:
    announcement.say(HERE)
    announcement.withdraw("here")
    assert ledger.hosts.live() == []
