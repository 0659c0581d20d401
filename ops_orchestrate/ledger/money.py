"""Purses and parked accounts. What may be spent is decided elsewhere; a grant checks it once more as it reserves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.spend import Amount, Day, Purse, Reserve, day_purse
from ops_orchestrate.core.states import Stage
from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server


class Money:
    """What was spent and is reserved, and which accounts have no quota."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys

    def purses(self, names: Sequence[str]) -> dict[str, Purse]:
        """These purses, by name; one that nothing was paid from yet is empty."""
        stored = self._server.pipe(lambda pipe: [pipe.hgetall(self._keys("money", name)) for name in names])
        return {name: Purse.model_validate(one) for name, one in zip(names, stored, strict=True)}

    def reserve(self, key: StageKey, stage: Stage, *, holder: str, reserve: Reserve) -> bool:
        """Set aside what a claimed stage may use; False if it does not fit, or the claim is lost.

        A stage that loses its worker has used all of it, as an attempt that is lost.
        """
        where = (key.run, key.task, str(key.attempt), str(key.fence), stage.value, holder)
        return self._scripts.flag("money_reserve", *where, reserve_text(reserve))

    def pay(self, key: StageKey, stage: Stage, *, holder: str, used: Amount) -> bool:
        """The stage has used this of it, None where nobody knows; False if the claim is lost."""
        where = (key.run, key.task, str(key.attempt), str(key.fence), stage.value, holder)
        amounts = ("" if one is None else str(one) for one in (used.tokens, used.micros))
        return self._scripts.flag("money_pay", *where, *amounts)

    def parked(self) -> dict[str, float]:
        """Accounts without quota by the server's clock, and until when (seconds since 1970)."""

        def fill(pipe: Any) -> None:
            pipe.hgetall(self._keys("parked"))
            pipe.time()

        stored, (seconds, micros) = self._server.pipe(fill)
        now = seconds + micros / 1e6
        return {account: float(until) for account, until in sorted(stored.items()) if float(until) > now}

    def unpark(self, account: str) -> bool:
        """The owner says that it has quota again; False if it was not parked."""
        return bool(self._server.ask(lambda: self._server.client.hdel(self._keys("parked"), account)))

    def declare(self, day: Day, spent: Amount) -> None:
        """The owner says what was spent on a day until now: it takes the place of what the ledger saw."""
        said = (spent.tokens, spent.micros)
        self._scripts("money_declare", day_purse(day), *("" if one is None else str(one) for one in said))


def reserve_text(reserve: Reserve | None) -> str:
    """A reserve as the scripts read it: no limit is -1."""
    if reserve is None:
        return ""
    return json.dumps(
        {
            "day": reserve.day.label,
            "day_ends": reserve.day.ends,
            "task": reserve.task,
            "project": reserve.project,
            **_numbers(reserve.amount),
            "each": _numbers(reserve.each),
            "limits": [{"purse": limit.purse, **_numbers(limit.cap)} for limit in reserve.limits],
            "accounts": list(reserve.accounts),
        }
    )


def reserved_amount(text: str) -> Amount:
    """What a reserve sets aside; nothing where there is none."""
    stored = json.loads(text) if text else {}
    found = {unit: stored.get(unit, -1) for unit in ("tokens", "micros")}
    return Amount(**{unit: None if value < 0 else value for unit, value in found.items()})


def _numbers(amount: Amount) -> dict[str, int]:
    return {
        "tokens": -1 if amount.tokens is None else amount.tokens,
        "micros": -1 if amount.micros is None else amount.micros,
    }
