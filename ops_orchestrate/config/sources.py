"""Settings of the places that findings come from, beside git."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode


class SourceSettings(BaseSettings):
    """Part of Settings; each field's description is its row in docs/configuration.md."""

    sentry_org: str | None = Field(
        None,
        description="Slug of the Sentry organization; without it Sentry is skipped. The token is asked for by the name "
        "`SENTRY_AUTH_TOKEN` (environment, Doppler, password manager).",
    )
    sentry_url: str = Field("https://sentry.io", description="Where Sentry is.")
    sentry_period: str = Field(
        "24h", pattern=r"^[1-9][0-9]{0,3}[smhdw]$", description="Errors of this period are counted: `24h`, `14d`, `2w`."
    )
    sentry_p0_events: int = Field(1000, ge=1, description="An error with as many events within the period is a P0.")
    sentry_p0_users: int = Field(100, ge=1, description="An error that hits as many users within the period is a P0.")
    sentry_p1_events: int = Field(
        100, ge=1, description="The same for P1. Smaller errors are counted and not worked on, unless they are fatal."
    )
    sentry_p1_users: int = Field(10, ge=1, description="The same for P1, by users.")
    sentry_trusted: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Sentry projects whose errors start agents without being asked about, because only your servers "
        "hold their DSN; `*`: all. Whoever has a DSN, as every reader of a web page does, can write errors.",
    )
    linear_url: str = Field(
        "https://api.linear.app/graphql",
        description="Linear's GraphQL endpoint. The key is asked for by the name `LINEAR_API_KEY` (as above).",
    )
    source_timeout: float = Field(
        20,
        gt=0,
        description="Time limit of each part of an answer of Sentry or Linear; a whole one has three.",
    )
    sentry_close: bool = Field(False, description="Whether a merge marks the Sentry issue that it is for as resolved.")
    linear_close: bool = Field(False, description="Whether a merge moves the Linear ticket that it is for to done.")

    @field_validator("sentry_url", "linear_url")
    @classmethod
    def _keeps_secrets(cls, value: str) -> str:
        """A token goes there: over TLS, or to this machine; and an address is no place for a password."""
        parts = urlsplit(value.rstrip("/"))
        near = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or parts.username or parts.password or not (near or parts.scheme == "https"):
            raise ValueError("must be an https:// address (http:// only for this machine) without a password in it")
        return value.rstrip("/")
