"""Settings of money: prices, and what an attempt, a task, a project, a run and a day may cost and use."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from ops_orchestrate.core.price import in_micros
from ops_orchestrate.core.spend import Amount, Caps

#: Beyond these no cap means anything, and sums under it would leave what the ledger can count.
_MOST_USD, _MOST_TOKENS = 1_000_000, 10**12


class MoneySettings(BaseSettings):
    """Part of Settings; each field's description is its row in docs/configuration.md. Unset caps: no limit."""

    prices: Path | None = Field(
        None,
        description="A TOML file with prices of models, over the shipped ones (docs/operating.md, Money). A model "
        "without a price is never taken for free.",
    )
    max_attempt_usd: float | None = Field(
        None,
        gt=0,
        le=_MOST_USD,
        description="What one attempt may cost. The proxy counts it, outside of the agent, and begins no more calls "
        "(none at all for a model without a price); `claude` is told it too. Unset: what the wider caps leave it.",
    )
    max_attempt_tokens: int | None = Field(
        None,
        gt=0,
        le=_MOST_TOKENS,
        description="Tokens after which the proxy begins no more calls of an attempt's model. They are counted outside "
        "of the agent, cached ones too. Unset: what the wider caps leave it.",
    )
    max_task_usd: float | None = Field(
        None, gt=0, le=_MOST_USD, description="What all attempts of one task may cost together, those of its parts too."
    )
    max_task_tokens: int | None = Field(None, gt=0, le=_MOST_TOKENS, description="What they may use.")
    max_project_usd: float | None = Field(
        None,
        gt=0,
        le=_MOST_USD,
        description="What one project may cost in a day; `ops.day_usd` in the registry goes before it.",
    )
    max_project_tokens: int | None = Field(
        None, gt=0, le=_MOST_TOKENS, description="What it may use; likewise `ops.day_tokens`."
    )
    max_run_usd: float | None = Field(None, gt=0, le=_MOST_USD, description="What one run may cost.")
    max_run_tokens: int | None = Field(None, gt=0, le=_MOST_TOKENS, description="What it may use.")
    max_day_usd: float | None = Field(
        None,
        gt=0,
        le=_MOST_USD,
        description="What a day may cost, over all runs; it ends at midnight by `timezone` in preferences.json.",
    )
    max_day_tokens: int | None = Field(None, gt=0, le=_MOST_TOKENS, description="What it may use.")
    quota_pause: float = Field(
        900,
        gt=0,
        le=86_400,
        description="How long an account waits after a quota where the provider does not say when it ends.",
    )

    @property
    def caps(self) -> Caps:
        """The caps as the rules read them."""
        return Caps(
            **{
                scope: Amount(
                    tokens=getattr(self, f"max_{scope}_tokens"), micros=_micros(getattr(self, f"max_{scope}_usd"))
                )
                for scope in Caps.model_fields
            }
        )


def _micros(dollars: float | None) -> int | None:
    return None if dollars is None else in_micros(dollars)
