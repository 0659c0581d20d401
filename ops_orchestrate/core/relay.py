"""The proxy that a company has between its machines and the internet: how it is named, and who goes past it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit


class Relay(NamedTuple):
    """One such proxy. `user` and `password` are secrets: never print them."""

    host: str
    port: int
    user: str = ""
    password: str = ""


def read_relay(url: str) -> Relay:
    """What a variable such as HTTPS_PROXY says: `http://[user:password@]host:port`, `http://` may be missing.

    Raises ValueError, without the URL: it may hold a password.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port or 80
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        host = None
    if not host or parts.scheme != "http" or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("must be http://[user:password@]host:port; one that is asked over TLS itself will not do")
    return Relay(host, port, user, password)


def goes_past(host: str, port: int, rules: Iterable[str]) -> bool:
    """Whether that host is asked directly, by the entries of NO_PROXY.

    An entry is a host (with everything below it), a host with a port, an address, a network such as 10.0.0.0/8, or `*`.
    This machine itself is never asked through a proxy.
    """
    name = host.lower().strip("[]").removesuffix(".")
    if name == "localhost" or (_address(name) or _NOWHERE).is_loopback:
        return True
    return any(_means(rule.strip().lower(), name, port) for rule in rules)


_NOWHERE = ipaddress.ip_address("0.0.0.0")  # noqa: S104 - stands for what is no address; nothing listens on it


def _means(rule: str, name: str, port: int) -> bool:
    if rule == "*":
        return True
    address = _address(name)
    if address is not None and "/" in rule:
        try:
            return address in ipaddress.ip_network(rule, strict=False)
        except ValueError:
            return False
    wanted, colon, number = rule.rpartition(":")
    if colon and number.isdigit() and _address(rule) is None:
        if int(number) != port:
            return False
        rule = wanted
    rule = rule.strip("[]").removeprefix("*").removeprefix(".").removesuffix(".")
    return bool(rule) and (name == rule or (address is None and name.endswith(f".{rule}")))


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
