"""Gathers what money and quotas say at this moment, for the rule in `core.budget`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ops_orchestrate.config import settings_of_agent
from ops_orchestrate.core.account import account_of, is_metered
from ops_orchestrate.core.agent_choice import AgentChoice, choose_agent, in_order
from ops_orchestrate.core.board import Board, Candidate
from ops_orchestrate.core.budget import Budget, Wallet, knows_day, purse_names, waiting
from ops_orchestrate.core.price import in_micros
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.spend import Amount, Day, day_of, day_purse
from ops_orchestrate.core.treasury import Treasury
from ops_orchestrate.engine.toolbox import Toolbox

#: Tasks named in one event of who waits.
_TOLD = 20


def budget_of(board: Board, tools: Toolbox, candidates: Sequence[Candidate] | None = None) -> Budget:
    """The budget that the candidates are asked about; those of the board where none are named."""
    asked = board.candidates if candidates is None else candidates
    zone = tools.means.zone()
    day = day_of(board.now, zone)
    wallets = {run: wallet_of(tools.ledger.runs.request(run), tools) for run in {one.run for one in asked}}
    caps = tools.settings.caps
    counted = caps.shared or any(wallet.projects for wallet in wallets.values())
    names = {name for one in asked for name in purse_names(one, day)} if counted else ()
    return Budget(
        caps=caps,
        agents=tools.settings.max_agents,
        day=day,
        zone=str(zone),
        born=board.born,
        purses=tools.ledger.money.purses(sorted(names)) if names else {},
        parked=board.parked,
        wallets=wallets,
        now=board.now,
    )


def wallet_of(request: RunRequest, tools: Toolbox, *, model: str = "") -> Wallet:
    """What admission has to know of a run; with `model`, of a run that asks that one."""
    agents = agents_of(request, tools)
    own = settings_of_agent(tools.settings, agents[0])  # of another one, its proxy asks for the price
    metered = is_metered(agents[0], model_url=own.model_url)
    day = {
        project.alias: Amount(
            tokens=project.day_tokens, micros=None if project.day_usd is None else in_micros(project.day_usd)
        )
        for project in request.portfolio.projects
        if project.day_usd is not None or project.day_tokens is not None
    }
    return Wallet(
        accounts=tuple(account_for(agent, tools) for agent in agents),
        priced=not metered or tools.means.priced(model or own.model),
        model=model or own.model,
        projects=day,
    )


def day_now(tools: Toolbox) -> Day:
    """The owner's day, by the server's clock."""
    return day_of(tools.ledger.now(), tools.means.zone())


def money_now(tools: Toolbox) -> Treasury:
    """What today has cost, under which caps, and who has no quota."""
    board = tools.ledger.board.look(tools.settings.max_agents)
    budget = budget_of(board, tools, ())
    name = day_purse(budget.day)
    purse = tools.ledger.money.purses([name])[name]
    return Treasury(
        day=budget.day,
        zone=budget.zone,
        purse=purse,
        whole=knows_day(board.born, budget.day, purse),
        caps=budget.caps,
        parked=board.parked,
    )


def tell_who_waits(board: Board, budget: Budget, tools: Toolbox) -> None:
    """Write down, for each run, why tasks that could start do not: for money, or for a quota."""
    found = waiting(budget, board.candidates)
    for run in {run for run, _ in found}:
        waits = {task: wait for (one, task), wait in found.items() if one == run}
        first = next(iter(waits.values()))
        tools.ledger.runs.wait(run, first.text, until=first.until, tasks=list(waits)[:_TOLD])


class Short(NamedTuple):
    """Tasks that nothing but money keeps from starting."""

    tasks: int
    text: str
    until: float | None
    """When they go on by themselves."""


def short_of_money(run: str, tools: Toolbox) -> Short | None:
    """Whether every task of the run that may start waits for money that nothing under way gives back."""
    board = tools.ledger.board.look(tools.settings.max_agents)
    mine = [one for one in board.candidates if one.run == run]
    budget = budget_of(board, tools, mine)
    waits = list(waiting(budget, mine).values())
    if not waits or len(waits) < len(mine) or not all(wait.over for wait in waits):
        return None
    times = [wait.until for wait in waits if wait.until is not None]
    until = min(times, default=None)
    after = f"; it goes on by itself after midnight ({budget.zone}) where workers run" if until else ""
    return Short(len(waits), f"{waits[0].text}{after}; or `ops-orchestrate resume {run}`", until)


def agents_of(request: RunRequest, tools: Toolbox) -> tuple[str, ...]:
    """The agents that may work for a run, the one that is wanted first."""
    return in_order(request.agent, tools.settings.agent_fallback)


def another_has_quota(request: RunRequest, tools: Toolbox) -> bool:
    """Whether an agent of the run may go on at once, where there are several."""
    return len(agents_of(request, tools)) > 1 and bool(agent_now(request, tools).agent)


def account_for(agent: str, tools: Toolbox) -> str:
    """The account that an agent works with here."""
    own = settings_of_agent(tools.settings, agent)
    return account_of(agent, model_url=own.model_url, model_key=own.model_key)


def agent_now(request: RunRequest, tools: Toolbox, *, here: bool = False) -> AgentChoice:
    """The agent that an attempt of the run would get at this moment; `here`: on this machine."""
    names = agents_of(request, tools)
    live = tools.ledger.hosts.live() if here and len(names) > 1 else ()  # the only one there is needs no choice
    can = {name for host in live if host.name == tools.host for name in host.agents}
    # Where it has announced none of them it says itself, when it starts one, what is missing.
    agents = [(name, account_for(name, tools)) for name in [one for one in names if one in can] or names]
    return choose_agent(agents, tools.ledger.money.parked(), 0.0)  # the ledger names those that are parked now
