"""Settings of this machine's own way out: a company's proxy, and whose certificates are believed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ops_orchestrate.core.relay import read_relay


def _named(name: str) -> str:
    """What everybody else's variable says, in either spelling."""
    return os.environ.get(name) or os.environ.get(name.lower(), "")


def _proxy() -> SecretStr | None:
    """One of a kind that is not known here was set for other programs: it is no mistake of the owner's."""
    url = _named("HTTPS_PROXY")
    try:
        read_relay(url)
    except ValueError:
        return None
    return SecretStr(url)


def _direct() -> tuple[str, ...]:
    return _hosts(_named("NO_PROXY"))


def _certificates() -> Path | None:
    path = os.environ.get("SSL_CERT_FILE")
    return Path(path) if path and Path(path).is_file() else None


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r"[\s,]+", text)))


class OutwardSettings(BaseSettings):
    """Part of Settings; each field's description is its row in docs/configuration.md."""

    https_proxy: SecretStr | None = Field(
        default_factory=_proxy,
        description="The proxy between this machine and the internet, `http://[user:password@]host:port`: the model's "
        "API, `OPS_AGENT_HOSTS`, GitHub, Sentry, Linear and the pages of deployed services are reached through it. "
        "Default: `HTTPS_PROXY`, if it is "
        "such a one.",
    )
    no_proxy: Annotated[tuple[str, ...], NoDecode] = Field(
        default_factory=_direct,
        description="Hosts that are reached past it, with commas between them: `.example.com`, `10.0.0.0/8`, `*`. "
        "Default: `NO_PROXY`.",
    )
    ca_file: Path | None = Field(
        default_factory=_certificates,
        description="Certificates (PEM) of the authorities that are believed in place of the usual ones, for the "
        "model's API, GitHub, Sentry, Linear and inside the sandbox. Default: `SSL_CERT_FILE`.",
    )

    @field_validator("https_proxy")
    @classmethod
    def _is_a_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_relay(value.get_secret_value())
        return value

    @field_validator("no_proxy", mode="before")
    @classmethod
    def _are_past_it(cls, value: object) -> object:
        return _hosts(value) if isinstance(value, str) else value

    @field_validator("ca_file")
    @classmethod
    def _is_a_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is no file")
        return value.absolute() if value else None
