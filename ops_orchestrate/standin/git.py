"""The stand-in's only file that starts processes: git on bare repositories, and `git http-backend` for clients.

Nothing here is ever pointed at a checkout or at a repository of the owner's: only at bare ones of its own folder,
with an environment of its own. Merges are git's own (`merge-tree --write-tree`), refs move by compare-and-set only.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
ZERO = "0" * 40
#: Seconds after which a git counts as stuck: the world is locked while one works, and nobody else could say so.
_STUCK = 120
_SHA = re.compile(r"[0-9a-f]{40}")
_BETWEEN = re.compile(r"[\s\0]")
_CONFIG = "[http]\n\treceivepack = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n"
_ENV = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",  # a file may be called `[id].tsx`
    "GIT_AUTHOR_NAME": "GitHub",
    "GIT_AUTHOR_EMAIL": "noreply@github.com",
    "GIT_COMMITTER_NAME": "GitHub",
    "GIT_COMMITTER_EMAIL": "noreply@github.com",
    "LC_ALL": "C",
}


class GitFailed(Exception):
    """git ended with another exit code than the caller can use; the text is its last words."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as git stores it; dates in ISO 8601."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """One file of a diff between two trees."""

    path: str
    previous: str
    status: str
    blob: str
    additions: int
    deletions: int


