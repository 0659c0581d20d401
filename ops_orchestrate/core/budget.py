"""May an attempt start, for all that the owner lets it cost? What it reserves if so; why it waits if not.

A task that waits for money or for a quota has not failed. Whatever cannot be known counts as too much: a model
without a price, a day that the ledger has not seen from its beginning, an attempt that did not say what it used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from ops_orchestrate.core.board import Candidate
from ops_orchestrate.core.spend import (
    LEAST,
    Amount,
    Caps,
    Day,
    Limit,
    Purse,
    Reserve,
    allowance,
    day_purse,
    project_purse,
    run_purse,
    task_purse,
)
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.core.value import Value

_SETTINGS = {"attempt": "ATTEMPT", "task": "TASK", "project": "PROJECT", "run": "RUN", "day": "DAY"}


class Wait(Value):
    """Why a task does not start for now."""

    text: str
    until: float | None = None
    """When it goes on by itself; None: when somebody changes something, or what is under way has ended."""
    over: bool = False
    """Nothing that is under way can change it."""
    quota: bool = False
    """It is an account that waits, not the owner's money."""


class Wallet(Value):
    """What admission has to know of one run beside the board."""

    accounts: tuple[str, ...] = ()
    """Accounts that its agents work with, in the order in which they are wanted; empty: nobody asks."""
    priced: bool = True
    """Whether the price of its model is known, where it is we who count."""
    model: str = ""
    projects: dict[str, Amount] = Field(default_factory=dict)
    """Caps of single projects, by alias, before the general one."""


class Budget(Value):
    """Everything that money and quotas say at one moment."""

    caps: Caps = Caps()
    agents: int = 5
    day: Day
    zone: str = "UTC"
    born: float = 0.0
    """When the ledger began; 0: nobody knows."""
    purses: dict[str, Purse] = Field(default_factory=dict)
    parked: dict[str, float] = Field(default_factory=dict)
    """Accounts without quota, and until when."""
    wallets: dict[str, Wallet] = Field(default_factory=dict)
    """By run."""
    now: float

    def ask(self, one: Candidate) -> Reserve | Wait:
        """What the candidate's next attempt reserves, or why it waits."""
        wallet = self.wallets.get(one.run, Wallet())
        caps = self.caps_of(wallet, one.project)
        waits = self._no_quota(wallet) or self._unknown(caps, wallet)
        if waits:
            return waits
        each = allowance(caps, self.agents, one.of_parts) if caps.shared else Amount()
        limits = self._limits(caps, one)
        tokens = self._room("tokens", each, limits, one)
        micros = self._room("micros", each, limits, one)
        for found in (tokens, micros):
            if isinstance(found, Wait):
                return found
        return Reserve(
            day=self.day,
            task=purse_names(one, self.day)[0],
            project=one.project,
            amount=Amount(tokens=tokens, micros=micros),
            each=each,
            limits=tuple(limit for _, limit in limits),
            accounts=wallet.accounts,
        )

    def with_reserve(self, one: Candidate, reserve: Reserve) -> Budget:
        """The same after this was set aside."""
        after = dict(self.purses)
        for name in purse_names(one, self.day):
            purse = after.get(name, Purse())
            after[name] = purse.model_copy(
                update={
                    "reserved_tokens": purse.reserved_tokens + (reserve.amount.tokens or 0),
                    "reserved_micros": purse.reserved_micros + (reserve.amount.micros or 0),
                }
            )
        return self.model_copy(update={"purses": after})

    def caps_of(self, wallet: Wallet, project: str) -> Caps:
        """The caps for one project's tasks: its own line in the registry before the general one."""
        own = wallet.projects.get(project)
        if own is None:
            return self.caps
        general = self.caps.project
        merged = Amount(
            tokens=general.tokens if own.tokens is None else own.tokens,
            micros=general.micros if own.micros is None else own.micros,
        )
        return self.caps.model_copy(update={"project": merged})

    def _no_quota(self, wallet: Wallet) -> Wait | None:
        """Every account of the run is parked."""
        until = [self.parked.get(account, 0.0) for account in wallet.accounts]
        if not until or min(until) <= self.now:
            return None
        names = ", ".join(dict.fromkeys(account.partition("/")[0] for account in wallet.accounts))
        return Wait(text=f"{names} has no quota", until=min(until), quota=True)

    def _unknown(self, caps: Caps, wallet: Wallet) -> Wait | None:
        if caps.in_dollars and not wallet.priced:
            return Wait(
                text=f"the price of the model {wallet.model} is not known, and there is a cap in dollars: name it in "
                "the file of OPS_PRICES",
                over=True,
            )
        by_day = caps.day.limited or caps.project.limited
        if by_day and not knows_day(self.born, self.day, self.purses.get(day_purse(self.day), Purse())):
            return Wait(
                text="the ledger is younger than this day, so what was spent on it is not known: say it with "
                "`ops-orchestrate budget --spent-today DOLLARS`",
                until=self.day.ends,
                over=True,
            )
        return None

    def _limits(self, caps: Caps, one: Candidate) -> list[tuple[str, Limit]]:
        named = zip(("task", "run", "day", "project"), purse_names(one, self.day), strict=False)
        found = [(scope, Limit(purse=name, cap=getattr(caps, scope))) for scope, name in named]
        return [(scope, limit) for scope, limit in found if limit.cap.limited]

    def _room(self, unit: str, each: Amount, limits: Sequence[tuple[str, Limit]], one: Candidate) -> int | Wait | None:
        """What of `unit` is left for the attempt under every cap, up to its allowance; None: no cap on it."""
        wanted: int | None = getattr(each, unit)
        if wanted is None:
            return None
        room = wanted
        for scope, limit in limits:
            cap: int | None = getattr(limit.cap, unit)
            if cap is None:
                continue
            used, reserved = used_of(self.purses.get(limit.purse, Purse()), unit, wanted)
            if cap - used - reserved < least(wanted):
                return self._reached(scope, unit, (used, reserved, cap), one, over=cap - used < least(wanted))
            room = min(room, cap - used - reserved)
        return room

    def _reached(self, scope: str, unit: str, amounts: tuple[int, int, int], one: Candidate, *, over: bool) -> Wait:
        used, reserved, cap = (shown(unit, amount) for amount in amounts)
        shared = f"the budget that the parts of {one.part_of} share" if one.part_of else "the task's budget"
        budgets = {"task": shared, "project": f"{one.project}'s day's budget"}
        which = budgets.get(scope, f"the {scope}'s budget")
        setting = f"OPS_MAX_{_SETTINGS[scope]}_{'TOKENS' if unit == 'tokens' else 'USD'}"
        if not over:
            text = f"what is under way may use up {which} ({used} used, {reserved} reserved, of {cap})"
            return Wait(text=text)
        own = f" or `ops.day_{'tokens' if unit == 'tokens' else 'usd'}` of {one.project}" if scope == "project" else ""
        text = f"{which} is used ({used} of {cap}): raise {setting}{own}"
        return Wait(text=text, until=self.day.ends if scope in ("day", "project") else None, over=True)


