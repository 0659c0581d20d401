"""Settings of pull requests and of what comes after them."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class ForgeSettings(BaseSettings):
    """Part of Settings; each field's description is its row in docs/configuration.md."""

    ci_poll: float = Field(30, gt=0, description="Between two looks at a change that waits for CI or a review.")
    ci_grace: float = Field(120, ge=0, description="A new change without any check is no news for this long.")
    ci_minimum: float = Field(0, ge=0, description="CI that succeeds faster than this proves nothing.")
    ci_settle: float = Field(60, ge=0, description="Without a new check for this long, the checks are complete.")
    ci_patience: float = Field(3 * 3600, gt=0, description="A check that is pending for longer is left to a person.")
    watch_every: float = Field(30, gt=0, description="Between two looks at what is deployed after a merge.")
    watch_window: float = Field(900, ge=0, description="How long a deployment is watched once it is served.")
    watch_deadline: float = Field(1800, gt=0, description="A merge that is not served by then is reported.")
    max_fixes: int = Field(2, ge=0, le=9, description="Attempts spent on what CI or reviewers say, for one change.")
