"""Settings of what agents are asked, beside their work."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class ConsultSettings(BaseSettings):
    """Part of Settings; each field's description is its row in docs/configuration.md."""

    sensitive_review: Literal["person", "reviewer", "both"] = Field(
        "both",
        description="Who looks at changes that touch auth, payments, PII or secrets: `person`, a security `reviewer` "
        "(an agent that only reads, like `claude`; where it is unsure, does more, or there is no review, a person) or "
        "`both`, the reviewer first.",
    )
    review_agent: str = Field("", description="Which agent reviews (as `OPS_AGENT`); empty: the run's.")
    review_model: str = Field("", description="Its model; empty: `OPS_MODEL`.")
    review_limit: float = Field(900, gt=0, le=3600, description="Time limit of one review, in seconds.")
    review_rounds: int = Field(
        2, ge=0, le=10, description="So often a reviewer's findings send a task back; after that a person decides."
    )

    split_after: int = Field(
        2,
        ge=0,
        description="So many attempts of a task in a row that stalled or ran out of time, and it is split by its own "
        "criteria or paths. 0: never.",
    )

    planner_help: Literal["off", "attended", "always"] = Field(
        "off",
        description="Whether an agent is asked how to split a big task before one works on it: `off` (only with "
        "`--planner-help`), `attended` (also in runs that a person starts at a terminal) or `always` (also by night).",
    )
    planner_limit: float = Field(600, gt=0, le=3600, description="Time limit of one such question, in seconds.")

    @field_validator("review_model")
    @classmethod
    def _is_no_option(cls, value: str) -> str:
        """It is a word of a command line."""
        if value.startswith("-"):
            raise ValueError("must be a model's name")
        return value
