"""Names of hosts that foreign code may reach, and addresses that no name of them may lead to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")

_LONGEST = 100
SHOWN = 5
"""Names of refused hosts that are shown: what asks for them chooses them, and could write letters with them."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it; no name at all stands for this machine, as with servers."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"", "localhost"}


class HostRule(NamedTuple):
    """One host that may be reached: `pypi.org`, `*.npmjs.org` (what is below it), `deb.example.org:8443`."""

    name: str
    port: int = 443

    def allows(self, host: str, port: int) -> bool:
        """Whether that host and port is what the rule means."""
        wanted = host.lower().removesuffix(".")
        if self.name.startswith("*."):
            return port == self.port and wanted.endswith(self.name[1:]) and _NAME.fullmatch(wanted) is not None
        return port == self.port and wanted == self.name


def read_host(text: str) -> HostRule:
    """A rule as the owner writes it. Raises ValueError: addresses, whole top-level domains and URLs are none."""
    name, _, port = text.strip().lower().rstrip(".").partition(":")
    number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else 0 if port else 443
    if not _NAME.fullmatch(name) or name.count(".") < (2 if name.startswith("*.") else 1) or not 0 < number < 65_536:
        raise ValueError(f"{text[:80]!r} is not the name of a host (such as pypi.org, *.npmjs.org, or name:port)")
    return HostRule(name, number)


def may_reach(rules: Iterable[HostRule], host: str, port: int) -> bool:
    """Whether one of the rules allows it."""
    return any(rule.allows(host, port) for rule in rules)


def named(host: str, port: int) -> str:
    """A host that somebody asked for, as the owner would write it; empty for what is no name of one."""
    name = host.lower().removesuffix(".")
    if len(name) > _LONGEST or not _NAME.fullmatch(name) or name.startswith("*"):
        return ""
    return name if port == 443 else f"{name}:{port}"


def why_refused(who: str, hosts: Sequence[str], setting: str) -> str:
    """A sentence for the owner about hosts that were asked for and are not on the list; empty where there are none."""
    if not hosts:
        return ""
    more = " and others" if len(hosts) > SHOWN else ""
    is_are = "is" if len(hosts) == 1 else "are"
    asked = f"{who} asked for {', '.join(hosts[:SHOWN])}{more}, which {is_are} not on the list of {setting}"
    return f"{asked}: add there what it may reach."


def is_public(address: str) -> bool:
    """Whether it is an address of the public internet; what stands for a private one inside another is not."""
    try:
        found: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(found)
    if inner is not None:
        return is_public(str(inner))
    site_local = isinstance(found, ipaddress.IPv6Address) and found.is_site_local  # deprecated, and routed all the same
    return found.is_global and not (found.is_multicast or found.is_reserved or site_local)


def _inner(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one carries."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
