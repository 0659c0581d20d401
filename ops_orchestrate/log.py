"""Logging of worker processes: one line a record, on standard error. Text from outside is made one harmless line."""

from __future__ import annotations

import logging
import sys

from ops_orchestrate.core.names import one_line


class OneLine(logging.Formatter):
    """Time, level, logger, message; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text; control characters of its message can't forge another record."""
        stamp = self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z")
        line = f"{stamp} {record.levelname.lower()} {record.name} {one_line(record.getMessage(), 2000)}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


def configure(level: str) -> None:
    """Send everything to standard error from `level` on; the libraries' own loggers from warning on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("celery", "kombu", "amqp", "httpx", "httpcore", "hishel", "stamina"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
