"""Display width, cutting, wrapping, and what a poor encoding shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.report.cells import clean, cut, for_encoding, pad, width_of, wrap


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("修复", 4), ("e\u0301", 1), ("✓ done", 6), ("👩", 2), ("a\u20dd", 1)],
)
def test_width_counts_columns(text: str, width: int) -> None:
    assert width_of(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("修复认证", 5, "修复…"),
        ("修复认证", 4, "修…"),
        ("修复", 1, "…"),
        ("ab cd", 4, "ab…"),
        ("abc", 0, ""),
    ],
)
def test_cut_never_splits_a_wide_character(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;http://evil\x1b\\link", "link"),
        ("a\u202eb", "a b"),
        ("two\nlines", "two lines"),
        ("o" + "\u0301" * 30, "o\u0301\u0301"),
        ("half\x1b", "half"),
        ("a\u0000b", "a b"),
    ],
)
def test_clean_leaves_nothing_that_moves_the_cursor(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "✓ done — 修复 “x”"),
        ("ascii", '+ done - ???? "x"'),
        ("latin-1", '+ done - ???? "x"'),
        (None, '+ done - ???? "x"'),
        ("no-such-encoding", '+ done - ???? "x"'),
    ],
)
def test_for_encoding_keeps_what_can_be_shown(encoding: str | None, shown: str) -> None:
    assert for_encoding("✓ done — 修复 “x”", encoding) == shown


@given(st.text(max_size=80), st.integers(0, 40))
def test_cut_and_pad_keep_to_the_width(text: str, width: int) -> None:
    text = clean(text)
    assert width_of(cut(text, width)) <= width
    assert width_of(pad(text, width)) == width


def test_a_word_that_is_broken_is_broken_once() -> None:
    """What continues stands two columns in: a long address is not broken anew on the way there."""
    assert wrap("at unix:///tmp/a/b/c/d/e/f/g", 14, indent=2) == ["at", "  unix:///tmp/", "  a/b/c/d/e/f/", "  g"]
    assert wrap("abcdefghij kl", 4, indent=2) == ["abcd", "  ef", "  gh", "  ij", "  kl"]
    assert wrap("", 10, indent=2) == []


@given(st.text(max_size=120), st.integers(2, 40), st.sampled_from([0, 0, 2, 6]))
def test_wrap_keeps_every_word_and_the_width(text: str, width: int, indent: int) -> None:
    lines = wrap(text, width + indent, indent)
    assert all(width_of(line) <= width + indent for line in lines)
    assert all(line.startswith(" " * indent) for line in lines[1:])
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.text(max_size=60), st.sampled_from(["ascii", "latin-1", "cp437", "utf-8"]))
def test_for_encoding_can_always_be_written(text: str, encoding: str) -> None:
    for_encoding(clean(text), encoding).encode(encoding)
