"""What a worker logs: one line a record, which says what it is about, whatever was logged."""

from __future__ import annotations

import json
import logging
import threading

import pytest

from ops_orchestrate.log import OneLine, OneObject, about

HOSTILE = "a\n2026-01-01T00:00:00+0000 error forged\x1b[31m"


def record(message: str, *, failed: str = "") -> logging.LogRecord:
    error = None
    if failed:
        try:
            raise ValueError(failed)
        except ValueError as problem:
            error = (ValueError, problem, problem.__traceback__)
    return logging.LogRecord("ops_orchestrate.job", logging.WARNING, __file__, 1, message, None, error)


def test_a_line_says_what_it_is_about_and_nothing_after_the_block() -> None:
    line = OneLine("host-1")
    with about(run="r1", task="fix-auth", attempt=2):
        assert line.format(record("late")).endswith("late run=r1 task=fix-auth attempt=2 host=host-1")
        with about(task="other"):
            assert " task=other " in line.format(record("late"))
        assert " task=fix-auth " in line.format(record("late"))
    assert line.format(record("late")).endswith(" ops_orchestrate.job late host=host-1")


def test_another_thread_is_about_something_else() -> None:
    said: list[str] = []
    with about(run="r1"):
        thread = threading.Thread(target=lambda: said.append(OneLine().format(record("x"))))
        thread.start()
        thread.join(60)
    assert "run=" not in said[0]


@pytest.mark.parametrize("formatter", [OneLine("h"), OneObject("h")])
def test_no_message_forges_a_second_record(formatter: logging.Formatter) -> None:
    with about(run=HOSTILE, task=HOSTILE):
        said = formatter.format(record(HOSTILE))
    assert "\n" not in said
    assert "\x1b" not in said


def test_no_exception_forges_a_second_record() -> None:
    first, *trace = OneLine("h").format(record("failed", failed=HOSTILE)).split("\n")
    assert first.endswith(" ops_orchestrate.job failed host=h")
    assert any("error forged" in line for line in trace), "what it says is there"
    assert all(line.startswith("  | ") and line.isprintable() for line in trace)
    assert "\x1b" not in json.loads(OneObject("h").format(record("failed", failed=HOSTILE)))["trace"]


def test_an_object_has_the_same_facts_and_the_whole_trace() -> None:
    with about(run="r1", task="fix-auth", attempt=2):
        told = json.loads(OneObject("host-1").format(record("failed", failed="no")))
    assert told.pop("at") > 0
    assert "ValueError: no" in told.pop("trace")
    assert told == {
        "level": "warning",
        "logger": "ops_orchestrate.job",
        "message": "failed",
        "run": "r1",
        "task": "fix-auth",
        "attempt": 2,
        "host": "host-1",
    }
