"""Which hosts a rule means, and which addresses are never reached."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.hosts import HostRule, is_loopback, is_public, may_reach, named, read_host, why_refused


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("pypi.org", HostRule("pypi.org")),
        (" PyPI.org. ", HostRule("pypi.org")),
        ("*.npmjs.org", HostRule("*.npmjs.org")),
        ("deb.example.org:8443", HostRule("deb.example.org", 8443)),
    ],
)
def test_rules(text: str, rule: HostRule) -> None:
    assert read_host(text) == rule


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "10.0.0.1", "::1", "*", "*.org", "*.*.org", "https://pypi.org", "pypi.org/x", "a..org", "-a.org",
     "pypi.org:0", "pypi.org:99999", "pypi.org:x", "pypi.org:", "a b.org", "pypi.org\n.evil.org", "1.1", "0x7f.1"],
)  # fmt: skip
def test_what_is_no_rule(text: str) -> None:
    if text == "pypi.org:":
        assert read_host(text) == HostRule("pypi.org")
        return
    with pytest.raises(ValueError, match="not the name of a host"):
        read_host(text)


@pytest.mark.parametrize(
    ("host", "port", "allowed"),
    [
        ("pypi.org", 443, True),
        ("PYPI.ORG.", 443, True),
        ("pypi.org", 80, False),
        ("evil-pypi.org", 443, False),
        ("pypi.org.evil.example", 443, False),
        ("registry.npmjs.org", 443, True),
        ("npmjs.org", 443, False),
        ("evilnpmjs.org", 443, False),
        ("a b.npmjs.org", 443, False),
        ("..npmjs.org", 443, False),
        ("127.0.0.1", 443, False),
    ],
)
def test_whom_the_rules_mean(host: str, port: int, allowed: bool) -> None:
    assert may_reach([read_host("pypi.org"), read_host("*.npmjs.org")], host, port) is allowed


@pytest.mark.parametrize("address", ["151.101.0.223", "2a04:4e42::223", "1.1.1.1"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
     "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
     "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:7f00:1::", "::7f00:1",
     "2001:db8::1", "no address", "", "127.1", "2130706433", "fec0::1"],
)  # fmt: skip
def test_private_addresses_in_every_dress(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("PyPI.org.", 443, "pypi.org"),
        ("deb.example.org", 8443, "deb.example.org:8443"),
        ("127.0.0.1", 443, ""),
        ("*.org.example", 443, ""),
        ("allow\x1b[2J.example", 443, ""),
        ("a b.example", 443, ""),
        ("x" * 60 + "." + "y" * 60 + ".example", 443, ""),
        ("localhost", 443, ""),
    ],
)
def test_what_is_shown_of_a_host_that_was_asked_for(host: str, port: int, name: str) -> None:
    assert named(host, port) == name


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ((), ""),
        (("pypi.org",), "The agent asked for pypi.org, which is not on the list of L: add there what it may reach."),
        (
            ("a.org", "b.org", "c.org", "d.org", "e.org", "f.org"),
            (
                "The agent asked for a.org, b.org, c.org, d.org, e.org and others, which are not on the list of L: "
                "add there what it may reach."
            ),
        ),
    ],
)
def test_how_the_owner_is_told(hosts: tuple[str, ...], words: str) -> None:
    assert why_refused("The agent", hosts, "L") == words


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("::", False),
        ("builder", False),
        ("localhost.example.org", False),
    ],
)
def test_what_only_this_machine_reaches(host: str, here: bool) -> None:
    assert is_loopback(host) is here
