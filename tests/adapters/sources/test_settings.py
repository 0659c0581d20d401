"""Where tokens may be sent: over TLS, or to this machine."""

from __future__ import annotations

import pytest

from ops_orchestrate.config import load_settings
from ops_orchestrate.errors import UsageError


@pytest.mark.parametrize("name", ["sentry_url", "linear_url"])
@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://sentry.acme.example/", True),
        ("http://127.0.0.1:9000", True),
        ("http://localhost:9000", True),
        ("http://sentry.acme.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("https://ann:pw@sentry.example", False),
        ("ftp://sentry.example", False),
        ("sentry.example", False),
        ("", False),
    ],
)
def test_an_address_that_a_token_is_sent_to(name: str, url: str, fine: bool) -> None:
    if fine:
        assert getattr(load_settings(**{name: url}), name) == url.rstrip("/")
    else:
        with pytest.raises(UsageError, match=f"OPS_{name.upper()}"):
            load_settings(**{name: url})


@pytest.mark.parametrize("period", ["24h", "14d", "2w"])
def test_a_period_as_sentry_reads_it(period: str) -> None:
    assert load_settings(sentry_period=period).sentry_period == period


@pytest.mark.parametrize("period", ["", "1 day", "24h&project=-1", "0d"])
def test_another_period_is_refused(period: str) -> None:
    with pytest.raises(UsageError, match="OPS_SENTRY_PERIOD"):
        load_settings(sentry_period=period)
