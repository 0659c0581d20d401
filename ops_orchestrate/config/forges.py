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
    merge_unknown: float = Field(
        120, ge=0, description="A merge without an answer is looked for on the base this long."
    )
    watch_every: float = Field(30, gt=0, description="Between two looks at what is deployed after a merge.")
    watch_window: float = Field(900, ge=0, description="How long a deployment is watched once it is served.")
    watch_restart: float = Field(300, ge=0, description="How long a service may be away while a merge is deployed.")
    watch_deadline: float = Field(1800, gt=0, description="A merge that is not served by then is reported.")
    max_fixes: int = Field(2, ge=0, le=9, description="Attempts spent on what CI or reviewers say, for one change.")
    github_api_url: str = Field(
        "https://api.github.com",
        description="GitHub's REST API; for GitHub Enterprise `https://HOST/api/v3`. The token is asked for by the "
        "name `GITHUB_TOKEN` (environment, Doppler, password manager).",
    )
    github_app_id: str | None = Field(
        None, description="Act as this GitHub App; its private key is asked for by the name `GITHUB_APP_KEY`."
    )
    github_app_installation: str | None = Field(None, description="The App's installation.")
    github_reserve: int = Field(
        500, ge=0, description="Points an hour of the rate limit that audits never spend; at most a tenth of it."
    )
    github_threads: int = Field(8, ge=1, le=20, description="Repositories that an audit asks GitHub about at once.")
    github_timeout: float = Field(20, gt=0, description="Time limit of one answer of GitHub.")
    github_write_gap: float = Field(1, ge=0, description="Seconds between two writes to GitHub, as it asks for.")
