"""What money is counted by in this process: prices, and the owner's midnight. Read when first asked for."""

from __future__ import annotations

from datetime import tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.adapters.prices import load_prices
from ops_orchestrate.config import Settings
from ops_orchestrate.engine.toolbox import Means


def means_of(settings: Settings) -> Means:
    """Prices and zone over these settings."""

    @cache
    def zone() -> tzinfo:
        return ZoneInfo(load_preferences(settings).timezone)

    @cache
    def priced(model: str) -> bool:
        return load_prices(settings).of(model) is not None

    return Means(priced=priced, zone=zone)
