"""Reads the file of `--tasks`. What may be in it is in core/requested.py and docs/tasks-file.md."""

from __future__ import annotations

from pathlib import Path

from ops_orchestrate.adapters.textfile import read_bytes
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.requested import LIMIT, TasksFile, parse_tasks
from ops_orchestrate.errors import TasksFileError


def load_tasks(path: Path, portfolio: Portfolio) -> TasksFile:
    """The tasks of a file, checked against what the run works on. Raises TasksFileError."""
    return parse_tasks(read_bytes(path, LIMIT, TasksFileError), origin=str(path), portfolio=portfolio)
