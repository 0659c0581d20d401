"""Builders of real git repositories for the tests: fixed identity and dates, nothing of the user's own git.

Two calls with the same files make the same commits, so a test may name a SHA's relation but never a SHA.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops_orchestrate.core.project import Repository

ENV = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}
Files = Mapping[str, str | bytes | None]


@dataclass(frozen=True)
class Upstream:
    """A bare repository that stands for the remote, and a user's checkout of it."""

    bare: Path
    checkout: Path
    name: str = "app"


def git(*args: str | Path, cwd: Path | None = None, check: bool = True, stdin: str | None = None) -> str:
    """Run git in `cwd` with a clean environment; its standard output without the last newline."""
    done = subprocess.run(
        ["git", *map(str, args)],
        cwd=cwd,
        env=ENV,
        input=stdin,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(f"git {' '.join(map(str, args))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.rstrip("\n")


def write(path: Path, files: Files) -> None:
    """Write files below `path`; None deletes one."""
    for name, content in files.items():
        target = path / name
        if content is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


def commit(path: Path, files: Files, message: str = "work") -> str:
    """Write and commit files in the checkout at `path`, on its current branch, unpushed; the new SHA."""
    write(path, files)
    git("add", "--all", cwd=path)
    git("commit", "--quiet", "--allow-empty", "-m", message, cwd=path)
    return git("rev-parse", "HEAD", cwd=path)


def push(path: Path, branch: str) -> None:
    """Push the checkout's HEAD to that branch of its origin."""
    git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", cwd=path)


def advance(upstream: Upstream, branch: str, files: Files, message: str = "work of somebody else") -> str:
    """Add a commit to a branch of the bare upstream, as a colleague's push would; the new SHA."""
    other = upstream.bare.parent / f".{upstream.name}-colleague"
    if not other.exists():
        git("clone", "--quiet", "--no-checkout", upstream.bare, other)
    git("fetch", "--quiet", "origin", cwd=other)
    git("checkout", "--quiet", "--force", "--detach", f"origin/{branch}", cwd=other)
    sha = commit(other, files, message)
    push(other, branch)
    return sha


def read(path: Path, branch: str, file: str) -> str | None:
    """A file on a branch of the repository at `path` (bare or not); None where there is none."""
    listed = git("ls-tree", "-z", branch, "--", file, cwd=path)
    return git("cat-file", "blob", f"{branch}:{file}", cwd=path) if listed else None


def head(path: Path, branch: str) -> str:
    """The SHA of a branch of the repository at `path`."""
    return git("rev-parse", "--verify", f"refs/heads/{branch}", cwd=path)


def make_upstream(
    tmp_path: Path,
    name: str = "app",
    files: Files | None = None,
    branches: tuple[str, ...] = ("main", "dev"),
) -> Upstream:
    """A bare upstream with one commit on each of `branches` (the first is its default), and a checkout.

    The checkout stands on the last of the branches and tracks it.
    """
    bare, checkout = tmp_path / f"{name}.git", tmp_path / name
    content = tuple((files or {"README.md": f"# {name}\n", "src/a.py": "A = 1\n"}).items())
    template = _template(content, branches)
    shutil.copytree(template / "bare", bare)
    shutil.copytree(template / "checkout", checkout)
    config = checkout / ".git" / "config"
    config.write_text(config.read_text().replace(str(template / "bare"), str(bare)))
    return Upstream(bare=bare, checkout=checkout, name=name)


@functools.cache
def _template(files: tuple[tuple[str, str | bytes | None], ...], branches: tuple[str, ...]) -> Path:
    """Made once for each content: git needs ten times as long as a copy."""
    folder = Path(tempfile.mkdtemp(prefix="repos-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    bare, checkout = folder / "bare", folder / "checkout"
    git("init", "--quiet", "--bare", "--template=", f"--initial-branch={branches[0]}", bare)
    git("init", "--quiet", "--template=", f"--initial-branch={branches[0]}", checkout)
    git("remote", "add", "origin", bare, cwd=checkout)
    for key, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        git("config", key, value, cwd=checkout)
    commit(checkout, dict(files), "start")
    for branch in branches:
        push(checkout, branch)
    git("fetch", "--quiet", "origin", cwd=checkout)
    git("branch", "--quiet", f"--set-upstream-to=origin/{branches[0]}", cwd=checkout)
    if len(branches) > 1:
        git("checkout", "--quiet", "-b", branches[-1], "--track", f"origin/{branches[-1]}", cwd=checkout)
    return folder


def repository_value(upstream: Upstream, /, **kw: Any) -> Repository:
    """The core value of that repository, with any field replaced."""
    fields: dict[str, Any] = {
        "key": upstream.name,
        "name": upstream.name,
        "path": str(upstream.checkout),
        "upstream": str(upstream.bare),
    }
    return Repository(**{**fields, **kw})


def found(folder: Path, name: str) -> list[Path]:
    """Files of that name anywhere under a folder that others write in: what goes meanwhile is passed over.

    (`Path.rglob` raises where a folder is gone by the time that it is looked into.)
    """
    return [Path(at) / name for at, _, files in os.walk(folder) if name in files]
