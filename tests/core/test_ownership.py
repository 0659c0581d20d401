"""Declared paths: what they cover, when two of them may meet, which are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.ownership import covers, overlap, problem

COVERED = [
    ("src/a.py", "src/a.py", True),
    ("src/a.py", "src/b.py", False),
    ("src/a.py", "lib/src/a.py", False),
    ("src/a.py", "src/A.py", False),
    ("src/", "src/a.py", True),
    ("src/", "src/deep/er/a.py", True),
    ("src/", "src", False),
    ("src/", "lib/src/a.py", False),
    ("src/**", "src/a.py", True),
    ("src/**", "src/deep/a.py", True),
    ("src/**", "src", False),
    ("src", "src/deep/a.py", True),
    ("README.md", "README.md", True),
    ("README.md", "docs/README.md", False),
    ("*.py", "a.py", True),
    ("*.py", "src/deep/a.py", True),
    ("*.py", "a.pyc", False),
    ("src/*.py", "src/a.py", True),
    ("src/*.py", "src/deep/a.py", False),
    ("src/*/", "src/v1/a.py", True),
    ("src/*/", "src/a.py", False),
    ("**/x", "x", True),
    ("**/x", "a/b/x", True),
    ("**/x", "a/x/y", True),
    ("**/x", "a/xx", False),
    ("a/**/b.py", "a/b.py", True),
    ("a/**/b.py", "a/x/y/b.py", True),
    ("a/**/b.py", "a/x/y/c.py", False),
    ("src/?.py", "src/a.py", True),
    ("src/?.py", "src/ab.py", False),
    ("app/[id]/page.tsx", "app/[id]/page.tsx", True),
    ("app/[id]/page.tsx", "app/i/page.tsx", False),
    ("./src/a.py", "src/a.py", True),
    (".", "anything/at/all", True),
    ("**", "anything/at/all", True),
    ("*", "anything/at/all", True),
    ("a*c/x", "abbc/x", True),
    ("a*c/x", "abb/x", False),
    ("star", "*", False),
    ("?", "?", True),
]


@pytest.mark.parametrize(("pattern", "path", "expected"), COVERED)
def test_what_a_pattern_covers(pattern: str, path: str, expected: bool) -> None:
    assert covers([pattern], path) is expected


def test_any_pattern_is_enough_and_none_is_everything() -> None:
    assert covers(["docs/", "src/a.py"], "src/a.py")
    assert not covers(["docs/", "src/a.py"], "src/b.py")
    assert covers([], "whatever")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([], ["src/a.py"], True),
        (["src/a.py"], [], True),
        ([], [], True),
        (["src/a.py"], ["src/a.py"], True),
        (["src/a.py"], ["src/b.py"], False),
        (["src/"], ["src/a.py"], True),
        (["src/"], ["tests/"], False),
        (["src"], ["src/a.py"], True),
        (["*.py"], ["src/"], True),
        (["*.py"], ["*.js"], False),
        (["src/*.py"], ["src/a*"], True),
        (["src/*.py"], ["src/deep/*.py"], False),
        (["a*b"], ["b*a"], False),
        (["a*"], ["*b"], True),
        (["**/x"], ["src/**"], True),
        (["src/A.py"], ["src/a.py"], True),
        (["src/é.py"], ["src/e\u0301.py"], True),
        (["docs/", "src/api/"], ["web/", "src/api/users.py"], True),
        (["docs/", "src/api/"], ["web/", "src/apis/users.py"], False),
    ],
)
def test_when_two_declarations_may_meet(a: list[str], b: list[str], expected: bool) -> None:
    assert overlap(a, b) is expected
    assert overlap(b, a) is expected


NAMES = st.sampled_from(["a", "b", "ab", "A", "é", "x.py", "*", "ß"])
PARTS = st.sampled_from(["a", "b", "ab", "A", "é", "x.py", "*", "**", "?", "a*", "*b", "*.py", "??", "."])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PATTERNS = st.builds(
    lambda parts, tail: "/".join(parts) + tail,
    st.lists(PARTS, min_size=1, max_size=4),
    st.sampled_from(["", "/", "/**"]),
)
SETS = st.lists(PATTERNS, max_size=3)


@given(SETS, SETS, PATHS)
def test_whatever_two_declarations_both_cover_they_overlap(a: list[str], b: list[str], path: str) -> None:
    if covers(a, path) and covers(b, path):
        assert overlap(a, b)


@given(SETS, SETS)
def test_overlap_has_no_direction(a: list[str], b: list[str]) -> None:
    assert overlap(a, b) == overlap(b, a)
    assert overlap(a, a)


@given(PATHS, PATHS)
def test_plain_folders_meet_exactly_where_one_holds_the_other(a: str, b: str) -> None:
    plain = not set("*éß") & set(a + b)
    if plain:
        low, high = sorted((a.lower(), b.lower()), key=len)
        assert overlap([a], [b]) == (low == high or high.startswith(f"{low}/"))


def test_a_hostile_pattern_costs_no_time() -> None:
    pattern = "/".join(["**", "*a*a*a*a*a*"] * 12)
    assert not covers([pattern], "/".join(["a" * 60] * 11 + ["b" * 60]))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("/etc/passwd", "absolute"),
        ("C:/windows", "absolute"),
        ("C:", "absolute"),
        ("../x", "leads out"),
        ("a/../../x", "leads out"),
        ("-rf", "begins with -"),
        ("!src", "begins with -"),
        ("~/x", "begins with -"),
        ("a\\b", "backslash"),
        ("a\nb", "control"),
        ("a\u202eb", "control"),
        ("a\x00", "control"),
        (".git/config", "git's own"),
        ("sub/.GIT/hooks", "git's own"),
        (".git./x", "git's own"),
        ("git~1/x", "git's own"),
        ("a" * 500, "longer than"),
    ],
)
def test_unusable_patterns_are_named(pattern: str, words: str) -> None:
    found = problem(["src/", pattern])
    assert found is not None
    assert words in found


@pytest.mark.parametrize(
    "pattern", ["src/a.py", "src/", "*.py", "**/x", ".github/workflows/", ".gitignore", "[id].tsx", "a b"]
)
def test_usable_patterns_pass(pattern: str) -> None:
    assert problem([pattern]) is None


def test_too_many_patterns_are_a_problem() -> None:
    assert "folders" in (problem([f"f{i}" for i in range(501)]) or "")
