"""Which values of this process must never be shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from ops_orchestrate.config.settings import Settings
from ops_orchestrate.core.relay import read_relay

#: Variables whose values are secrets, by the end of their names: what a log or a report must never show.
_SECRET_NAMES = ("TOKEN", "KEY", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS")
_SHORTEST_SECRET = 8


def known_secrets(settings: Settings) -> tuple[str, ...]:
    """The secret values that this process could leak: of its environment, passwords of servers, Flower and the
    proxy, addresses for digests."""
    # Most variables are no secrets: their values are not even looked at, since every line that is told asks here.
    values = [os.environ.get(name, "") for name in list(os.environ) if name.upper().endswith(_SECRET_NAMES)]
    for url in (settings.redis_url, settings.broker_url, settings.results_url, settings.ledger_url):
        values += _passwords(url.get_secret_value()) if url else ()
    if settings.https_proxy:
        values.append(read_relay(settings.https_proxy.get_secret_value()).password)
    if settings.notify:
        values += settings.notify.get_secret_value().split()
    if settings.flower_auth:
        values.append(settings.flower_auth.get_secret_value().partition(":")[2])
    return tuple(value for value in values if len(value) >= _SHORTEST_SECRET)


def _passwords(url: str) -> Iterator[str]:
    """Those of a server's address, as it has them and as they are sent."""
    parts = urlsplit(url)
    # Several Sentinels behind one `@` have no port that could be read, but the password is where it always is.
    found = [parts.netloc.rpartition("@")[0].partition(":")[2], *parse_qs(parts.query).get("sentinel_password", ())]
    for one in found:
        yield one
        yield unquote(one)
