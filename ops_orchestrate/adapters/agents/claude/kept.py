"""Sessions of Claude Code that are kept between two attempts of a task, so that the next one remembers the last.

A session is one file of the program's own. The agent could write what it liked into it: it is read as a plain file,
bounded, and only ever goes back into the sandbox of the same task.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from ops_orchestrate.adapters.scratch import read_inside
from ops_orchestrate.config import Settings
from ops_orchestrate.core.attempt import StageKey

_ENDING = ".jsonl"
#: Folders of sessions that the program may have made; it makes one.
_MOST_FOLDERS = 20


def sessions(settings: Settings) -> Path:
    """The folder of all kept sessions, one folder a run."""
    return settings.state_dir / "sessions"


def keep(box: Path, session: str, key: StageKey, settings: Settings) -> None:
    """Keep the session of an attempt that is over. Where it cannot be read, the next attempt begins anew."""
    data = _read(box / "claude" / "projects", session + _ENDING, int(settings.log_limit_mb * 1_000_000))
    place = _place(key, settings)
    with suppress(OSError):
        for old in place.glob(f"*{_ENDING}"):
            old.unlink()
        if data:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            (place / (session + _ENDING)).write_bytes(data)
            _prune(sessions(settings), settings.keep_transcripts)


def kept_session(key: StageKey, settings: Settings) -> tuple[str, dict[str, bytes]]:
    """The kept session of a task: its id, and the file that a new attempt's folder has to have.

    Nothing where none is kept on this host.
    """
    for file in _place(key, settings).glob(f"*{_ENDING}"):
        if _is_id(file.stem):
            with suppress(OSError):
                return file.stem, {f"claude/projects/kept/{file.name}": file.read_bytes()}
    return "", {}


class ClaudeSessions:
    """Implements ports.kept.KeptSessions."""

    def __init__(self, settings: Settings) -> None:
        self._folder = sessions(settings)

    def forget(self, *, known: Collection[str], before: float) -> int:
        """See ports.kept.KeptSessions. What cannot be removed is left for another day."""
        forgotten = 0
        for folder in self._folder.glob("*"):
            kept = list(folder.glob(f"*/*{_ENDING}"))
            with suppress(FileNotFoundError):  # an attempt that ends now takes it away itself
                if folder.name not in known and max((path.lstat().st_mtime for path in kept), default=0.0) < before:
                    shutil.rmtree(folder, ignore_errors=True)
                    forgotten += len(kept)
        return forgotten


def _place(key: StageKey, settings: Settings) -> Path:
    return sessions(settings) / key.run / key.task


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _read(projects: Path, name: str, limit: int) -> bytes | None:
    """The file of that name in one of the program's folders, followed through no link."""
    try:
        if projects.is_symlink() or projects.parent.is_symlink():
            return None
        folders = sorted(entry.name for entry in os.scandir(projects) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return None
    for folder in folders[:_MOST_FOLDERS]:
        with suppress(ValueError, OSError):
            data = read_inside(projects / folder, name, limit)
            if data:
                return data
    return None


def _prune(folder: Path, most: int) -> None:
    """Remove all but the newest. Others may do the same at the same time."""
    found = []
    for path in folder.glob(f"*/*/*{_ENDING}"):
        with suppress(FileNotFoundError):
            found.append((path.lstat().st_mtime, path))
    for _, path in sorted(found, reverse=True)[most:]:
        path.unlink(missing_ok=True)
        for parent in (path.parent, path.parent.parent):
            with suppress(OSError):  # others are kept there
                parent.rmdir()
