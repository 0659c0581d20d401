"""Asks git where a folder belongs: its checkout, its repository, its remotes. Reads only.

Never guesses from a `.git` folder: in a worktree it is a file, and in a subdirectory there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from ops_orchestrate.adapters.git import Git
from ops_orchestrate.config import Settings
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import GitError

_WHERE = (
    "rev-parse",
    "--path-format=absolute",
    "--is-bare-repository",
    "--git-common-dir",
    "--show-toplevel",
)


class GitPlace(Value):
    """Where a folder belongs."""

    toplevel: str
    """The root of the checkout; of a bare repository, the repository."""
    common_dir: str
    """The repository itself, the same for all its worktrees."""
    remotes: dict[str, str] = Field(default_factory=dict)
    """Name to URL as git would use it; credentials are still in it, so it is never shown or stored."""
    bare: bool = False

    @property
    def main_checkout(self) -> str:
        """The checkout that worktrees were made from, where there is one; else this one."""
        common = Path(self.common_dir)
        return str(common.parent) if common.name == ".git" else self.toplevel


Probe = Callable[[Path], GitPlace | None]


def git_probe(settings: Settings) -> Probe:
    """A function that answers for a folder, with the time limits of the settings."""
    git = Git(settings)
    return lambda path: toplevel(path, git)


def toplevel(path: Path, git: Git) -> GitPlace | None:
    """Where `path` belongs; None where it is in no repository.

    Raises GitError where git refuses to look (a repository of another user), or takes too long.
    """
    # The user's own configuration counts here: `safe.directory` and `url.….insteadOf` are in it.
    answer = git.run(*_WHERE, at=path, ok=(0, 128), network=True)
    words = answer.text.splitlines()
    if len(words) < 2:
        if "not a git repository" in answer.err:
            return None
        raise GitError(_why(path, answer.err))
    bare = words[0] == "true"
    # In a bare repository, and inside `.git`, the third question fails and the first two are answered.
    root = words[2] if len(words) > 2 else words[1]
    return GitPlace(toplevel=root, common_dir=words[1], remotes=_remotes(path, git), bare=bare)


def _why(path: Path, err: str) -> str:
    if "dubious ownership" in err:
        return f"{path} belongs to another user, and git refuses to look into it (see safe.directory)"
    return f"git cannot tell what {path} is"


def _remotes(path: Path, git: Git) -> dict[str, str]:
    """Fetch URL by remote, `origin` first."""
    found: dict[str, str] = {}
    for line in git.run("remote", "-v", at=path, network=True).text.splitlines():
        name, tab, rest = line.partition("\t")
        url, mark, _ = rest.rpartition(" (fetch)")
        if tab and mark:
            found.setdefault(name, url)
    return dict(sorted(found.items(), key=lambda item: (item[0] != "origin", item[0])))
