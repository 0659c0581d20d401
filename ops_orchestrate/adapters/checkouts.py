"""Fresh worktrees of a mirror at one commit: where gates run. Gone afterwards, also after a power cut.

Each has a lock file that its process holds. A lock that is free belongs to a dead process, and what that left
is removed by whoever comes next.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from ops_orchestrate.adapters.filelock import file_lock, opened, try_lock
from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.adapters.git import Git, object_id
from ops_orchestrate.adapters.mirrors import Mirrors
from ops_orchestrate.core.project import Repository

_HELD = ".held"
_PATIENCE = 60.0


class Checkouts:
    """All checkouts below one folder."""

    def __init__(self, folder: Path, git: Git, mirrors: Mirrors) -> None:
        self._folder = folder
        self._git = git
        self._mirrors = mirrors

    @contextlib.contextmanager
    def checkout(self, repo: Repository, commit: str) -> Iterator[Path]:
        """A worktree at `commit`, detached. Raises GitError."""
        mirror = self._mirrors.ready(repo)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = self._folder / f"{repo.key}-{secrets.token_hex(6)}"
        held = place.with_name(place.name + _HELD)
        with contextlib.ExitStack() as stack:
            with file_lock(self._folder / ".lock", _PATIENCE):
                self._sweep()
                fd = stack.enter_context(opened(held))
                try_lock(fd)
            stack.callback(self._remove, repo, place, held)
            with self._mirrors.lock(repo):
                _forget_gone(mirror)
                self._git.run(
                    *("worktree", "add", "--quiet", "--detach", "--", place, object_id(commit)),
                    repo=mirror,
                    slow=True,
                )
            yield place

    def _remove(self, repo: Repository, place: Path, held: Path) -> None:
        # By hand, not by `git worktree remove`: the gate may have rewritten the worktree's own git file.
        remove(place)
        with self._mirrors.lock(repo):
            _forget_gone(self._mirrors.existing(repo))
        held.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what dead processes have left; its metadata goes with the mirror's next checkout."""
        for held in self._folder.glob(f"*{_HELD}"):
            with opened(held) as fd:
                if try_lock(fd):
                    remove(held.with_name(held.name.removesuffix(_HELD)))
                    held.unlink(missing_ok=True)
        for place in self._folder.iterdir():
            if place.is_dir() and not place.with_name(place.name + _HELD).exists():
                remove(place)


def _forget_gone(mirror: Path) -> None:
    """Remove the metadata of worktrees that are gone, even the half-made ones that git's own prune keeps."""
    for metadata in (mirror / "worktrees").glob("*"):
        try:
            place = Path((metadata / "gitdir").read_text().strip()).parent
        except OSError:
            remove(metadata)
            continue
        if not place.is_dir():
            remove(metadata)
