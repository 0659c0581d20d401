"""Finds the git repositories under some folders, for `ops-orchestrate init`. Reads only, follows no links.

Worktrees and submodules belong to a repository that is found anyway; a second checkout of one is listed once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ops_orchestrate.adapters.gitplace import GitPlace, Probe
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.proposal import READ, Candidate, Proposal, propose_gate, unique_aliases
from ops_orchestrate.core.remote import on_another_github, read_remote, remote_name
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import GitError, UsageError

MAX_DEPTH = 5
PASSED_OVER = frozenset(
    {"node_modules", ".venv", "venv", "__pycache__", "dist", "build", "target", "vendor", "site-packages"}
    | {".worktrees", ".cache", ".git", ".tox", ".terraform", ".cargo", ".rustup", ".npm", "Library"}
)
_NAMES_LIMIT = 5_000
_TEXT_LIMIT = 500_000


class Discovered(Value):
    """What is under the folders."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...] = ()


def discover(folders: Sequence[Path], probe: Probe, *, depth: int = MAX_DEPTH, github: str = "") -> Discovered:
    """Every repository under `folders`, `depth` levels deep, with a gate proposed for each.

    `github`: the host of a GitHub Enterprise server, whose remotes show their `owner/name`.

    Raises UsageError where one of the folders is not there.
    """
    found: dict[str, Candidate] = {}
    skipped: list[Skipped] = []
    for folder in folders:
        real = Path(os.path.realpath(folder.expanduser()))
        if not real.is_dir():
            raise UsageError(f"{folder} is not a folder.")
        for path in _repositories(real, depth):
            _take(path, probe, github, found, skipped)
    return Discovered(candidates=unique_aliases(list(found.values())), skipped=tuple(skipped))


def _take(path: Path, probe: Probe, github: str, found: dict[str, Candidate], skipped: list[Skipped]) -> None:
    try:
        place = probe(path)
    except GitError as bad:
        skipped.append(Skipped(name=str(path), reason=str(bad)))
        return
    reason = _reason(path, place)
    if place is None or reason:
        skipped.append(Skipped(name=str(path), reason=reason))
        return
    remote = next((one for url in place.remotes.values() if (one := read_remote(url, github=github))), None)
    if remote and (elsewhere := on_another_github(remote, github)):
        skipped.append(Skipped(name=str(path), reason=elsewhere))
        return
    identity = remote.identity if remote and not remote.local else place.common_dir
    if identity in found:
        first = found[identity].path
        if first != str(path):
            skipped.append(Skipped(name=str(path), reason=f"another checkout of {first}"))
        return
    found[identity] = Candidate(
        alias=remote_name(remote.identity) if remote and not remote.local else path.name,
        path=str(path),
        slug=remote.slug if remote else None,
        proposal=gate_for(path),
        planning=(path / ".planning").is_dir(),
    )


def _reason(path: Path, place: GitPlace | None) -> str:
    """Why a folder with a `.git` is not listed; empty where it is."""
    if place is None:
        return "git does not know it as a repository"
    if place.bare:
        return "a bare repository has no checkout to work from"
    if Path(place.main_checkout) != path:
        return f"a worktree of {place.main_checkout}"
    if "/.git/modules/" in place.common_dir:
        return "a submodule"
    return ""


def gate_for(path: Path) -> Proposal | None:
    """The gate that the files of a checkout suggest."""
    names = list(_names(path))
    texts = {}
    for name in READ:
        if name in names:
            with suppress(OSError):
                texts[name] = _text(path / name)
    return propose_gate(names, texts)


def _repositories(folder: Path, depth: int) -> Iterator[Path]:
    """Folders that hold a `.git`, from the top down, in order of their names."""
    inside, below = False, []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                inside = inside or entry.name == ".git"
                if entry.is_dir(follow_symlinks=False) and entry.name not in PASSED_OVER:
                    below.append(entry.name)
    except OSError:
        return  # a folder that may not be read holds nothing of ours
    if inside:
        yield folder
    if depth > 0:
        for name in sorted(below):
            yield from _repositories(folder / name, depth - 1)


def _names(path: Path) -> Iterator[str]:
    """Relative names of what is in a checkout, two levels deep; links are not followed."""
    count = 0
    with suppress(OSError):
        for entry in sorted(os.scandir(path), key=lambda one: one.name):
            yield entry.name
            if entry.name in PASSED_OVER or not entry.is_dir(follow_symlinks=False):
                continue
            with suppress(OSError):
                for below in os.scandir(entry.path):
                    count += 1
                    if count > _NAMES_LIMIT:
                        return
                    yield f"{entry.name}/{below.name}"


def _text(path: Path) -> str:
    """The beginning of a regular file; nothing of a link, which may lead anywhere."""
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(_TEXT_LIMIT).decode("utf-8", "replace")
