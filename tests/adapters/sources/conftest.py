"""The stand-ins, running, and what talks to them. Retries happen and nobody waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

from ops_orchestrate.adapters.secrets import SecretChain
from ops_orchestrate.config import Settings
from ops_orchestrate.core.preferences import Preferences
from tests.standins import linear as linears
from tests.standins import sentry as sentries


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def sentry() -> Iterator[sentries.SentryStandIn]:
    with sentries.sentry() as standin:
        yield standin


@pytest.fixture
def linear() -> Iterator[linears.LinearStandIn]:
    with linears.linear() as standin:
        yield standin


def settings_for(standin: Any, **kw: Any) -> Settings:
    """Settings that point at a stand-in."""
    values = {"sentry_url": standin.url, "sentry_org": "acme", "linear_url": f"{standin.url}/graphql"}
    return Settings(**(values | kw))


def chain(**environment: str) -> SecretChain:
    """A chain with nothing but these variables."""
    return SecretChain({"PATH": "", **environment}, Preferences(secrets_manager="none"), cwd=Path("/"))


def tokens() -> SecretChain:
    """A chain with both tokens."""
    return chain(SENTRY_AUTH_TOKEN=sentries.TOKEN, LINEAR_API_KEY=linears.KEY)
