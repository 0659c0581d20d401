"""What `doctor` says of money: the prices, the caps, and whether what counts under them can be counted."""

from __future__ import annotations

from collections.abc import Iterator

from ops_orchestrate.adapters.prices import load_prices
from ops_orchestrate.cli.checkup import Check
from ops_orchestrate.config import Settings
from ops_orchestrate.core.account import is_metered
from ops_orchestrate.core.spend import allowance
from ops_orchestrate.report.amounts import count
from ops_orchestrate.report.money import amount_words


def examine_money(settings: Settings) -> Iterator[Check]:
    """One check. Raises UsageError where the owner's table of prices cannot be read."""
    prices, caps = load_prices(settings), settings.caps
    table = f"{count(len(prices.models), 'price')}, the shipped ones of {prices.as_of}"
    set_caps = any(getattr(caps, scope).limited for scope in type(caps).model_fields)
    if not set_caps:
        yield Check(what="money", state="ok", found=f"{table}; no cap is set")
        return
    each = amount_words(allowance(caps, settings.max_agents))
    metered = is_metered(settings.agent, model_url=settings.model_url)
    if not metered:
        found = (
            f"what {settings.agent} uses is not counted here: its own word is taken, and a silent one has used {each}"
        )
        yield Check(
            what="money", state="warning", found=found, remedy="Set OPS_MODEL_URL, so that our proxy counts it."
        )
        return
    if caps.in_dollars and prices.of(settings.model) is None:
        found = f"the price of {settings.model} is not known, and there is a cap in dollars: nothing will be started"
        yield Check(what="money", state="problem", found=found, remedy="Name its price in the file of OPS_PRICES.")
        return
    yield Check(what="money", state="ok", found=f"{table}; one attempt may use {each}")
