"""What money is counted by in this process: prices, and the owner's midnight. Read when first asked for."""

from __future__ import annotations

import json
from datetime import tzinfo
from functools import cache
from hashlib import sha256
from zoneinfo import ZoneInfo

from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.adapters.prices import load_prices
from ops_orchestrate.config import MODEL_KINDS, Settings, settings_of_agent
from ops_orchestrate.core.account import account_of
from ops_orchestrate.engine.toolbox import Means


def means_of(settings: Settings) -> Means:
    """Prices and zone over these settings."""

    @cache
    def zone() -> tzinfo:
        return ZoneInfo(load_preferences(settings).timezone)

    @cache
    def priced(model: str) -> bool:
        return load_prices(settings).of(model) is not None

    @cache
    def terms() -> str:
        agents = sorted({settings.agent, *settings.agent_fallback, *settings.models, *MODEL_KINDS})
        own = {agent: settings_of_agent(settings, agent) for agent in agents}
        said = {
            "caps": settings.caps.model_dump(),
            "agents": settings.max_agents,
            "fallback": settings.agent_fallback,
            "zone": str(zone()),
            "accounts": {
                agent: account_of(agent, model_url=one.model_url, model_key=one.model_key) for agent, one in own.items()
            },
            "priced": {agent: (one.model, priced(one.model)) for agent, one in own.items()},
        }
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    return Means(priced=priced, zone=zone, terms=terms)
