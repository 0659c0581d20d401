"""How a company's proxy is named, and who goes past it."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.relay import Relay, goes_past, read_relay


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("http://proxy.example:3128", Relay("proxy.example", 3128)),
        ("http://proxy.example/", Relay("proxy.example", 80)),
        ("proxy.example:3128", Relay("proxy.example", 3128)),
        ("http://user:p%40ss@10.0.0.1:8080", Relay("10.0.0.1", 8080, "user", "p@ss")),
        ("http://[::1]:8080", Relay("::1", 8080)),
    ],
)
def test_what_is_one(url: str, relay: Relay) -> None:
    assert read_relay(url) == relay


@pytest.mark.parametrize(
    "url",
    ["", "https://u:s3cret@p.example", "socks5://u:s3cret@p.example:1080", "http://u:s3cret@p.example:99999",
     "http://u:s3cret@", "http://u:s3cret@p.example/path", "http://u:s3cret@[p.example", "u:s3cret@p.example:x"],
)  # fmt: skip
def test_what_is_none_is_said_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="must be http") as raised:
        read_relay(url)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "port", "rules", "past"),
    [
        ("api.example.com", 443, (), False),
        ("localhost", 1, (), True),
        ("127.8.8.8", 1, (), True),
        ("::1", 1, (), True),
        ("api.example.com", 443, ("*",), True),
        ("api.example.com", 443, ("example.com",), True),
        ("api.example.com", 443, (".example.com",), True),
        ("api.example.com", 443, ("*.example.com",), True),
        ("API.Example.com.", 443, ("example.COM.",), True),
        ("example.com", 443, (".example.com",), True),
        ("evilexample.com", 443, ("example.com",), False),
        ("example.com.evil", 443, ("example.com",), False),
        ("api.example.com", 443, ("example.com:443",), True),
        ("api.example.com", 443, ("example.com:8443",), False),
        ("10.1.2.3", 443, ("10.0.0.0/8",), True),
        ("11.1.2.3", 443, ("10.0.0.0/8", "nonsense/99"), False),
        ("10.1.2.3", 443, ("10.1.2.3",), True),
        ("10.1.2.3", 443, ("2.3",), False),
        ("[fd00::1]", 443, ("fd00::/8",), True),
        ("fd00::1", 443, ("fd00::1",), True),
        ("api.example.com", 443, ("", ".", ":", ":443"), False),
    ],
)
def test_who_goes_past_it(host: str, port: int, rules: tuple[str, ...], past: bool) -> None:
    assert goes_past(host, port, rules) is past