class Bare:
    """One bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits: dict[str, Commit] = {}
        self._kept: dict[tuple[str, str, str], Any] = {}
        """Answers about two commits: they can never change."""

    def git(
        self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, ok: Sequence[int] = (0,)
    ) -> str:
        """Run git here; its output. Raises GitFailed for an exit code that is not in `ok`."""
        return self._run(args, stdin, env, ok)[1].decode("utf-8", errors="replace")

    def _run(
        self, args: Sequence[str], stdin: bytes, env: Mapping[str, str] | None, ok: Sequence[int]
    ) -> tuple[int, bytes]:
        argv = ["git", "-c", "safe.directory=*", "-c", "core.quotePath=false", "--git-dir", str(self.path), *args]
        full = {**_ENV, **(env or {})}
        done = subprocess.run(argv, input=stdin, capture_output=True, env=full, check=False, timeout=_STUCK)
        if done.returncode not in ok:
            raise GitFailed(f"git {args[0]}: {done.stderr.decode(errors='replace').strip()[-500:]}")
        return done.returncode, done.stdout

    def create(self, source: Path | None = None, default: str = "main") -> None:
        """Make it: empty, or with the branches and tags of another repository (bare or not)."""
        self.git("init", "-q", "--bare", "--template=", "-b", default)
        with (self.path / "config").open("a", encoding="utf-8") as config:
            config.write(_CONFIG)
        if source is not None:
            self.git("fetch", "-q", str(source), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")

    def refs(self) -> dict[str, str]:
        """Every ref and what it points to."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def move(self, ref: str, new: str, old: str) -> bool:
        """Set a ref if it still is at `old` (ZERO: does not exist; new ZERO: delete). False where it is not."""
        if _BETWEEN.search(ref):  # would be read as more than one word, or more than one command
            return False
        command = f"delete {ref} {old}\n" if new == ZERO else f"update {ref} {new} {old}\n"
        try:
            self.git("update-ref", "--stdin", stdin=command.encode())
        except GitFailed:
            return False
        return True

    def commit(self, sha: str) -> Commit:
        """Read a commit. Raises GitFailed where there is none."""
        if sha not in self._commits:
            shape = "%H%n%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B"
            text = self.git("show", "-s", f"--format={shape}", f"{sha}^{{commit}}", "--")
            full, tree, parents, an, ae, ad, cn, ce, cd, *body = text.split("\n")
            message = "\n".join(body).rstrip("\n")
            self._commits[full] = Commit(full, tree, tuple(parents.split()), (an, ae, ad), (cn, ce, cd), message)
            sha = full
        return self._commits[sha]

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, tag, ref or SHA names, or None."""
        if name in self._commits:
            return name
        exact = _SHA.fullmatch(name) is not None
        for full in (name,) if exact else (f"refs/heads/{name}", f"refs/tags/{name}", name):
            found = self.git("rev-parse", "-q", "--verify", "--end-of-options", f"{full}^{{commit}}", ok=(0, 1, 128))
            if found.strip():
                return found.strip()
        return None

    def merge_base(self, one: str, two: str) -> str | None:
        """The best common ancestor, or None."""
        return self._once("merge-base", one, two, lambda: self.git("merge-base", one, two, ok=(0, 1)).strip() or None)

    def _once(self, what: str, one: str, two: str, ask: Callable[[], T]) -> T:
        key = (what, one, two)
        if key not in self._kept:
            self._kept[key] = ask()
        answer: T = self._kept[key]
        return answer

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` contains `old`."""
        command = ["merge-base", "--is-ancestor", old, new]
        return self._once("contains", old, new, lambda: self._run(command, b"", None, (0, 1, 128))[0] == 0)

    def messages(self, old: str, new: str) -> list[str]:
        """What the commits of `new` say that `old` has not, oldest first."""
        return self.git("log", "--reverse", "--format=%B%x00", f"{old}..{new}").split("\0")

    def between(self, old: str, new: str) -> list[str]:
        """Commits of `new` that `old` has not, oldest first."""
        command = ("rev-list", "--reverse", "--topo-order", f"{old}..{new}")
        return self._once("between", old, new, lambda: self.git(*command).split())

    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree of a merge by git itself, or None where it conflicts."""
        code, out = self._run(["merge-tree", "--write-tree", base, head], b"", None, (0, 1, 128))
        return out.decode().split("\n", 1)[0] if code == 0 else None

    def write_commit(self, tree: str, parents: Sequence[str], message: str, author: tuple[str, str] | None) -> str:
        """Make a commit; committed by GitHub, authored by `author` (name, address)."""
        name, email = author or (_ENV["GIT_AUTHOR_NAME"], _ENV["GIT_AUTHOR_EMAIL"])
        flags = [word for parent in parents for word in ("-p", parent)]
        env = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email}
        return self.git("commit-tree", tree, *flags, stdin=message.encode(), env=env).strip()

    def replay(self, base: str, head: str) -> str | None:
        """`head`'s own commits on top of `base`, one by one (rebase); None where one conflicts."""
        current = base
        for sha in self.between(base, head):
            one = self.commit(sha)
            if len(one.parents) != 1:
                return None
            # A commit with our tree and its parent makes that parent the merge base: a cherry-pick by merge-tree.
            ours = self.write_commit(self.commit(current).tree, one.parents, "x", None)
            tree = self.merged_tree(ours, sha)
            if tree is None:
                return None
            current = self.write_commit(tree, [current], one.message, one.author[:2])
        return current

    def changes(self, old: str, new: str) -> list[Change]:
        """The files that differ, renames found, with line counts (0 for binary files)."""
        command = ("diff-tree", "-r", "-z", "-M", "--raw", "--numstat", old, new)
        return self._once("changes", old, new, lambda: _changes(self.git(*command).split("\0")))

    def patch(self, old: str, new: str, path: str) -> str:
        """The hunks of one file, as the API shows them."""
        text = self.git("diff-tree", "-p", "-M", old, new, "--", path)
        return text[text.index("@@") :].rstrip("\n") if "@@" in text else ""

    def read(self, sha: str, path: str) -> bytes | None:
        """A file of a commit, or None."""
        code, out = self._run(["cat-file", "blob", f"{sha}:{path}"], b"", None, (0, 128))
        return out if code == 0 else None

    def files(self, sha: str) -> list[str]:
        """Every path of a commit."""
        return [path for path in self.git("ls-tree", "-r", "-z", "--name-only", sha).split("\0") if path]

    def write_files(
        self, parent: str | None, files: Mapping[str, str | None], message: str, who: tuple[str, str]
    ) -> str:
        """A commit on `parent` with these files written (None: removed). The bare repository needs no checkout."""
        index = self.path / f"standin-index-{id(files)}"
        env = {"GIT_INDEX_FILE": str(index)}
        try:
            self.git("read-tree", parent or "--empty", env=env)
            lines = []
            for path, text in files.items():
                blob = ZERO if text is None else self.git("hash-object", "-w", "--stdin", stdin=text.encode()).strip()
                lines.append(f"{'0' if text is None else '100644'} {blob}\t{path}\n")
            self.git("update-index", "--index-info", stdin="".join(lines).encode(), env=env)
            tree = self.git("write-tree", env=env).strip()
        finally:
            index.unlink(missing_ok=True)
        return self.write_commit(tree, [parent] if parent else [], message, who)


def _changes(fields: list[str]) -> list[Change]:
    names = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
    raw: dict[str, tuple[str, str, str]] = {}
    counts: dict[str, tuple[int, int]] = {}
    words = iter(fields)
    for word in words:
        if word.startswith(":"):
            *_, blob, kind = word.split(" ")
            first = next(words)
            path, previous = (next(words), first) if kind[0] in "RC" else (first, "")
            raw[path] = (names.get(kind[0], "changed"), previous, blob)
        elif word:
            added, removed, path = word.split("\t", 2)
            if not path:  # a rename: both names follow
                next(words)
                path = next(words)
            counts[path] = (int(added) if added != "-" else 0, int(removed) if removed != "-" else 0)
    return [
        Change(path, previous, status, blob, *counts.get(path, (0, 0)))
        for path, (status, previous, blob) in raw.items()
    ]


def backend(root: Path, env: Mapping[str, str], body: bytes) -> bytes:
    """One request to `git http-backend` as CGI; its raw answer, headers first."""
    settings = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    full = {**_ENV, **settings, "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", **env}
    argv = ["git", "http-backend"]
    return subprocess.run(argv, input=body, capture_output=True, env=full, check=False, timeout=_STUCK).stdout
