"""The workshop: git as the steps see it (ports.Workshop), put together from mirrors, trees and checkouts."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from ops_orchestrate.adapters.abandoned import drop_mirrors
from ops_orchestrate.adapters.checkouts import Checkouts
from ops_orchestrate.adapters.git import Access, Git
from ops_orchestrate.adapters.harvest import Harvest
from ops_orchestrate.adapters.history import History
from ops_orchestrate.adapters.look import Looker
from ops_orchestrate.adapters.mirrors import Mirrors
from ops_orchestrate.adapters.parcels import Parcels, Post
from ops_orchestrate.adapters.tidy import pack, tidy
from ops_orchestrate.adapters.traces import own_branches
from ops_orchestrate.adapters.trees import Tree, Trees
from ops_orchestrate.config import Settings
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.change import Collected, Diff, OwnBranch, Preview, WorkState
from ops_orchestrate.core.names import is_branch, one_line
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import GitError, SourceUnavailable

log = logging.getLogger("ops_orchestrate.git")


class GitWorkshop:
    """Implements ports.Workshop below one state folder; the methods' meaning is written there."""

    def __init__(
        self, state_dir: Path, settings: Settings, access: Access | None = None, post: Post | None = None
    ) -> None:
        """`post`: carries commits between hosts; None where there is one host only."""
        git = Git(settings)
        carried, most = int(settings.carry_mb * 1e6), int(settings.carry_total_mb * 1e6)
        parcels = Parcels(git, post, carried, sender=settings.host, most=most) if post else None
        # Agents' workers may hold no token; what they start from is judged on the newest base all the same.
        self._content = settings.pool == "agent"
        self.git = git
        self.mirrors = Mirrors(state_dir / "mirrors", settings, git, access, parcels)
        self._looker = Looker(git)
        self._history = History(git, self.mirrors, settings)
        self._trees = Trees(state_dir / "trees", settings, git, self.mirrors)
        self._checkouts = Checkouts(state_dir / "checkouts", git, self.mirrors)
        self._harvest = Harvest(git, self.mirrors, self._trees, self._history, state_dir / "kept")

    def look(self, repo: Repository) -> WorkState:
        """The user's checkout, read only. Raises GitError."""
        return self._looker.look(Path(repo.path))

    def refresh(self, repo: Repository) -> None:
        """Bring the mirror up to date. Raises SourceUnavailable; GitError for an empty upstream.

        A worker of the agent pool goes on with what the audit of this host fetched, where upstream does not answer it.
        """
        try:
            self.mirrors.refresh(repo)
        except SourceUnavailable as error:
            if not (self._content and self.mirrors.path(repo).is_dir()):
                raise
            log.info("%s is worked on as it was fetched last: %s", repo.name, error)

    def integration(self, repo: Repository) -> str:
        """The owner's integration branch, else `dev`, else upstream's default. Raises GitError."""
        branches = self._branches(repo)
        if repo.integration:
            return _named(repo, branches, repo.integration, "integration branch")
        if "dev" in branches:
            return "dev"
        default = self.mirrors.default(repo)
        found = [name for name in (default, "main", "master") if name in branches]
        if not found and len(branches) == 1:
            found = list(branches)
        if not found or not is_branch(str(found[0])):
            raise GitError(f"{repo.name} has no branch `dev` and no default branch; name its integration branch")
        return str(found[0])

    def main(self, repo: Repository) -> str | None:
        """The branch that integration is promoted to, if it is another one. Raises GitError."""
        branches = self._branches(repo)
        if repo.main:
            name: str | None = _named(repo, branches, repo.main, "main branch")
        else:
            name = next((name for name in ("main", "master") if name in branches), None)
        return None if name == self.integration(repo) else name

    def head(self, repo: Repository, branch: str) -> str | None:
        """The mirror's newest knowledge of an upstream branch."""
        return self.mirrors.head(repo, branch)

    def prepare(self, repo: Repository, key: StageKey, base: str) -> Tree:
        """A private clone for the attempt. What an earlier start of it left is salvaged first."""
        left = self._trees.card(repo, key)
        if left:
            self._harvest.salvage(repo, key, base=left.base)
        self._trees.discard(repo, key)
        self.mirrors.bring(repo, base)
        if not self._history.has(repo, base):
            self.mirrors.refresh(repo)  # another host knows a newer upstream
        return self._trees.prepare(repo, key, base)

    def hold_tree(self, repo: Repository, key: StageKey) -> AbstractContextManager[bool]:
        """Keep everybody else on this host from the tree; False where somebody has it."""
        return self._trees.hold(repo, key)

    def collect(self, repo: Repository, key: StageKey, *, base: str, paths: tuple[str, ...]) -> Collected:
        """Import the agent's commits and what it left uncommitted. Raises GitError where there is no tree."""
        collected = self._harvest.collect(repo, key, base=base, paths=paths)
        if collected.head:
            self.mirrors.send(repo, collected.head)
        return collected

    def salvage(self, repo: Repository, key: StageKey, *, base: str = "") -> str | None:
        """Keep everything under a ref. Raises GitError where not all can be; the folder is then set aside."""
        card = None if base else self._trees.card(repo, key)
        return self._harvest.salvage(repo, key, base=card.base if card else base)

    def discard_tree(self, repo: Repository, key: StageKey) -> None:
        """Remove the tree. Only after collect or salvage."""
        self._trees.discard(repo, key)

    def diff(self, repo: Repository, base: str, head: str) -> Diff:
        """What `head` changes since its merge base with `base`."""
        self.mirrors.bring(repo, base, head)
        return self._history.diff(repo, base, head)

    def patch(self, repo: Repository, base: str, head: str, limit: int) -> str | None:
        """The same as one patch to read; None where it is larger than `limit`."""
        self.mirrors.bring(repo, base, head)
        return self._history.patch(repo, base, head, limit)

    def preview(self, repo: Repository, base: str, head: str) -> Preview:
        """The merge of `head` into `base`, made without a working tree."""
        self.mirrors.bring(repo, base, head)
        merged = self._history.preview(repo, base, head)
        if merged.commit:
            self.mirrors.send(repo, merged.commit, merged.tree)
        return merged

    def checkout(self, repo: Repository, commit: str) -> AbstractContextManager[Path]:
        """A fresh worktree at `commit`, gone afterwards."""
        self.mirrors.bring(repo, commit)
        return self._checkouts.checkout(repo, commit)

    def commit_tree(self, repo: Repository, *, tree: str, parents: tuple[str, ...], message: str, at: float) -> str:
        """Write a commit dated `at`: the same arguments always give the same id."""
        self.mirrors.bring(repo, tree, *parents)
        commit = self._history.commit_tree(repo, tree=tree, parents=parents, message=message, at=at)
        self.mirrors.send(repo, commit)
        return commit

    def is_ancestor(self, repo: Repository, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`."""
        self.mirrors.bring(repo, older, newer)
        return self._history.is_ancestor(repo, older, newer)

    def tree_of(self, repo: Repository, commit: str) -> str:
        """The tree of a commit."""
        self.mirrors.bring(repo, commit)
        return self._history.tree_of(repo, commit)

    def parents_of(self, repo: Repository, commit: str) -> tuple[str, ...]:
        """The parents of a commit, the first one first."""
        return self._history.parents_of(repo, commit)

    def find_commit(self, repo: Repository, branch: str, *, since: str, trailer: str) -> str | None:
        """The newest commit of an upstream branch after `since` that has that trailer line."""
        head = self.head(repo, branch)
        return self._history.find_commit(repo, head, since=since, trailer=trailer) if head else None

    def own_branches(self, repo: Repository) -> Sequence[OwnBranch]:
        """Traces of our own earlier runs."""
        branches = self._branches(repo)
        names = (self.integration(repo), repo.main or "main", "master")
        bases = {name: branches[name] for name in names if name in branches}
        return own_branches(self.git, self.mirrors.existing(repo), bases)

    def read_file(self, repo: Repository, commit: str, path: str, limit: int = 1_000_000) -> str | None:
        """A text file of a commit, cut at `limit` bytes; None where there is no such plain file."""
        return self._history.read_file(repo, commit, path, limit)

    def list_files(self, repo: Repository, commit: str, folder: str, limit: int = 5_000) -> tuple[str, ...]:
        """Paths of the files below a folder of a commit."""
        return self._history.list_files(repo, commit, folder, limit)

    def tidy(self, repo: Repository, *, before: float) -> int:
        """Remove old refs of ours whose work is merged. Raises GitError."""
        mirror = self.mirrors.path(repo)
        if not mirror.is_dir():
            return 0
        self._trees.spares.forget(repo.key, before)
        head = self._branches(repo)[self.integration(repo)]
        merged = {one.ref for one in self.own_branches(repo) if one.merged}
        with self.mirrors.lock(repo):
            removed = tidy(self.git, mirror, head, merged=merged, before=before)
            pack(self.git, mirror, before=before)
        return removed

    def drop_mirrors(self, known: set[str], *, before: float) -> list[str]:
        """Remove mirrors of repositories that nobody has worked on for long; their keys."""
        trees = self._trees
        for path in self.mirrors.folder.glob("*.git"):
            if path.stem not in known:
                trees.spares.forget(path.stem, before)
        return drop_mirrors(self.git, self.mirrors.folder, trees.folder, known=known, before=before)

    def leftover_trees(self) -> Iterator[tuple[str, StageKey]]:
        """(repository key, attempt) of every agent tree on this host."""
        return self._trees.leftovers()

    def _branches(self, repo: Repository) -> dict[str, str]:
        self.mirrors.ready(repo)
        return self.mirrors.branches(repo)


def _named(repo: Repository, branches: dict[str, str], name: str, what: str) -> str:
    if not is_branch(name):
        raise GitError(f"{repo.name}: {one_line(name, 80)!r} cannot be a branch; correct its {what} in the registry")
    if name not in branches:
        raise GitError(f"{repo.name} has no branch {name} upstream; make it, or correct its {what} in the registry")
    return name
