"""Logging of worker processes: one line a record, on standard error, with the run, task and attempt it is about.

Text from outside is made one harmless line. As `json`, each record is one object, for whatever collects logs.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from ops_orchestrate.core.names import clean_text, one_line

Style = Literal["text", "json"]

Facts = dict[str, str | int]

_ABOUT: ContextVar[Facts | None] = ContextVar("about", default=None)
_LONGEST = 2000
_LONGEST_TRACE = 20_000
#: Begins every line of a traceback: what an exception says may look like a record of its own.
_BAR = "  | "


@contextmanager
def about(**what: str | int) -> Iterator[None]:
    """Records of the block (of this thread) say what they are about: `run`, `task`, `attempt`; empty words say none."""
    known = {name: value for name, value in what.items() if value != ""}
    token = _ABOUT.set({**(_ABOUT.get() or {}), **known})
    try:
        yield
    finally:
        _ABOUT.reset(token)


class OneLine(logging.Formatter):
    """Time, level, logger, message, and what it is about; a traceback follows on lines of its own, behind a bar."""

    def __init__(self, host: str = "") -> None:
        super().__init__()
        self._host = host

    def format(self, record: logging.LogRecord) -> str:
        """The record as text; nothing in its message or its exception can forge another record."""
        stamp = self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z")
        line = f"{stamp} {record.levelname.lower()} {record.name} {one_line(record.getMessage(), _LONGEST)}"
        line += "".join(f" {name}={one_line(str(value), 200)}" for name, value in _facts(self._host).items())
        if record.exc_info:
            line += "".join(f"\n{_BAR}{one}" for one in _trace(self, record.exc_info).splitlines())
        return line


class OneObject(logging.Formatter):
    """The same as a JSON object on one line."""

    def __init__(self, host: str = "") -> None:
        super().__init__()
        self._host = host

    def format(self, record: logging.LogRecord) -> str:
        """`at` is seconds since 1970; `trace` is there where an exception was logged."""
        told = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": one_line(record.getMessage(), _LONGEST),
            **_facts(self._host),
        }
        if record.exc_info:
            told["trace"] = _trace(self, record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def configure(level: str, style: Style = "text", host: str = "") -> None:
    """Send everything to standard error from `level` on; the libraries' own loggers from warning on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneObject(host) if style == "json" else OneLine(host))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("celery", "kombu", "amqp", "httpx", "httpcore", "hishel", "stamina"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))


def _trace(formatter: logging.Formatter, error: Any) -> str:
    """The traceback, its newest lines: an exception's text may come from outside."""
    return clean_text(formatter.formatException(error)[-_LONGEST_TRACE:], _LONGEST_TRACE)


def _facts(host: str) -> Facts:
    return {**(_ABOUT.get() or {}), **({"host": host} if host else {})}
