"""Small files: those of people and other tools are read bounded, and the error names the file."""

from __future__ import annotations

import os
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


def private_once(path: Path, text: str) -> str:
    """The text of a file for its owner alone: `text`, where there was none before. Two makers agree on one.

    Raises OpsError, naming the file.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            fresh.touch(mode=0o600)
            fresh.write_text(text, encoding="utf-8")
            path.hardlink_to(fresh)  # whole or not at all, and never over another one
        except FileExistsError:
            pass
        finally:
            fresh.unlink(missing_ok=True)
        return path.read_text(encoding="utf-8")
    except OSError as bad:
        raise OpsError(f"{path} cannot be written: {bad.strerror or 'unknown reason'}.") from None
