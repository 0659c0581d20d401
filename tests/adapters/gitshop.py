"""One upstream, its repository value and a workshop on it: what most tests of git start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops_orchestrate.adapters.trees import Tree
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.config import Settings
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.change import Collected, MergeIntent
from ops_orchestrate.core.project import Repository
from tests.repos import Files, Upstream, git, make_upstream, repository_value

KEY = StageKey(run="run-1", task="t1", attempt=1, fence=7)
ATTEMPT = "refs/ops/attempts/run-1/t1/a1-f7"
SALVAGE = "refs/ops/salvage/run-1/t1/a1-f7"


@dataclass
class Shop:
    """An upstream and the workshop that works on it."""

    upstream: Upstream
    repo: Repository
    workshop: GitWorkshop
    state: Path

    @property
    def mirror(self) -> Path:
        return self.state / "mirrors" / f"{self.repo.key}.git"

    def base(self, branch: str = "dev") -> str:
        """Refresh; the head of the branch."""
        self.workshop.refresh(self.repo)
        head = self.workshop.head(self.repo, branch)
        assert head
        return head

    def tree(self, key: StageKey = KEY) -> Tree:
        return self.workshop.prepare(self.repo, key, self.base())

    def collect(self, tree: Tree, *paths: str, key: StageKey = KEY) -> Collected:
        return self.workshop.collect(self.repo, key, base=tree.base, paths=paths)

    def salvage(self, tree: Tree, key: StageKey = KEY) -> str | None:
        return self.workshop.salvage(self.repo, key, base=tree.base)

    def intent(self, head: str, base: str, *, branch: str = "dev", message: str = "land") -> MergeIntent:
        """The squash of `head` onto `base`, prepared as the engine prepares it."""
        preview = self.workshop.preview(self.repo, base, head)
        commit = self.workshop.commit_tree(
            self.repo, tree=preview.tree, parents=(base,), message=f"{message}\n", at=1_700_000_000
        )
        return MergeIntent(repo=self.repo.key, branch=branch, base=base, head=head, tree=preview.tree, commit=commit)


def make_shop(
    tmp_path: Path,
    *,
    files: Files | None = None,
    branches: tuple[str, ...] = ("main", "dev"),
    settings: dict[str, Any] | None = None,
    state: str = "state",
    **repo: Any,
) -> Shop:
    """A new upstream with a workshop of its own."""
    tmp_path.mkdir(exist_ok=True)
    upstream = make_upstream(tmp_path, files=files, branches=branches)
    return shop_on(upstream, tmp_path / state, settings=settings, **repo)


def shop_on(upstream: Upstream, state: Path, /, *, settings: dict[str, Any] | None = None, **repo: Any) -> Shop:
    """A workshop with its own state folder on an upstream that is there."""
    made = GitWorkshop(state, Settings(data_dir=state, **(settings or {})))
    return Shop(upstream, repository_value(upstream, **repo), made, state)


def files(shop: Shop, commit_id: str | None) -> set[str]:
    """The files of a commit in the mirror."""
    assert commit_id
    listed = git("ls-tree", "-r", "-z", "--name-only", commit_id, cwd=shop.mirror)
    return set(listed.split("\0")) - {""}
