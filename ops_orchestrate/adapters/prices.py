"""Reads the prices of models: the table that is shipped, and the owner's lines over it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from ops_orchestrate.adapters.textfile import read_bytes
from ops_orchestrate.config import Settings
from ops_orchestrate.core.price import LIMIT, Prices, parse_prices
from ops_orchestrate.errors import UsageError


def load_prices(settings: Settings) -> Prices:
    """The prices that hold here. Raises UsageError, naming the owner's file and its line."""
    if settings.prices is None:
        return shipped()
    path = Path(settings.prices).expanduser()
    data = read_bytes(path, LIMIT, UsageError)
    return shipped().with_own(parse_prices(data, origin=f"{path} (OPS_PRICES)"))


@cache
def shipped() -> Prices:
    """The table that comes with the program; `as_of` says how old it is."""
    file = resources.files("ops_orchestrate.adapters") / "prices.toml"
    return parse_prices(file.read_bytes(), origin="prices.toml")
