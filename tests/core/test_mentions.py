"""What a text names at GitHub, Sentry and Linear, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.mentions import (
    LIMIT,
    github_name,
    identifiers,
    is_named,
    linear_name,
    names_in,
    repositories_in,
    same,
    sentry_name,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("see https://github.com/acme/api/issues/7.", ("github:acme/api#7",)),
        ("[fix](https://github.com/acme/api/pull/12#issuecomment-1)", ("github:acme/api#12",)),
        ("https://github.com/acme/api/issues/7?x=1 and acme/web#3", ("github:acme/api#7", "github:acme/web#3")),
        ("https://github.com/acme/api/issues/7x", ()),
        ("https://github.com/acme/api/issues/new", ()),
        ("https://evil.example/acme/api/issues/7", ()),
        ("https://evil.example/https://github.com/acme/api/issues/7", ()),
        ("a/acme/api#7 and acme/api#7x", ()),
        ("https://acme.sentry.io/issues/4711/?referrer=github_integration", ("sentry:4711",)),
        ("https://sentry.io/organizations/acme/issues/4711/", ("sentry:4711",)),
        ("https://sentry.acme.example:8443/organizations/acme/issues/4711/events/1/", ("sentry:4711",)),
        ("https://sentry.io/settings/4711/", ()),
        ("https://notsentry.io/issues/4711/", ()),
        ("https://linear.app/acme/issue/eng-12/fix-the-login", ("linear:ENG-12",)),
        ("https://linear.app/acme/project/ENG-12", ()),
        ("closes #7, not &#8; nor acme/web#9", ("github:acme/web#9",)),
    ],
)
def test_what_a_text_names_for_certain(text: str, names: tuple[str, ...]) -> None:
    assert names_in(text) == names


def test_an_enterprise_server_is_github_where_it_is_named() -> None:
    text = "https://git.acme.example/acme/api/issues/7"
    assert names_in(text, hosts=["Git.acme.example"]) == ("github:acme/api#7",)
    assert repositories_in(text) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fix ENG-12: crash (API-3F)", ("ENG-12", "API-3F")),
        ("MY-API-1K and MY_API-2", ("MY-API-1K", "MY_API-2")),
        ("https://linear.app/acme/issue/ENG-12", ()),
        ("eng-12, ENG-12-fix, xENG-12, a@ENG-12", ()),
        ("UTF-8 is a word, too", ("UTF-8",)),
    ],
)
def test_words_that_may_be_an_identifier(text: str, words: tuple[str, ...]) -> None:
    assert identifiers(text) == words


def test_the_repositories_of_the_links_in_a_text() -> None:
    text = "https://github.com/acme/api/commit/abc https://github.com/acme/web.git https://github.com/acme"
    assert repositories_in(text) == ("acme/api", "acme/web")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("github:acme/api#7", True),
        ("linear:ENG-12", True),
        ("sentry:", False),
        ("fix: the login", False),
        ("linear: later", False),
        ("ci:x", False),
    ],
)
def test_a_name_is_told_from_an_id_or_a_title(text: str, named: bool) -> None:
    assert is_named(text) is named


WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=10)
NUMBER = st.integers(1, 99_999)
PROSE = st.text("abc .,:;()[]<>\n", max_size=30).map(lambda text: f"{text} ")


@given(PROSE, WORD, WORD, NUMBER, PROSE)
def test_what_is_written_is_found_again_in_any_prose(
    before: str, owner: str, repo: str, number: int, after: str
) -> None:
    name = github_name(f"{owner}/{repo}", number)
    for text in (f"https://github.com/{owner}/{repo}/issues/{number}", f"{owner}/{repo}#{number}"):
        assert names_in(f"{before}{text} {after}") == (name,)
    key = f"{owner.upper()}-{number}"
    assert identifiers(f"{before}{key} {after}") == (key,)
    assert names_in(f"{before}https://linear.app/x/issue/{key} {after}") == (linear_name(key),)


#: Pieces of which names are made: text at random holds as good as none.
PIECES = st.sampled_from(
    ["#7", " ", "acme/api", "x/Y#3 ", "https://github.com/", "/issues/4 ", "ENG-12 ", "UTF-8", "..", "-"]
)


@given(st.lists(PIECES | st.text(max_size=9), max_size=20).map("".join))
def test_any_text_gives_names_in_the_one_form(text: str) -> None:
    for name in names_in(text):
        assert is_named(name)
        assert same(name) == same(name.upper())
    assert all(word in text for word in identifiers(text))


@pytest.mark.parametrize("bait", ["A-" * LIMIT, "https://github.com/" + "a" * LIMIT, "#" * LIMIT, "a/" * LIMIT])
def test_hostile_text_is_read_once(bait: str) -> None:
    """The patterns never go back: a quadratic one takes minutes for these and runs into the test's time limit."""
    for _ in range(20):
        assert names_in(bait * 5) == ()
        assert identifiers(bait * 5) == ()
    assert sentry_name("4711") == "sentry:4711"
