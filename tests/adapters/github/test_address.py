"""Where GitHub is, and what `OPS_GITHUB_API_URL` may be."""

from __future__ import annotations

import httpx
import pytest

from ops_orchestrate.adapters.github.address import read_address
from ops_orchestrate.errors import UsageError


@pytest.mark.parametrize(
    ("url", "graphql", "origin", "git"),
    [
        ("https://api.github.com", "https://api.github.com/graphql", "https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://api.github.com/graphql", "https://api.github.com", "https://github.com"),
        ("https://ghe.corp/api/v3/", "https://ghe.corp/api/graphql", "https://ghe.corp", "https://ghe.corp"),
        (
            "https://api.acme.ghe.com",
            "https://api.acme.ghe.com/graphql",
            "https://api.acme.ghe.com",
            "https://acme.ghe.com",
        ),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/api/v3", "http://[::1]:8080/api/graphql", "http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_addresses_behind_one_url(url: str, graphql: str, origin: str, git: str) -> None:
    found = read_address(url)
    assert (found.rest, found.graphql, found.origin, found.git_origin) == (url.rstrip("/"), graphql, origin, git)


@pytest.mark.parametrize("url", ["https://ghe.corp:443/api/v3", "http://localhost:80"])
def test_the_usual_port_is_left_out_as_requests_leave_it_out(url: str) -> None:
    found = read_address(url)
    sent = httpx.URL(f"{found.rest}/repos/o/r")
    assert f"{sent.scheme}://{sent.netloc.decode()}" == found.origin == found.git_origin
    assert found.graphql.startswith(f"{found.origin}/")


@pytest.mark.parametrize(
    "url",
    ["", "api.github.com", "ftp://x", "http://ghe.corp/api/v3", "https://user:pass@ghe.corp", "https://ghe.corp/?a=b",
     "https://ghe.corp:port", "https://[::1"],
)  # fmt: skip
def test_an_impossible_url_is_refused_without_its_credentials(url: str) -> None:
    with pytest.raises(UsageError, match="OPS_GITHUB_API_URL") as told:
        read_address(url)
    assert "pass" not in str(told.value)
