"""The shared board: who has a slot, what may start, what is overdue. Which candidate goes first is not decided here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.board import MAX_AGENTS, Board, Candidate, Grant, Host, Owner, Slot, Unmerged
from ops_orchestrate.core.spend import Reserve
from ops_orchestrate.core.states import Stage
from ops_orchestrate.ledger.hosts import merged
from ops_orchestrate.ledger.keys import Keys, split_member
from ops_orchestrate.ledger.money import reserve_text
from ops_orchestrate.ledger.results import Offered, Reaped
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server

#: Candidates in one picture of the board.
CANDIDATES = 500
#: Overdue things handled in one call: bounds how long a script holds the server.
BATCH = 500


class BoardLedger:
    """Slots, ownership, candidates, leases and snoozes over all runs."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys

    def offer(self, run: str, task: str) -> Offered:
        """Make a task a candidate if it may start now; whether it is one."""
        return Offered(int(self._scripts("board_offer", run, task)))

    def look(self, cap: int) -> Board:
        """One picture of the board. From every repository come its first candidates, the most urgent first."""
        answer = self._scripts("board_look", CANDIDATES)
        version, now, quiet, born, parked, slots, owners, cards, unmerged, work, announced, reserved, noticed = answer
        hosts = merged(announced)
        taken = tuple(sorted((Slot.model_validate_json(text) for text in slots), key=lambda slot: slot.index))
        return Board(
            version=int(version),
            now=float(now),
            cap=min(MAX_AGENTS, cap),
            capacity=_free_processes(hosts, taken),
            hosts=tuple(hosts),
            slots=taken,
            reserved=int(reserved),
            owners=tuple(Owner.model_validate_json(text) for text in owners),
            candidates=tuple(_candidate(card) for _, card in _pairs(cards)),
            unmerged=tuple(_unmerged(name, text) for name, text in _pairs(unmerged)),
            repo_work={repo: float(left) for repo, left in _pairs(work)},
            quiet_until=float(quiet),
            born=float(born),
            noticed=int(noticed) == 1,
            parked={account: float(until) for account, until in _pairs(parked) if float(until) > float(now)},
        )

    def grant(
        self,
        board: Board,
        picks: Sequence[Candidate],
        *,
        lease: float,
        reserves: Sequence[Reserve | None] = (),
        hosts: Sequence[str] = (),
    ) -> list[Grant]:
        """Give slot, ownership and fence to the picks that may still start; nothing if the board has changed.

        `reserves`: what each pick sets aside; one that does not fit under its caps any more gets nothing. `hosts`: the
        machine that each is for, where it is not anybody's. Each grant
        must be claimed within the grant timeout, or the reaper takes it back, with what it had set aside.
        """
        aside = zip_longest(picks, reserves, hosts)
        named = [
            word for pick, reserve, host in aside for word in (pick.run, pick.task, reserve_text(reserve), host or "")
        ]
        flat = self._scripts("board_grant", str(board.version), board.cap, lease, *named)
        return [
            Grant(
                run=run,
                task=task,
                attempt=int(attempt),
                fence=int(fence),
                slot=int(slot),
                host=host,
                repo=repo,
                title=title,
            )
            for run, task, attempt, fence, slot, host, repo, title in _rows(flat, 8)
        ]

    def slots(self) -> list[Slot]:
        """The slots that are taken, by index."""
        stored = self._server.ask(lambda: self._server.client.hvals(self._keys("slots")))
        return sorted((Slot.model_validate_json(text) for text in stored), key=lambda slot: slot.index)

    def owners(self) -> list[Owner]:
        """Who may write where, oldest first."""
        stored = self._server.ask(lambda: self._server.client.hvals(self._keys("owners")))
        return sorted((Owner.model_validate_json(text) for text in stored), key=lambda owner: owner.fence)

    def work_left(self) -> dict[str, float]:
        """Seconds of unfinished work by repository, over the open runs; a look shows those of its candidates."""
        stored = self._server.ask(lambda: self._server.client.hgetall(self._keys("repo_work")))
        return {repo: float(left) for repo, left in stored.items()}

    def reap(
        self, *, grant_timeout: float, max_redeliveries: int = 5, lease: float = 0.0, late: float = 0.0
    ) -> list[Reaped]:
        """Repair everything without a living lease; what the caller has to publish is in each answer.

        A verify or land that nobody claimed is published again after twice the grant timeout, then four times,
        and so on; what was published before stays valid, since a long queue is no loss.

        A look is late when the last one was more than `late` seconds ago: nobody could reach the server, or its clock
        has jumped. Holders that are alive may then not have renewed, so what has ended is spared for one more `lease`.
        Without `lease` nothing is spared.
        """
        flat = self._scripts("board_reap", grant_timeout, max_redeliveries, BATCH, lease, late)
        return [
            Reaped.model_validate({"key": _key(row), "stage": Stage(row[5]), "what": row[6]}) for row in _rows(flat, 7)
        ]

    def wake(self) -> list[tuple[StageKey, Stage]]:
        """End the snoozes that are due: the caller publishes each tail from its stage."""
        flat = self._scripts("board_wake", BATCH)
        return [(_key(row), Stage(row[5])) for row in _rows(flat, 6)]

    def next_wake(self) -> float | None:
        """When the next snooze ends."""
        name = self._keys("snoozes")
        first = self._server.ask(lambda: self._server.client.zrange(name, 0, 0, withscores=True))
        return float(first[0][1]) if first else None


def writers_of(repo: str, owners: Sequence[str], unmerged: Mapping[str, str]) -> list[tuple[str, str]]:
    """(run, task) of whoever works in a repository, and of whatever is made there and not merged yet."""
    there: list[Owner | Unmerged] = [Owner.model_validate_json(text) for text in owners]
    there += [_unmerged(name, text) for name, text in unmerged.items()]
    return sorted({(one.run, one.task) for one in there if one.repo == repo})


def _key(row: Sequence[str]) -> StageKey:
    return StageKey(run=row[0], task=row[1], attempt=int(row[2]), fence=int(row[3]), seq=int(row[4]))


def _rows(flat: Sequence[Any], width: int) -> Iterator[list[str]]:
    for start in range(0, len(flat), width):
        yield [str(value) for value in flat[start : start + width]]


def _pairs(flat: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _candidate(card: str) -> Candidate:
    """Read in one go, hundreds of times a look: of a field that is named twice the later one counts."""
    offered_at, early, text = card.split(" ", 2)
    now = f'"offered_at":{float(offered_at)!r},"early":{"true" if early == "early" else "false"}}}'
    return Candidate.model_validate_json(f"{text[:-1]},{now}")


def _unmerged(name: str, text: str) -> Unmerged:
    run, task = split_member(name)
    return Unmerged.model_validate(json.loads(text) | {"run": run, "task": task})


def _free_processes(hosts: Sequence[Host], slots: Sequence[Slot]) -> int:
    """Agent processes of living hosts, less the slots they have; a slot of a dead host uses none of them."""
    living = {host.name: host.pools.get("agent", 0) for host in hosts}
    used = sum(1 for slot in slots if not slot.host or slot.host in living)
    return max(0, sum(living.values()) - used)