def candidate_of(record: TaskRecord) -> Candidate:
    """A task as a budget is asked about it, whether it may start otherwise or not."""
    spec = record.spec
    return Candidate(
        run=record.run,
        task=spec.id,
        repo=spec.repo,
        project=spec.project,
        part_of=spec.part_of,
        of_parts=spec.of_parts,
    )


def knows_day(born: float, day: Day, purse: Purse) -> bool:
    """Whether what a day has cost is known: the ledger was there before it, or the owner has said what came before."""
    return 0 < born <= day.begins or purse.known


def purse_names(one: Candidate, day: Day) -> tuple[str, ...]:
    """Every purse that an attempt of the candidate is paid from: task, run, day, project.

    A part is paid from the purse of the whole: splitting a task gives it no more to spend.
    """
    names = (task_purse(one.run, one.part_of or one.task), run_purse(one.run), day_purse(day))
    return (*names, project_purse(day, one.project)) if one.project else names


def used_of(purse: Purse, unit: str, each: int) -> tuple[int, int]:
    """(used, reserved) of a purse; an attempt of which nothing is known counts as all that one may use."""
    if unit == "tokens":
        return purse.tokens + purse.uncounted * each, purse.reserved_tokens
    return purse.micros + purse.unpriced * each, purse.reserved_micros


def least(wanted: int) -> int:
    """What has to be left for an attempt to start."""
    return max(1, wanted // LEAST)


def shown(unit: str, amount: int) -> str:
    """An amount for people."""
    return f"{amount:,} tokens" if unit == "tokens" else f"${amount / 1_000_000:,.2f}"


def waiting(budget: Budget, candidates: Sequence[Candidate]) -> Mapping[tuple[str, str], Wait]:
    """Of these candidates, those that wait for money or quota, and why."""
    asked = {(one.run, one.task): budget.ask(one) for one in candidates}
    return {name: found for name, found in asked.items() if isinstance(found, Wait)}
