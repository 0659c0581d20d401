"""The API of an agent's model, as the settings name it: reached through a proxy of ours, which holds the key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ops_orchestrate.adapters.modelproxy import Limits, Upstream
from ops_orchestrate.adapters.prices import load_prices
from ops_orchestrate.adapters.waysout import ModelAccess
from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentJob
from ops_orchestrate.errors import UsageError


class Names(NamedTuple):
    """Variables that a program finds the base URL in, and the placeholder."""

    url: tuple[str, ...]
    key: tuple[str, ...]


CLAUDES = Names(("ANTHROPIC_BASE_URL",), ("ANTHROPIC_API_KEY",))


def model_access(
    settings: Settings, secret: Callable[[str], str | None], url: str, names: Names = CLAUDES
) -> ModelAccess:
    """The way to the API at `url`; `names` of the variables that the program reads.

    Raises UsageError where a key must not be sent there, and for a table of prices that cannot be read.
    """
    header = settings.model_key_header
    try:
        upstream = Upstream(url, header, "Bearer " if header == "authorization" else "")
    except UsageError as error:
        raise UsageError(f"OPS_MODEL_URL: {error}") from error
    return ModelAccess(
        upstream,
        key=lambda: secret(settings.model_key),
        url_names=names.url,
        key_names=names.key,
        limits=Limits(server_tools=settings.model_server_tools),
        price=load_prices(settings).micros,
    )


def allowed(model: ModelAccess, job: AgentJob, settings: Settings) -> ModelAccess:
    """The same way, for what one attempt may use and cost."""
    tokens = job.max_tokens if job.max_tokens is not None else settings.max_attempt_tokens
    usd = job.max_usd if job.max_usd is not None else settings.max_attempt_usd
    return replace(model, limits=replace(model.limits, tokens=tokens or 0, usd=usd or 0.0))
