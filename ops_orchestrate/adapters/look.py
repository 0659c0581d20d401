"""A look at the user's own checkout: one `git status`, a few files of its git folder, and nothing written.

No fetch, no lock, no index refresh. Submodules are looked at from outside only: git would run commands in
them. What cannot be read is a GitError, never a clean state.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ops_orchestrate.adapters.git import Git, printable
from ops_orchestrate.core.change import WorkState
from ops_orchestrate.errors import GitError

_ONGOING = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}
_SPARSE = re.compile(r"^\s*sparsecheckout\s*=\s*(true|yes|on|1)\s*$", re.IGNORECASE | re.MULTILINE)
_HONOURED = r"^(safe\.directory|core\.excludesfile)$"
_FILTERING = re.compile(rb"filter|include", re.IGNORECASE)
_FILTERS = r"^filter\..*\.(clean|smudge|process|required)$"
_SMALL = 1_000_000


class Looker:
    """Looks at checkouts. Remembers the two settings of the user's that a look honours."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._users: tuple[str, ...] | None = None

    def look(self, path: Path) -> WorkState:
        """The checkout (or bare repository) at `path` as it stands. Raises GitError."""
        if not path.exists():
            # Registries name the checkouts of one machine; on any other one only they are missing, not the project.
            unknown = f"{path} is not on this machine, so what is uncommitted or unpushed there is not known"
            return WorkState(path=str(path), notes=(unknown,))
        folder = _git_folder(path)
        if folder is None:
            raise GitError(f"{path} is not a git repository")
        if folder == path:
            return self._bare(path)
        answer = self._status(path, folder)
        facts, uncommitted = _read_status(answer)
        head = facts.get("branch.oid", "(initial)")
        branch = facts.get("branch.head", "(detached)")
        return WorkState(
            path=str(path),
            branch=None if branch == "(detached)" else branch,
            head=None if head == "(initial)" else head,
            uncommitted=uncommitted,
            unpushed=self._unpushed(path, facts, head),
            stash=int(facts.get("stash", "0")),
            ongoing=next((name for file, name in _ONGOING.items() if (folder / file).exists()), ""),
            notes=tuple(_notes(path, folder)),
        )

    def _status(self, path: Path, folder: Path) -> bytes:
        try:
            answer = self._run(
                path,
                *("status", "--porcelain=v2", "--branch", "--show-stash", "-z"),
                *("--untracked-files=normal", "--no-renames", "--ignore-submodules=dirty"),
                env=self._without_filters(path, folder),
            )
        except GitError as error:
            if "dubious ownership" in str(error):
                raise GitError(
                    f"{path} belongs to another user, so git will not read it; if you trust it: "
                    f"git config --global --add safe.directory {path}"
                ) from None
            raise
        return answer

    def _bare(self, path: Path) -> WorkState:
        branch = self._run(path, "symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1))
        head = self._run(path, "rev-parse", "--verify", "--quiet", "HEAD", ok=(0, 1))
        return WorkState(
            path=str(path),
            branch=printable(branch).strip() or None,
            head=printable(head).strip() or None,
            notes=("bare: nobody works in it", *_notes(path, path)),
        )

    def _unpushed(self, path: Path, facts: dict[str, str], head: str) -> int:
        if "branch.ab" in facts:
            return int(facts["branch.ab"].split()[0])
        # No upstream branch, or it is gone: what no remote has. Without a remote there is nowhere to push to.
        remotes = self._run(path, "config", "--get-regexp", r"^remote\..*\.url$", ok=(0, 1))
        if head == "(initial)" or not remotes:
            return 0
        return int(self._run(path, "rev-list", "--count", "HEAD", "--not", "--remotes"))

    def _without_filters(self, path: Path, folder: Path) -> dict[str, str]:
        """Variables that switch off the repository's own filters: programs that git would run on changed files.

        As variables, because a filter's name may hold a `=`. A changed file counts as changed all the same.
        """
        if _names_no_filter(path, folder):
            return {}
        listed = self._run(path, "config", "--null", "--name-only", "--get-regexp", _FILTERS, ok=(0, 1))
        names = list(dict.fromkeys(printable(name) for name in listed.split(b"\0") if name))
        env = {"GIT_CONFIG_COUNT": str(len(names))}
        for number, name in enumerate(names):
            env[f"GIT_CONFIG_KEY_{number}"] = name
            env[f"GIT_CONFIG_VALUE_{number}"] = "false" if name.endswith(".required") else ""
        return env

    def _run(self, path: Path, *args: str, ok: tuple[int, ...] = (0,), env: Mapping[str, str] | None = None) -> bytes:
        # The ceiling keeps a folder without a repository from being taken for the one above it; and what a partial
        # clone lacks is not fetched, by a program that its own configuration names.
        surroundings = {"GIT_CEILING_DIRECTORIES": str(path.parent), "GIT_NO_LAZY_FETCH": "1", **(env or {})}
        return self._git.run(*args, at=path, options=self._user_settings(), env=surroundings, ok=ok).out

    def _user_settings(self) -> tuple[str, ...]:
        """What the user calls ignored and trusted: without them every look would be wrong for them."""
        if self._users is None:
            found = self._git.run(
                *("config", "--global", "--includes", "--null", "--get-regexp", _HONOURED),
                ok=(0, 1, 128),
                network=True,
            )
            pairs = (printable(item).partition("\n") for item in found.items)
            self._users = tuple(f"{key}={value}" for key, _, value in pairs)
        return self._users


def _names_no_filter(path: Path, folder: Path) -> bool:
    """Whether it is certain that the repository's own configuration sets up no filter, so that git need not be asked.

    Certain is it only where git reads the very files that are read here (no linked worktree, no second repository in
    the same folder), and these hold neither the word nor the name of another file that might.
    """
    if folder != path / ".git" or any(os.path.lexists(one) for one in (path / "HEAD", folder / "commondir")):
        return False
    configuration = [one for one in (folder / "config", folder / "config.worktree") if os.path.lexists(one)]
    try:
        plain = all(one.is_file() and one.stat().st_size <= _SMALL for one in configuration)
        return plain and not any(_FILTERING.search(one.read_bytes()) for one in configuration)
    except OSError:
        return False


def _read_status(out: bytes) -> tuple[dict[str, str], int]:
    facts: dict[str, str] = {}
    uncommitted = 0
    for item in out.split(b"\0"):
        if item.startswith(b"# "):
            name, _, value = printable(item[2:]).partition(" ")
            facts[name] = value
        elif item:
            uncommitted += 1  # one part an entry: renames, which have two, are off
    return facts, uncommitted


def _git_folder(path: Path) -> Path | None:
    dot = path / ".git"
    if dot.is_dir():
        return dot
    if dot.is_file():
        return path / _read(dot).removeprefix("gitdir:").strip()
    bare = (path / "HEAD").is_file() and (path / "objects").is_dir()
    return path if bare else None


def _notes(path: Path, folder: Path) -> Iterator[str]:
    common = folder / (_read(folder / "commondir").strip() or ".")
    if (folder / "index.lock").exists():
        yield "index.lock: a git command is at work there, or one has died"
    if (common / "shallow").exists():
        yield "shallow: its history is cut off"
    if _SPARSE.search(_read(common / "config") + _read(folder / "config.worktree")):
        yield "sparse: not all files are checked out"
    if (path / ".gitmodules").is_file():
        yield "submodules: changes inside them are not counted"


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return printable(file.read(_SMALL))
    except OSError:
        return ""
