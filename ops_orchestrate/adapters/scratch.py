"""Folders that foreign code writes to: made fresh, and read without following its links."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ops_orchestrate.adapters.folders import remove


def fresh(folder: Path, *names: str) -> Path:
    """An empty `folder` with these sub-folders, ours alone; whatever was there is gone."""
    remove(folder)
    folder.mkdir(parents=True, mode=0o700)
    for name in names:
        (folder / name).mkdir(mode=0o700)
    return folder


def read_inside(folder: Path, name: str, limit: int) -> bytes | None:
    """A regular file directly in `folder`; None where there is none.

    Raises ValueError for a link, a pipe, a device, or more than `limit` bytes.
    """
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"its folder is not a folder any more: {error.strerror}") from error
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"it cannot be opened: {error.strerror}") from error
    finally:
        os.close(opened)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        if status.st_size > limit:
            raise ValueError(f"it has {status.st_size} bytes, more than {limit}")
        return os.read(file, limit)
    finally:
        os.close(file)
