"""Addresses of remotes: what they identify, what git must not be given, and no credentials kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.remote import read_remote, strip_credentials


@pytest.mark.parametrize(
    ("text", "url", "identity", "slug"),
    [
        ("https://github.com/O/r.git", "https://github.com/O/r.git", "github.com/o/r", "O/r"),
        ("https://u:p@github.com/o/r/", "https://github.com/o/r/", "github.com/o/r", "o/r"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git", "github.com/o/r", "o/r"),
        (
            "ssh://git@ssh.github.com:443/o/r.git",
            "ssh://git@ssh.github.com:443/o/r.git",
            "github.com/o/r",
            "o/r",
        ),
        ("ssh://git:pw@host/o/r", "ssh://git@host/o/r", "host/o/r", None),
        ("git@github-work:o/r.git", "git@github-work:o/r.git", "github.com/o/r", "o/r"),
        (
            "git@github.company.test:o/r.git",
            "git@github.company.test:o/r.git",
            "github.company.test/o/r",
            None,
        ),
        ("https://git.test/A/b.git", "https://git.test/A/b.git", "git.test/A/b", None),
        ("file:///srv/x.git", "/srv/x.git", "/srv/x.git", None),
        ("/srv/x/.git", "/srv/x/.git", "/srv/x", None),
        ("../up.git", "../up.git", "../up.git", None),
    ],
)
def test_remotes(text: str, url: str, identity: str, slug: str | None) -> None:
    remote = read_remote(text)
    assert remote is not None
    assert (remote.url, remote.identity, remote.slug) == (url, identity, slug)


@pytest.mark.parametrize(
    ("text", "identity", "slug"),
    [
        ("git@git.company.test:O/r.git", "git.company.test/o/r", "O/r"),
        ("https://GIT.company.test/o/R", "git.company.test/o/r", "o/R"),
        ("ssh://git@git.company.test:2222/o/r.git", "git.company.test/o/r", "o/r"),
        ("git@github.com:o/r.git", "github.com/o/r", "o/r"),
        ("git@other.test:o/r.git", "other.test/o/r", None),
        ("git@git.company.test:group/o/r.git", "git.company.test/group/o/r", None),
    ],
)
def test_the_host_of_an_enterprise_server_has_slugs_as_github_has(text: str, identity: str, slug: str | None) -> None:
    remote = read_remote(text, github="git.company.test")
    assert remote is not None
    assert (remote.identity, remote.slug) == (identity, slug)


@pytest.mark.parametrize(
    "text",
    ["", "-oProxyCommand=x", "ext::sh -c id", "fd::7", "ssh://-oProxyCommand=x/y", "javascript://x/y",
     "host:-x", "https:///x", "https://github.com", "https://h/../x", "a\nb", "http://[::1", "https://h:99999/x"],
)  # fmt: skip
def test_remotes_that_git_must_not_be_given(text: str) -> None:
    assert read_remote(text) is None


def test_credentials_in_running_text() -> None:
    assert strip_credentials("fatal: https://a:b@c/d and ssh://x@y") == "fatal: https://c/d and ssh://y"


@given(st.text())
def test_law_a_remote_never_looks_like_an_option(text: str) -> None:
    remote = read_remote(text)
    assert remote is None or not remote.url.startswith("-")
