"""`budget`: what today has cost, under which caps, and which accounts have no quota."""

from __future__ import annotations

import sys

import click

from ops_orchestrate.cli.connect import connected
from ops_orchestrate.cli.owner import owners_clock
from ops_orchestrate.cli.screen import width
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.price import in_micros
from ops_orchestrate.core.spend import Amount
from ops_orchestrate.engine.budget import day_now, money_now
from ops_orchestrate.errors import UsageError
from ops_orchestrate.report.money import budget_text


@click.command("budget")
@click.option("--spent-today", type=click.FloatRange(0, 1_000_000), help="Dollars that today has cost until now.")
@click.option("--tokens-today", type=click.IntRange(0, 10**12), help="Tokens that today has used until now.")
@click.option("--unpark", metavar="ACCOUNT", help="Say that an account has quota again.")
def command(spent_today: float | None, tokens_today: int | None, unpark: str | None) -> int:
    """Today's dollars and tokens, the caps, and accounts without quota.

    What you say was spent takes the place of what the ledger saw: it may be younger than the day.
    """
    settings = load_settings()
    with connected(settings, workers=False, new=True) as connection:
        tools = connection.tools
        if spent_today is not None or tokens_today is not None:
            micros = None if spent_today is None else in_micros(spent_today)
            tools.ledger.money.declare(day_now(tools), Amount(tokens=tokens_today, micros=micros))
        if unpark is not None and not tools.ledger.money.unpark(unpark):
            known = ", ".join(tools.ledger.money.parked())
            others = f"those that are: {known}" if known else "no account is"
            raise UsageError(f"The account {unpark!r} is not parked; {others}.")
        text = budget_text(money_now(tools), width(), sys.stdout.encoding, owners_clock(settings))
    click.echo(text)
    return 0
