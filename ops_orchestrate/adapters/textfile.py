"""Reads small files that people and other tools have written: bounded, the error names the file."""

from __future__ import annotations

from pathlib import Path

from ops_orchestrate.errors import OpsError


def read_bytes(path: Path, limit: int, error: type[OpsError]) -> bytes:
    """At most `limit` bytes and one more, by which the caller sees that there were too many.

    Raises `error`, naming the file, where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        raise error(f"{path} does not exist.") from None
    except OSError as bad:
        raise error(f"{path} cannot be read: {bad.strerror or 'unknown reason'}.") from None


def read_if_there(path: Path, limit: int, error: type[OpsError]) -> bytes | None:
    """As `read_bytes`, and None where there is no such file."""
    return read_bytes(path, limit, error) if path.exists() else None
