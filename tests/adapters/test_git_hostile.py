"""What a hostile agent can leave in its tree, and that none of it runs on the host (case D50, threats T6, T10).

Each payload would write one file. The first test shows that the payloads bite where git is used plainly.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ops_orchestrate.errors import GitError
from tests.adapters.gitshop import KEY, Shop
from tests.repos import ENV, commit, git, write

Plant = Callable[[Path, str], None]

HOOKS = ("pre-commit", "post-checkout", "post-index-change", "reference-transaction", "post-commit")


def _config(path: Path, key: str, value: str) -> None:
    git("config", "--file", path, key, value)


def _attributes(tree: Path) -> None:
    write(tree, {".gitattributes": "* filter=evil diff=evil merge=evil\n"})


def _fsmonitor(tree: Path, run: str) -> None:
    _config(tree / ".git/config", "core.fsmonitor", f"{run}; false")


def _clean(tree: Path, run: str) -> None:
    _attributes(tree)
    _config(tree / ".git/config", "filter.evil.clean", f"{run}; cat")


def _smudge(tree: Path, run: str) -> None:
    _attributes(tree)
    _config(tree / ".git/config", "filter.evil.smudge", f"{run}; cat")


def _process_filter(tree: Path, run: str) -> None:
    _attributes(tree)
    _config(tree / ".git/config", "filter.evil.process", run)


def _external_diff(tree: Path, run: str) -> None:
    _config(tree / ".git/config", "diff.external", run)


def _pack_hook(tree: Path, run: str) -> None:
    _config(tree / ".git/config", "uploadpack.packObjectsHook", run)


def _ssh(tree: Path, run: str) -> None:
    _config(tree / ".git/config", "core.sshCommand", run)
    _config(tree / ".git/config", "remote.origin.url", "ssh://nowhere.invalid/x")


def _hooks(folder: Path, run: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in HOOKS:
        (folder / name).write_text(f"#!/bin/sh\n{run}\n")
        (folder / name).chmod(0o755)


def _own_hooks(tree: Path, run: str) -> None:
    _hooks(tree / ".git/hooks", run)


def _hooks_path(tree: Path, run: str) -> None:
    _hooks(tree / "their-hooks", run)
    _config(tree / ".git/config", "core.hooksPath", str(tree / "their-hooks"))


def _worktree_config(tree: Path, run: str) -> None:
    _config(tree / ".git/config", "extensions.worktreeConfig", "true")
    _config(tree / ".git/config.worktree", "core.fsmonitor", f"{run}; false")
    _config(tree / ".git/config.worktree", "filter.evil.clean", f"{run}; cat")
    _attributes(tree)


def _included(tree: Path, run: str) -> None:
    _config(tree / "evil.config", "core.fsmonitor", f"{run}; false")
    _config(tree / ".git/config", "include.path", "../evil.config")


def _common_folder(tree: Path, run: str) -> None:
    other = tree / "other.git"
    shutil.copytree(tree / ".git", other)
    _config(other / "config", "core.fsmonitor", f"{run}; false")
    (tree / ".git/commondir").write_text(f"{other}\n")


def _repointed(tree: Path, run: str) -> None:
    other = tree / "other.git"
    (tree / ".git").rename(other)
    _config(other / "config", "core.fsmonitor", f"{run}; false")
    _config(other / "config", "core.worktree", str(tree))
    (tree / ".git").write_text(f"gitdir: {other}\n")


def _nested(tree: Path, run: str) -> None:
    inner = tree / "inner"
    git("init", "--quiet", inner)
    commit(inner, {"x": "x"})
    git("add", "inner", cwd=tree)  # from here on it is a submodule to git, which looks inside with `status`
    write(inner, {"x": "changed"})
    _config(inner / ".git/config", "core.fsmonitor", f"{run}; false")
    _config(inner / ".git/config", "filter.evil.clean", f"{run}; cat")
    _attributes(inner)
    _hooks(inner / ".git/hooks", run)


PLANTS: dict[str, Plant] = {
    "core.fsmonitor": _fsmonitor,
    "filter.clean": _clean,
    "filter.smudge": _smudge,
    "filter.process": _process_filter,
    "diff.external": _external_diff,
    "uploadpack.packObjectsHook": _pack_hook,
    "core.sshCommand": _ssh,
    "hooks": _own_hooks,
    "core.hooksPath": _hooks_path,
    "config.worktree": _worktree_config,
    "include.path": _included,
    "commondir": _common_folder,
    ".git is a file": _repointed,
    "a nested repository": _nested,
}

NEEDS_MORE = {"uploadpack.packObjectsHook"}
"""Git itself ignores this one in a repository's own configuration; it stays as a guard against older gits."""


def _planted(shop: Shop, tmp_path: Path, name: str, *, committed: bool) -> Path:
    """An attempt's tree with work in it and the payload planted; the file that the payload would write."""
    tree = Path(shop.tree().path)
    if committed:
        commit(tree, {"src/b.py": "B\n"})
    write(tree, {"src/a.py": "A = 'dirty'\n", "src/new.py": "N\n"})
    script, payload = tmp_path / "payload.sh", tmp_path / "payload-ran"
    script.write_text(f"#!/bin/sh\necho ran >>'{payload}'\n")
    script.chmod(0o755)
    PLANTS[name](tree, str(script))
    payload.unlink(missing_ok=True)  # planting itself may have run it, with plain git
    os.utime(tree / "src/a.py", (1, 1))
    return payload


