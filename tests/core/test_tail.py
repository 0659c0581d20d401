"""The part of a log that tells what failed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.tail import GAP, failure_lines, gist, relevant_tail


def numbered(first: int, last: int) -> list[str]:
    return [f"line {at}" for at in range(first, last)]


def test_the_lines_around_a_failure_and_the_end_are_kept() -> None:
    log = "\n".join([*numbered(0, 100), "E   AssertionError: wrong", *numbered(100, 200), "1 failed in 2 s"])
    tail = relevant_tail(log, 4000).splitlines()
    assert "E   AssertionError: wrong" in tail
    assert "line 99" in tail
    assert "line 104" in tail
    assert "line 50" not in tail
    assert tail[-1] == "1 failed in 2 s"
    assert tail.count(GAP) == 2


def test_a_log_without_failures_gives_its_end() -> None:
    assert relevant_tail("\n".join(numbered(0, 50))).splitlines()[1:] == numbered(42, 50)


def test_the_latest_failures_are_kept_first() -> None:
    log = "\n".join(f"ERROR number {at}\n" + "\n".join(f"detail {at} {n}" for n in range(20)) for at in range(100))
    tail = relevant_tail(log, 600)
    assert "ERROR number 99" in tail
    assert "ERROR number 10\n" not in tail


@pytest.mark.parametrize(
    "line",
    [
        "FAILED tests/test_a.py::test_x - assert 1 == 2",
        "--- FAIL: TestX (0.00s)",
        "error TS2304: Cannot find name 'x'.",
        "thread 'main' panicked at src/lib.rs",
        "not ok 3 - works",
        "  ✗ works",
        "java.lang.IllegalStateException: x",
        "bash: npm: command not found",
    ],
)
def test_failures_of_the_common_tools_are_seen(line: str) -> None:
    log = "\n".join([line, *numbered(0, 100)])
    assert line in relevant_tail(log)


@pytest.mark.parametrize("line", ["12 passed, 0 failed", "no errors found", "0 failures"])
def test_a_summary_of_success_is_no_failure(line: str) -> None:
    assert failure_lines(line) == frozenset()


def test_escape_sequences_and_control_characters_are_gone() -> None:
    tail = relevant_tail("\x1b[31mFAILED\x1b[0m x\x07\r\n\x1b]0;title\x07MERGED \x1b[2J✓")
    assert tail == "FAILED x\nMERGED ✓"


def test_two_runs_of_one_failure_are_the_same_failure() -> None:
    one = "FAILED /tmp/a1/tests/test_a.py::test_x at 0x7f3a in 0.21s"
    other = "FAILED /tmp/b2/tests/test_a.py::test_x at 0x9e1c in 3.4 s"
    assert failure_lines(one) == failure_lines(other) != failure_lines("FAILED tests/test_b.py::test_y in 0.2s")


@given(st.text(max_size=3000), st.integers(0, 2000))
def test_it_never_grows_over_its_limit_nor_holds_what_the_log_does_not(log: str, limit: int) -> None:
    tail = relevant_tail(log, limit)
    assert len(tail) <= limit
    assert all(char in "\n\t" or unicodedata.category(char)[0] != "C" for char in tail)


@given(st.lists(st.sampled_from(["ok", "error: x", "FAILED y", "fine", ""]), max_size=60))
def test_the_order_of_the_log_is_kept(lines: list[str]) -> None:
    log = [f"{at:03} {line}".rstrip() for at, line in enumerate(lines)]
    kept = [line for line in relevant_tail("\n".join(log), 500).splitlines() if line != GAP]
    assert kept == sorted(kept)
    assert set(kept) <= set(log)


def test_a_gist_has_no_line_without_a_word_and_begins_with_a_whole_one() -> None:
    log = "\n".join(["x" * 400, "=======", "FAIL: test_add", "-------", "  ^^^^^", "AssertionError: -1 != 5"])
    assert gist(log, 100) == (GAP, "FAIL: test_add", "AssertionError: -1 != 5")
