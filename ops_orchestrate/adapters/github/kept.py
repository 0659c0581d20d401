"""What the last audit saw of each repository, on the disk: the next command, or another worker, goes on from there.

It is never believed by itself. Every audit asks GitHub first whether the repository still looks the same; what does
not, or is old, is looked at anew. A file that is damaged, too large, or of another version counts as none, and one
that cannot be written costs a look the next time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import Field, ValidationError

from ops_orchestrate import __version__
from ops_orchestrate.core.forge_look import FailedRun, ForgeLook
from ops_orchestrate.core.merge.regression import WorkflowRun
from ops_orchestrate.core.value import Value

#: To be raised with every change of what is looked at; a new version of the package does it by itself.
FORMAT = 3
LONGEST_BELIEVED = 3 * 86400.0
"""Seconds after which a repository is looked at anew, whatever it looks like: a label's new name, or who is a member
now, may change nothing that is compared."""
LONGEST_KEPT = 7 * 86400.0
"""Seconds after which it is forgotten with its ETags."""
LARGEST = 4_000_000
"""Bytes of what is kept of one repository."""
ALL_OF_IT = 200_000_000
"""Bytes of the whole folder; beyond it the oldest files go."""


class RunsPage(Value):
    """One answer about workflow runs, and the ETag to ask after it with."""

    etag: str
    runs: tuple[WorkflowRun, ...]
    whole: bool
    """There are no more runs than these."""


class Lately(Value):
    """One answer about what was changed last in a repository, and the ETag to ask after it with."""

    etag: str
    digest: str
    newest: float
    """When the newest of it was changed, in seconds since 1970; 0: there is none."""


class Kept(Value):
    """What is known of one repository."""

    look: ForgeLook
    """Without its runs."""
    trace: str
    at: float
    """When GitHub was asked for the look, in seconds since 1970."""
    row: str = ""
    """A digest of its line in the list of repositories, as it was before the look or when that was confirmed."""
    lately: Lately | None = None
    """What was changed last, as it was then."""
    pages: dict[str, RunsPage] = Field(default_factory=dict)
    told: dict[str, FailedRun] = Field(default_factory=dict)
    """Red runs that were looked into, by run and attempt."""


class ListPage(Value):
    """One page of the list of repositories, and the ETag to ask after it with."""

    etag: str
    rows: dict[str, str]
    """A digest of each line, by the repository's name in lower case."""


class Listed(Value):
    """The list of repositories that one identity has rights on, as far as it was read."""

    pages: tuple[ListPage, ...]


class _File(Value):
    format: int
    version: str
    name: str
    kept: Kept | Listed


class Memory:
    """Keeps it by name. Safe to share between threads and processes; the last one to write wins."""

    def __init__(self, folder: Path | None, now: Callable[[], float] = time.time) -> None:
        """`folder`: None keeps it in this process only."""
        self._folder = folder
        self._now = now
        self._here: dict[str, Kept | Listed] = {}

    def get(self, name: str) -> Kept | None:
        """What is kept of a repository and is not too old to be of use; whether it may be believed says its `at`."""
        kept = self._found(name)
        return kept if isinstance(kept, Kept) and 0 <= self._now() - kept.at < LONGEST_KEPT else None

    def listed(self, name: str) -> Listed:
        """What is kept of a list of repositories."""
        kept = self._found(name)
        return kept if isinstance(kept, Listed) else Listed(pages=())

    def put(self, name: str, kept: Kept | Listed) -> None:
        """Keep it, in the place of what was there."""
        if self._folder is None:
            self._here[name] = kept
            return
        text = _File(format=FORMAT, version=__version__, name=name, kept=kept).model_dump_json().encode()
        if len(text) <= LARGEST:
            with contextlib.suppress(OSError):  # a full or closed disk costs a look the next time
                _write(self._file(name), text)

    def tidy(self) -> None:
        """Remove what nobody has renewed for long, and the oldest of what is too much."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            files = sorted(((one.stat(), one) for one in self._folder.iterdir()), key=lambda pair: -pair[0].st_mtime)
            size = 0
            for seen, file in files:
                size += seen.st_size
                if size > ALL_OF_IT or self._now() - seen.st_mtime > LONGEST_KEPT:
                    file.unlink(missing_ok=True)

    def _found(self, name: str) -> Kept | Listed | None:
        return self._here.get(name) if self._folder is None else self._read(self._file(name), name)

    def _file(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:40]}.json"

    @staticmethod
    def _read(file: Path, name: str) -> Kept | Listed | None:
        try:
            with file.open("rb") as opened:
                text = opened.read(LARGEST + 1)
            found = _File.model_validate_json(text if len(text) <= LARGEST else b"")
        except (OSError, ValidationError):
            return None
        ours = (found.format, found.version, found.name) == (FORMAT, __version__, name)
        return found.kept if ours else None


def _write(file: Path, text: bytes) -> None:
    """Whole or not at all, for the owner only. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f"{file.stem}.{os.getpid()}.{time.monotonic_ns()}.new")
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as opened:
            opened.write(text)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
