"""Whom an issue's text makes it wait for, and how urgent its labels make it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.issue_text import MOST, blockers_in, closed_by, issue_name, priority_in

SEVEN = ("github:o/r#7",)


@pytest.mark.parametrize(
    ("text", "blockers"),
    [
        ("Depends-On: #7", SEVEN),
        ("depends on #7.", SEVEN),
        ("**Blocked by:** #7", SEVEN),
        ("This is blocked by #7!", SEVEN),
        ("blocked-by o/r#7", SEVEN),
        ("Blocked by O/R#7", SEVEN),
        ("blocked by https://github.com/o/r/issues/7", SEVEN),
        ("blocked by https://www.github.com/o/r/pull/7#issuecomment-1", SEVEN),
        ("- [ ] blocked by #7", SEVEN),
        ("Depends-On: acme/api#3", ("github:acme/api#3",)),
        ("blocked by #1, #2 and x/y#3; also #4", ("github:o/r#1", "github:o/r#2", "github:x/y#3")),
        ("blocked by #1 & #2\nDepends-On: #1", ("github:o/r#1", "github:o/r#2")),
    ],
)
def test_it_waits_for_what_it_names(text: str, blockers: tuple[str, ...]) -> None:
    assert blockers_in(text, "o/r") == blockers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "see #7",
        "fixes #7",
        "not blocked by #7",
        "no longer blocked by #7",
        "isn't blocked by #7",
        "unblocked by #7",
        "~~blocked by #7~~",
        "- [x] blocked by #7",
        "> blocked by #7",
        "```\nblocked by #7\n```",
        "`blocked by #7`",
        "<!-- blocked by #7 -->",
        "<!-- never closed: blocked by #7",
        "blocked by the vendor, see #7",
        "blocked by #7abc",
        "blocked by #0",
        "blocked by ../x#7",
        "blocked by https://evil.example/o/r/issues/7",
        "blocked by https://github.com/o/r/issues/7/edit",
        "blocked by #12345678901",
    ],
)
def test_it_does_not_wait_for_what_it_only_mentions(text: str) -> None:
    assert blockers_in(text, "o/r") == ()


def test_another_host_is_named_where_the_forge_is_another_one() -> None:
    text = "blocked by https://ghe.corp/o/r/issues/7 and https://github.com/o/r/issues/8"
    assert blockers_in(text, "o/r", host="ghe.corp") == SEVEN


def test_a_flood_of_references_is_cut() -> None:
    assert len(blockers_in("blocked by " + ", ".join(f"#{n}" for n in range(1, 500)), "o/r")) == MOST


#: Pieces of which references are made: text at random names an issue as good as never.
PIECES = st.sampled_from(
    ["#7", "#12", "o/r", "x/y#3", "https://github.com/", "/issues/4", "..", ",", " and ", "~~", "`"]
)


@given(st.lists(PIECES | st.text(max_size=9), max_size=20).map("".join))
def test_whatever_a_text_holds_only_names_of_issues_come_out(text: str) -> None:
    for name in blockers_in(f"{text}\nblocked by {text}", "o/r"):
        place, _, number = name.removeprefix("github:").partition("#")
        assert name == issue_name(place, int(number))


@given(
    st.lists(st.integers(1, 999_999), min_size=1, max_size=MOST, unique=True),
    st.sampled_from([", ", " and ", " & ", "; ", " "]),
)
def test_every_issue_of_a_list_is_found_in_its_order(numbers: list[int], between: str) -> None:
    text = "Depends-On: " + between.join(f"#{n}" for n in numbers)
    assert blockers_in(text, "o/r") == tuple(issue_name("o/r", n) for n in numbers)


@given(st.text(max_size=200))
def test_text_that_is_only_shown_says_nothing(text: str) -> None:
    line = " ".join(text.split())
    assert blockers_in(f"> {line} blocked by #7", "o/r") == ()


@pytest.mark.parametrize(
    ("labels", "priority"),
    [
        ([], None),
        (["enhancement"], None),
        (["P1"], "P1"),
        (["p0"], "P0"),
        (["P1-revenue"], "P1"),
        (["priority: P2"], "P2"),
        (["priority/p3", "bug"], "P2"),
        (["critical"], "P0"),
        (["severity: critical"], "P0"),
        (["bug"], "P2"),
        (["type: bug"], "P2"),
        (["bug", "P1"], "P1"),
        (["P4", "p10", "debug", "critical-path"], None),
    ],
)
def test_labels_name_a_priority(labels: list[str], priority: str | None) -> None:
    assert priority_in(labels) == priority


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("Fixes #7", SEVEN),
        ("This closes: #7.", SEVEN),
        ("**Resolves** O/R#7", SEVEN),
        ("- [x] fixed #7", SEVEN),
        ("fix https://github.com/o/r/issues/7", SEVEN),
        ("Resolves #7, closes x/y#2", ("github:o/r#7", "github:x/y#2")),
        ("Closes #7 and #8", SEVEN),
        *(
            (text, ())
            for text in ("see #7", "prefixes #7", "does not fix #7", "> fixes #7", "`fixes #7`", "fix the #7")
        ),
        ("<!-- fixes #7 -->", ()),
        ("fixes https://evil.example/o/r/issues/7", ()),
    ],
)
def test_a_change_closes_what_it_says_in_the_forges_own_words(text: str, closes: tuple[str, ...]) -> None:
    assert closed_by(text, "o/r") == closes
