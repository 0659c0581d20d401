"""Trees for attempts: a private clone for one agent, which borrows its objects from the mirror.

Beside each tree `X` stand `X.json` (whose it is, so that what a dead run left is known) and `X.scratch` (the
agent's own folder for its report and temporary files). Nothing in a clone points at an upstream. In a large
repository a spare tree that nobody has worked in yet (spares.py) takes the place of a new clone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ops_orchestrate.adapters.borrowing import borrow
from ops_orchestrate.adapters.filelock import opened, try_lock
from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.adapters.git import Git, object_id
from ops_orchestrate.adapters.mirrors import Mirrors
from ops_orchestrate.adapters.spares import Spares, is_large
from ops_orchestrate.config import Settings
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.names import is_name, is_run_id, one_line
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import GitError

_LARGEST_CARD = 100_000


@dataclass(slots=True)
class Tree:
    """Where an agent works; see ports.AgentTree."""

    path: str
    scratch: str
    branch: str
    base: str
    objects: tuple[str, ...]


class Card(Value):
    """What stands in `X.json`."""

    repo: str
    key: StageKey
    base: str


class Trees:
    """All trees below one folder."""

    def __init__(self, folder: Path, settings: Settings, git: Git, mirrors: Mirrors) -> None:
        self._folder = folder
        self._settings = settings
        self._git = git
        self._mirrors = mirrors
        self.spares = Spares(folder)

    def place(self, repo: Repository, key: StageKey) -> Path:
        """Where the attempt's tree is, or will be. Raises GitError for names that are no folder's name."""
        if not (is_name(key.task) and is_run_id(key.run) and is_name(repo.key)):
            raise GitError(f"{one_line(f'{repo.key}, {key.run}, {key.task}', 150)!r}: not usable as names of folders")
        return self._folder / repo.key / attempt_name(key)

    def card(self, repo: Repository, key: StageKey) -> Card | None:
        """What is written beside the attempt's tree."""
        return _read_card(_card_path(self.place(repo, key)))

    @contextmanager
    def hold(self, repo: Repository, key: StageKey) -> Iterator[bool]:
        """Keep everybody else on this host from the attempt's tree; False where somebody has it.

        The kernel gives it back when its holder dies. The lock's file goes with the tree.
        """
        place = self.place(repo, key)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = place.with_name(f".{place.name}.lock")
        with opened(lock) as fd:
            mine = try_lock(fd) and _is_at(lock, fd)
            try:
                yield mine
            finally:
                if mine and not _card_path(place).exists():
                    lock.unlink(missing_ok=True)

    def prepare(self, repo: Repository, key: StageKey, base: str) -> Tree:
        """Make the clone. There must be none yet. Raises GitError, SourceUnavailable."""
        mirror = self._mirrors.ready(repo)
        place, branch = self.place(repo, key), branch_of(key)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = place.with_name(f".{place.name}.new")
        remove(fresh)
        _write_card(_card_path(place), Card(repo=repo.key, key=key, base=object_id(base)))
        if not self._warm(repo, mirror, fresh, branch, base):
            self._fill(mirror, fresh, branch, base)
        scratch = _scratch(place)
        remove(scratch)
        scratch.mkdir(mode=0o700)
        fresh.rename(place)  # a tree is whole or not there
        if self._spared and is_large(place / ".git"):
            self.spares.renew(repo.key, lambda spare: self._spare(mirror, spare, base))
        return Tree(str(place), str(scratch), branch, base, (str(mirror / "objects"),))

    def discard(self, repo: Repository, key: StageKey) -> None:
        """Remove the tree and what stands beside it."""
        place = self.place(repo, key)
        for path in (place, place.with_name(f".{place.name}.new"), _scratch(place), work_folder(place)):
            remove(path)
        _card_path(place).unlink(missing_ok=True)

    def set_aside(self, repo: Repository, key: StageKey, kept: Path) -> Path:
        """Move the tree and what stands beside it out of the way, for a person; where it is now."""
        place = self.place(repo, key)
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        name, count = f"{repo.key}-{place.name}", 1
        while (kept / name).exists():
            count += 1
            name = f"{repo.key}-{place.name}-{count}"
        for path, target in (
            (place, name),
            (_scratch(place), f"{name}.scratch"),
            (_card_path(place), f"{name}.json"),
        ):
            if os.path.lexists(path):
                path.rename(kept / target)
        return kept / name

    def leftovers(self) -> Iterator[tuple[str, StageKey]]:
        """(repository key, attempt) of every tree on this host."""
        for path in sorted(self._folder.glob("*/*.json")):
            card = _read_card(path)
            if card and path.name == f"{attempt_name(card.key)}.json" and path.parent.name == card.repo:
                yield card.repo, card.key

    @property
    def folder(self) -> Path:
        """Where they all are, by repository."""
        return self._folder

    @property
    def _spared(self) -> bool:
        """Whether spares are kept. Without a sandbox an agent could write into them."""
        return self._settings.spare_trees and not self._settings.unsandboxed_ok

    def _warm(self, repo: Repository, mirror: Path, fresh: Path, branch: str, base: str) -> bool:
        """The spare tree at `fresh`, with what `base` has otherwise; False where there is none that can be used."""
        if not (self._spared and self.spares.take(repo.key, fresh, self._config())):
            return False
        folder = fresh / ".git"
        try:
            borrow(folder, mirror)
            self._git.run("symbolic-ref", "HEAD", f"refs/heads/{branch}", repo=folder)
            self._check_out(fresh, branch, base)
        except GitError:
            remove(fresh)  # a new clone says what is wrong, if anything is
            return False
        return True

    def _spare(self, mirror: Path, fresh: Path, base: str) -> None:
        """A clone without any branch, but with every file of `base` written."""
        self._init(mirror, fresh, "spare", base)
        self._git.run("read-tree", "--reset", "-u", base, repo=fresh / ".git", tree=fresh, slow=True)

    def _fill(self, mirror: Path, fresh: Path, branch: str, base: str) -> None:
        """A new clone at `fresh`, with the branch at `base` checked out and every file of it written."""
        self._init(mirror, fresh, branch, base)
        self._check_out(fresh, branch, base)

    def _check_out(self, fresh: Path, branch: str, base: str) -> None:
        """The branch at `base`, and what is not so yet written as `base` has it."""
        folder = fresh / ".git"
        self._git.run("update-ref", f"refs/heads/{branch}", object_id(base), repo=folder)
        self._git.run("read-tree", "--reset", "-u", base, repo=folder, tree=fresh, slow=True)

    def _init(self, mirror: Path, fresh: Path, branch: str, base: str) -> None:
        form = "sha256" if len(base) == 64 else "sha1"
        self._git.run(
            *(
                "init",
                "--quiet",
                "--template=",
                f"--object-format={form}",
                f"--initial-branch={branch}",
                "--",
                fresh,
            )
        )
        folder = fresh / ".git"
        borrow(folder, mirror)
        with (folder / "config").open("a") as config:
            config.write(self._config())

    def _config(self) -> str:
        name, email = (_quoted(text) for text in (self._settings.git_name, self._settings.git_email))
        return (
            f"[user]\n\tname = {name}\n\temail = {email}\n[commit]\n\tgpgSign = false\n"
            "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[core]\n\tlogAllRefUpdates = true\n"
        )


def attempt_name(key: StageKey) -> str:
    """The attempt as one name."""
    return f"{key.task}-a{key.attempt}-f{key.fence}"


def branch_of(key: StageKey) -> str:
    """The branch that the attempt works on."""
    return f"ops/{key.task}/a{key.attempt}-f{key.fence}"


def work_folder(place: Path) -> Path:
    """Where the orchestrator puts its own temporary files about a tree."""
    return place.with_name(f".{place.name}.work")


def _scratch(place: Path) -> Path:
    return place.with_name(f"{place.name}.scratch")


def _card_path(place: Path) -> Path:
    return place.with_name(f"{place.name}.json")


def _write_card(path: Path, card: Card) -> None:
    fresh = path.with_suffix(".json.new")
    fresh.write_text(card.model_dump_json())
    fresh.replace(path)


def _is_at(path: Path, fd: int) -> bool:
    """Whether the open file is still the one at `path`: its last holder may have removed it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False


def _read_card(path: Path) -> Card | None:
    try:
        with path.open("rb") as file:
            return Card.model_validate(json.loads(file.read(_LARGEST_CARD)))
    except (OSError, ValueError, ValidationError):  # cut off by a power cut, or not ours
        return None


def _quoted(text: str) -> str:
    plain = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
