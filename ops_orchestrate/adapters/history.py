"""Questions about commits, and new commits without a working tree. Everything happens in a mirror.

Nothing here reads a file that an agent can still write: only objects that have been imported and checked.
"""

from __future__ import annotations

import os
from pathlib import Path

from ops_orchestrate.adapters.git import Git, last_words, object_id, printable
from ops_orchestrate.adapters.mirrors import Mirrors
from ops_orchestrate.adapters.patch import read_diff
from ops_orchestrate.config import Settings
from ops_orchestrate.core.change import Diff, Preview
from ops_orchestrate.core.names import short
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import GitError

MAX_DIFF_BYTES = 4_000_000
MAX_DIFF_FILES = 5_000
_LOOKED_AT = 1_000
#: What a diff is shown with: nothing of the repository's own configuration, no program of anybody's.
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short", "--end-of-options")
_FILE_MODES = {"100644", "100755"}

PREVIEW = "preview of a merge"
"""The subject of the commit that a merge would make."""


class History:
    """Reads and writes commits of mirrors."""

    def __init__(self, git: Git, mirrors: Mirrors, settings: Settings) -> None:
        self._git = git
        self._mirrors = mirrors
        self._identity = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", settings.git_name), ("EMAIL", settings.git_email))
        }

    def diff(self, repo: Repository, base: str, head: str) -> Diff:
        """What `head` changes since its merge base with `base`. Raises GitError if they share no history."""
        since = self._merge_base(repo, base, head)
        answer = self._git.run(
            *("diff-tree", "-r", "--raw", "-p", "-U0", "-z", "--no-renames", "--full-index", *_PLAIN, since, head),
            repo=self._mirrors.ready(repo),
            limit=MAX_DIFF_BYTES,
            cut_ok=True,
        )
        files, truncated = read_diff(answer.out, cut=answer.cut, most_files=MAX_DIFF_FILES)
        return Diff(base=base, head=head, merge_base=since, files=files, truncated=truncated)

    def patch(self, repo: Repository, base: str, head: str, limit: int) -> str | None:
        """The same as one patch to read; None where it has more than `limit` bytes. Raises GitError."""
        answer = self._git.run(
            *("diff-tree", "-r", "-p", "-U8", "--no-renames", *_PLAIN, self._merge_base(repo, base, head), head),
            repo=self._mirrors.ready(repo),
            limit=limit,
            cut_ok=True,
        )
        return None if answer.cut else answer.out.decode("utf-8", "backslashreplace")

    def _merge_base(self, repo: Repository, base: str, head: str) -> str:
        mirror = self._mirrors.ready(repo)
        found = self._git.run("merge-base", object_id(base), object_id(head), repo=mirror, ok=(0, 1))
        if not found.text:
            raise GitError(f"{short(head)} shares no history with {short(base)} in {repo.name}")
        return found.text

    def preview(self, repo: Repository, base: str, head: str) -> Preview:
        """The merge of `head` into `base` as a tree, or the files that conflict."""
        merged = self._git.run(
            *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"),
            *(object_id(base), object_id(head)),
            repo=self._mirrors.ready(repo),
            ok=(0, 1),
        )
        if not merged.out:  # it says 1 for a conflict and for a commit that it does not have
            raise GitError(f"git merge-tree: {last_words(merged.err)}")
        first, *names = [printable(item).strip("\n") for item in merged.items]
        if merged.code:
            return Preview(base=base, head=head, conflicts=tuple(dict.fromkeys(names)))
        commit = self.commit_tree(
            repo,
            tree=first,
            parents=(base, head),
            message=f"{PREVIEW}\n",
            at=self.date_of(repo, head),
        )
        empty = first == self.tree_of(repo, base)
        return Preview(base=base, head=head, tree=first, commit=commit, empty=empty)

    def commit_tree(self, repo: Repository, *, tree: str, parents: tuple[str, ...], message: str, at: float) -> str:
        """Write a commit dated `at` (seconds, UTC): the same arguments always give the same id."""
        date = f"@{int(at)} +0000"
        answer = self._git.run(
            *("commit-tree", "--no-gpg-sign", *(word for one in parents for word in ("-p", object_id(one)))),
            *("-F", "-", object_id(tree)),
            repo=self._mirrors.ready(repo),
            env={**self._identity, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
            stdin=message.replace("\0", "").encode("utf-8", "backslashreplace"),
        )
        return answer.text

    def is_ancestor(self, repo: Repository, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`. Raises GitError where the mirror lacks one of them."""
        if older == newer:
            return self.has(repo, older)
        answer = self._git.run(
            *("merge-base", "--is-ancestor", object_id(older), object_id(newer)),
            repo=self._mirrors.ready(repo),
            ok=(0, 1),
        )
        return answer.code == 0

    def has(self, repo: Repository, commit: str) -> bool:
        """Whether the mirror has that commit."""
        mirror = self._mirrors.ready(repo)
        return self._git.run("cat-file", "-e", f"{object_id(commit)}^{{commit}}", repo=mirror, ok=(0, 1, 128)).code == 0

    def tree_of(self, repo: Repository, commit: str) -> str:
        """The tree of a commit."""
        return self._show(repo, commit, "%T")

    def parents_of(self, repo: Repository, commit: str) -> tuple[str, ...]:
        """The parents of a commit, the first one first."""
        return tuple(self._show(repo, commit, "%P").split())

    def find_commit(self, repo: Repository, head: str, *, since: str, trailer: str) -> str | None:
        """The newest commit of `head`'s history after `since` whose message has the line `trailer`.

        Only the last thousand are looked at.
        """
        first = [f"^{object_id(since)}"] if since and self.has(repo, since) else []
        log = self._git.run(
            *("log", f"-{_LOOKED_AT}", "--format=%H%x00%B%x00%x01", "--end-of-options", object_id(head), *first),
            repo=self._mirrors.ready(repo),
        )
        for record in printable(log.out).split("\0\x01"):
            commit, _, message = record.strip("\n").partition("\0")
            if trailer in message.splitlines():
                return commit
        return None

    def date_of(self, repo: Repository, commit: str) -> float:
        """When a commit was made, by its own word, in seconds."""
        return float(self._show(repo, commit, "%ct") or 0)

    def read_file(self, repo: Repository, commit: str, path: str, limit: int) -> str | None:
        """A text file of a commit, cut at `limit` bytes; None where there is no such plain file."""
        if not path or "\0" in path or path.startswith("/") or ".." in path.split("/"):
            return None
        mirror = self._mirrors.ready(repo)
        listed = self._git.run("ls-tree", "-z", "--full-tree", object_id(commit), "--", os.fsencode(path), repo=mirror)
        meta, _, name = listed.out.removesuffix(b"\0").partition(b"\t")
        mode, _, blob = printable(meta).partition(" blob ")
        if mode not in _FILE_MODES or name != os.fsencode(path):
            return None
        content = self._git.run("cat-file", "blob", blob, repo=mirror, limit=limit, cut_ok=True).out
        return None if b"\0" in content else content.decode("utf-8", "replace")

    def list_files(self, repo: Repository, commit: str, folder: str, limit: int) -> tuple[str, ...]:
        """Paths below a folder of a commit, in git's order, at most `limit`."""
        if not folder or "\0" in folder or folder.startswith("/") or ".." in folder.split("/"):
            return ()
        listed = self._git.run(
            *("ls-tree", "-r", "-z", "--name-only", "--full-tree", object_id(commit), "--", os.fsencode(f"{folder}/")),
            repo=self._mirrors.ready(repo),
        )
        return tuple(printable(path) for path in listed.items[:limit])

    def set_refs(self, mirror: Path, new: dict[str, str], gone: tuple[str, ...] = ()) -> None:
        """Set and delete refs of ours, all or none."""
        orders = [f"update {ref}\0{object_id(commit)}\0\0" for ref, commit in new.items()]
        orders += [f"delete {ref}\0\0" for ref in gone]
        self._git.run("update-ref", "--stdin", "-z", repo=mirror, stdin="".join(orders).encode())

    def _show(self, repo: Repository, commit: str, what: str) -> str:
        answer = self._git.run(
            *("log", "-1", f"--format={what}", "--end-of-options", object_id(commit)),
            repo=self._mirrors.ready(repo),
        )
        return answer.text