@pytest.mark.parametrize("name", [name for name in PLANTS if name not in NEEDS_MORE])
def test_the_payloads_bite_where_git_is_used_plainly(shop: Shop, tmp_path: Path, name: str) -> None:
    payload = _planted(shop, tmp_path, name, committed=True)
    tree = shop.state / "trees/app/t1-a1-f7"
    for words in ("status", "diff", "add --all", "commit -m x", "checkout HEAD~1 -- src", "fetch origin"):
        subprocess.run(["git", *words.split()], cwd=tree, env=ENV, capture_output=True, timeout=30, check=False)
    assert payload.exists()


@pytest.mark.parametrize("name", PLANTS)
def test_nothing_of_the_agents_runs(shop: Shop, tmp_path: Path, name: str) -> None:
    payload = _planted(shop, tmp_path, name, committed=True)
    base = shop.base()
    collected = shop.workshop.collect(shop.repo, KEY, base=base, paths=("src/",))
    if collected.head:
        shop.workshop.diff(shop.repo, base, collected.head)
        preview = shop.workshop.preview(shop.repo, base, collected.head)
        with shop.workshop.checkout(shop.repo, preview.commit) as place:
            assert (place / "src/new.py").exists()
    else:
        assert name == ".git is a file" and "no longer a folder" in collected.problem
    assert not payload.exists()


@pytest.mark.parametrize("name", PLANTS)
def test_nothing_runs_while_files_alone_are_salvaged(shop: Shop, tmp_path: Path, name: str) -> None:
    payload = _planted(shop, tmp_path, name, committed=False)
    with contextlib.suppress(GitError):  # where .git is a file: said after the folder has been set aside
        shop.workshop.salvage(shop.repo, KEY, base=shop.base())
    shop.workshop.discard_tree(shop.repo, KEY)
    assert git("show", "refs/ops/salvage/run-1/t1/a1-f7:src/new.py", cwd=shop.mirror) == "N"
    assert not payload.exists()


def test_the_agents_branch_cannot_name_commits_of_another_repository(shop: Shop, tmp_path: Path) -> None:
    private = tmp_path / "private"
    git("init", "--quiet", private)
    secret = commit(private, {"secret": "of another project\n"})
    tree = shop.tree()
    path = Path(tree.path)
    (path / ".git/objects/info/alternates").write_text(f"{shop.mirror}/objects\n{private}/.git/objects\n")
    merged = git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-p", secret, "-m", "x", cwd=path)
    git("update-ref", "HEAD", merged, cwd=path)
    collected = shop.collect(tree)
    assert collected.head is None and "cannot be imported" in collected.problem
    assert not shop.workshop._history.has(shop.repo, secret)


@pytest.mark.parametrize("what", ["objects/pack", "refs/heads/x", "logs/HEAD"])
def test_links_inside_the_git_folder_are_refused(shop: Shop, tmp_path: Path, what: str) -> None:
    tree = shop.tree()
    target = Path(tree.path) / ".git" / what
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    target.symlink_to(tmp_path)
    assert "holds a link" in shop.collect(tree).problem


def test_a_commit_graph_that_lies_is_not_believed(shop: Shop) -> None:
    tree = shop.tree()
    path = Path(tree.path)
    last = commit(path, {"src/b.py": "B\n"})
    git("commit-graph", "write", "--reachable", cwd=path)
    graph = path / ".git/objects/info/commit-graph"
    graph.chmod(0o600)
    graph.write_bytes(graph.read_bytes()[:-60] + b"\xff" * 60)
    assert shop.collect(tree).head == last


@pytest.mark.parametrize("name", [".git/config", ".GIT/config", "git~1/config", "src/.git/hooks/pre-commit"])
def test_a_commit_that_holds_a_git_folder_is_refused(shop: Shop, name: str) -> None:
    """Plain git would not make such a commit; a program that writes objects can (case D53: fsck)."""
    tree = shop.tree()
    path = Path(tree.path)
    blob = git("hash-object", "-w", "--stdin", cwd=path, stdin="[core]\n")
    entry = f"100644 blob {blob}\t{name.rpartition('/')[2]}\n"
    for folder in reversed(name.split("/")[:-1]):
        made = git("mktree", cwd=path, stdin=entry)
        entry = f"040000 tree {made}\t{folder}\n"
    top = git("mktree", cwd=path, stdin=entry)
    evil = git("commit-tree", top, "-p", "HEAD", "-m", "x", cwd=path)
    git("update-ref", "HEAD", evil, cwd=path)
    collected = shop.collect(tree)
    assert collected.head is None and "hasDotgit" in collected.problem
    assert not shop.workshop._history.has(shop.repo, evil)


def test_hooks_in_a_gates_checkout_do_not_run(shop: Shop, tmp_path: Path) -> None:
    payload = tmp_path / "ran"
    base = shop.base()
    with shop.workshop.checkout(shop.repo, base) as place:
        other = tmp_path / "other.git"
        git("init", "--quiet", "--bare", other)
        _hooks(other / "hooks", f"touch {payload}")
        (place / ".git").write_text(f"gitdir: {other}\n")
    assert not payload.exists() and not place.exists()
