"""Removes mirrors of repositories that nobody has worked on for long. One with work that is nowhere else stays."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from ops_orchestrate.adapters.filelock import file_lock
from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.adapters.git import Git, printable
from ops_orchestrate.adapters.mirrors import UPSTREAM
from ops_orchestrate.adapters.tidy import unmerged
from ops_orchestrate.errors import GitError

log = logging.getLogger("ops_orchestrate.git")

_GONE = ".gone"
#: A mirror that somebody works on is not worth waiting for.
_PATIENCE = 0.1


def drop_mirrors(git: Git, mirrors: Path, trees: Path, *, known: set[str], before: float) -> list[str]:
    """Remove mirrors of no `known` repository that nobody has written to since; the keys of those that are gone.

    Each has nothing of ours but what a branch of upstream holds, and no tree that borrows from it.
    """
    for left in mirrors.glob(f"*{_GONE}"):
        remove(left)
    return [
        mirror.stem
        for mirror in sorted(mirrors.glob("*.git"))
        if mirror.stem not in known and _written_at(mirror) < before and _drop(git, mirror, trees / mirror.stem)
    ]


def _drop(git: Git, mirror: Path, trees: Path) -> bool:
    try:
        with file_lock(mirror.with_suffix(".lock"), _PATIENCE):
            if _borrowed(mirror, trees) or _holds_more_than_upstream(git, mirror):
                return False
            gone = mirror.with_suffix(_GONE)
            mirror.rename(gone)
    except GitError as error:
        log.info("the mirror %s stays: %s", mirror.stem, error)
        return False
    remove(gone)
    return True


def _borrowed(mirror: Path, trees: Path) -> bool:
    return any(trees.glob("*")) or any((mirror / "worktrees").glob("*"))


def _holds_more_than_upstream(git: Git, mirror: Path) -> bool:
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", UPSTREAM, repo=mirror)
    pairs = (line.split(" ", 1) for line in printable(listed.out).splitlines())
    branches = {ref.removeprefix(UPSTREAM): commit for commit, ref in pairs if ref != f"{UPSTREAM}HEAD"}
    return unmerged(git, mirror, branches)


def _written_at(mirror: Path) -> float:
    """When a ref or an object last came in, by this machine's clock."""
    return max((place.stat().st_mtime for place in _places(mirror)), default=0.0)


def _places(mirror: Path) -> Iterator[Path]:
    yield mirror
    for name in ("objects", "objects/pack", "refs", "packed-refs"):
        if (mirror / name).exists():
            yield mirror / name
    for folder in (mirror / "refs").rglob("*"):
        if folder.is_dir():
            yield folder
