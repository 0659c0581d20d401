"""Mirrors: one bare repository of ours for each repository, the only one whose git commands we trust.

Agents borrow objects from it and the user's checkout is never written. Upstream's branches are under
`refs/remotes/origin/`, our own refs under `refs/ops/`. Whatever writes to a mirror holds its lock. A mirror
holds no URL and no credentials: the upstream is named in each fetch and push.
"""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from ops_orchestrate.adapters.filelock import file_lock
from ops_orchestrate.adapters.git import Access, Answer, Git, NoAccess, object_id, printable
from ops_orchestrate.adapters.parcels import Parcels
from ops_orchestrate.config import Settings
from ops_orchestrate.core.guard import refuse_push
from ops_orchestrate.core.names import OUR_BRANCHES, is_branch, is_name, one_line
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import GitError, GuardRefusal, SourceUnavailable

log = logging.getLogger("ops_orchestrate.git")

UPSTREAM = "refs/remotes/origin/"
_HEADS = "refs/heads/"
_REFSPECS = (f"+{_HEADS}*:{UPSTREAM}*", f"^{_HEADS}HEAD")
"""All branches, but none called HEAD: it would be written through our note of the default branch."""
BASES = {"dev", "develop", "main", "master", "trunk"}
"""Branches that every host has the history of; of any other one a parcel brings what it needs along."""
_MOVED = re.compile(r"returned error: 30[1278]\b")
_STALE_LOCK = 10.0
"""Seconds after which a lock file of git's own in a mirror belongs to a command that was killed: git holds
them for milliseconds, and nobody else writes while we hold the mirror's lock."""


@dataclass(frozen=True, slots=True)
class UpstreamState:
    """What the upstream said about itself just now."""

    heads: Mapping[str, str]
    default: str | None


class Mirrors:
    """All mirrors below one folder."""

    def __init__(
        self, folder: Path, settings: Settings, git: Git, access: Access | None = None, parcels: Parcels | None = None
    ) -> None:
        self._folder = folder
        self._git = git
        self._access = access or NoAccess()
        self._parcels = parcels
        self._patience = 2 * settings.fetch_timeout

    @property
    def folder(self) -> Path:
        """Where they all are."""
        return self._folder

    def path(self, repo: Repository) -> Path:
        """Where the repository's mirror is, or will be. Raises GitError for a key that is no name."""
        if not is_name(repo.key):
            raise GitError(f"The key {one_line(repo.key, 60)!r} of {repo.name} cannot name a mirror")
        return self._folder / f"{repo.key}.git"

    def ready(self, repo: Repository) -> Path:
        """The mirror's path, made and filled where there is none yet. Raises SourceUnavailable, GitError."""
        path = self.path(repo)
        if not path.is_dir():
            self.refresh(repo)
        return path

    def lock(self, repo: Repository) -> AbstractContextManager[None]:
        """Hold the mirror for writing. Not to be taken twice by one thread."""
        return file_lock(self.path(repo).with_suffix(".lock"), self._patience)

    def refresh(self, repo: Repository) -> None:
        """Fetch upstream's branches and remember which one it calls its default.

        Raises SourceUnavailable when upstream does not answer, GitError when it has no commit yet.
        """
        with self.lock(repo):
            state = self.upstream(repo)
            if not state.heads:
                raise GitError(f"{repo.name} has no commit yet at {repo.upstream}; make a first one there")
            mirror = self._made(repo, state)
            _clear_stale_locks(mirror)
            if self.branches(repo) != state.heads:
                self._fetch(repo, mirror)
            if state.default in state.heads:
                self._git.run("symbolic-ref", f"{UPSTREAM}HEAD", f"{UPSTREAM}{state.default}", repo=mirror)

    def send(self, repo: Repository, commit: str, *also: str) -> None:
        """Let other hosts have a commit that is made here, also under the ids of objects in it (`also`).

        One that cannot travel is logged: this host has it all the same.
        """
        if self._parcels is None:
            return
        known = [f"{UPSTREAM}{name}" for name in BASES & self.branches(repo).keys()]
        with self.lock(repo):
            try:
                self._parcels.send(repo.key, self.existing(repo), commit, also=also, known=known)
            except GitError as error:
                log.warning("%s: %s", repo.name, error)

    def bring(self, repo: Repository, *names: str) -> None:
        """Fetch objects that another host has made, as far as the mirror lacks them and they were sent."""
        if self._parcels is None:
            return
        mirror = self.ready(repo)
        for name in names:
            if self._git.run("cat-file", "-e", object_id(name), repo=mirror, ok=(0, 1, 128)).code != 0:
                with self.lock(repo):
                    self._parcels.receive(repo.key, mirror, name)

    def upstream(self, repo: Repository) -> UpstreamState:
        """Ask the upstream for its branches and its default one. Raises SourceUnavailable."""
        try:
            answer = self._online(repo, "ls-remote", "--symref", "--", _address(repo), "HEAD", f"{_HEADS}*")
        except GitError as error:
            remedy = (
                "; it has moved: set its new address with `git remote set-url`" if _MOVED.search(str(error)) else ""
            )
            raise SourceUnavailable(f"The upstream of {repo.name} does not answer: {error}{remedy}") from None
        return _read_upstream(printable(answer.out))

    def branches(self, repo: Repository) -> dict[str, str]:
        """Upstream's branches as the mirror last saw them: name to commit."""
        listed = self._git.run("for-each-ref", "--format=%(objectname) %(refname)", UPSTREAM, repo=self.existing(repo))
        pairs = (line.split(" ", 1) for line in printable(listed.out).splitlines())
        found = {ref.removeprefix(UPSTREAM): commit for commit, ref in pairs}
        found.pop("HEAD", None)
        return found

    def existing(self, repo: Repository) -> Path:
        """The mirror's path where it exists. Raises GitError."""
        path = self.path(repo)
        if not path.is_dir():
            raise GitError(f"{repo.name} has no mirror on this host yet; refresh it first")
        return path

    def head(self, repo: Repository, branch: str) -> str | None:
        """The mirror's newest knowledge of an upstream branch."""
        if not is_branch(branch):
            return None
        ref = f"{UPSTREAM}{branch}"
        answer = self._git.run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", ref, repo=self.ready(repo), ok=(0, 1)
        )
        return answer.text or None

    def default(self, repo: Repository) -> str | None:
        """The branch that upstream calls its default."""
        answer = self._git.run("symbolic-ref", "--quiet", f"{UPSTREAM}HEAD", repo=self.ready(repo), ok=(0, 1))
        return answer.text.removeprefix(UPSTREAM) or None

    def push(self, repo: Repository, commit: str, branch: str, expected: str | None = None) -> Answer:
        """Push one commit to one branch, if that still stands at `expected` (where given); never by force.

        The answer's code is 1 when upstream rejected it. Raises GuardRefusal for what would rewrite the branch,
        GitError when it could not be asked.
        """
        self.bring(repo, commit)
        self._refuse(repo, branch, "fast-forward" if self._grows(repo, expected, commit) else "force")
        ref = f"{_HEADS}{branch}"
        lease = [f"--force-with-lease={ref}:{object_id(expected)}"] if expected else []
        return self._push(repo, *lease, "--", _address(repo), f"{object_id(commit)}:{ref}")

    def publish(self, repo: Repository, commit: str, branch: str, expected: str) -> Answer:
        """Push one commit to a branch of ours (`ops/…`) that stands at `expected`; "": that is not there yet.

        A new attempt may replace the commits of an older one, on such a branch and nowhere else; the lease refuses
        it where the branch is no longer what was seen. The answer's code is 1 when upstream rejected it. Raises
        GuardRefusal, GitError.
        """
        refusal = refuse_push(branch, [name for name in (repo.integration, repo.main) if name], "force")
        if refusal is not None or not branch.startswith(OUR_BRANCHES):
            raise GuardRefusal(refusal.detail if refusal else f"{one_line(branch, 80)} is no branch of ours (ops/…)")
        self.bring(repo, commit)
        ref = f"{_HEADS}{branch}"
        lease = f"--force-with-lease={ref}:{object_id(expected) if expected else ''}"
        return self._push(repo, lease, "--", _address(repo), f"{object_id(commit)}:{ref}")

    def unpublish(self, repo: Repository, commit: str, branch: str) -> Answer:
        """Delete a branch of ours upstream, if it still stands at `commit`. Raises GuardRefusal, GitError."""
        self._refuse(repo, branch, "delete")
        ref = f"{_HEADS}{branch}"
        return self._push(repo, f"--force-with-lease={ref}:{object_id(commit)}", "--", _address(repo), f":{ref}")

    def _push(self, repo: Repository, *words: str) -> Answer:
        options = ("--porcelain", "--no-verify", "--no-follow-tags")
        return self._online(repo, "push", *options, *words, at=self.existing(repo), ok=(0, 1))

    def _online(self, repo: Repository, *words: str, at: Path | None = None, ok: tuple[int, ...] = (0,)) -> Answer:
        """A command that talks to the upstream, with the credentials that it needs there."""
        return self._git.run(*words, repo=at, ok=ok, network=True, env=self._access.environment(repo.upstream))

    def _grows(self, repo: Repository, expected: str | None, commit: str) -> bool:
        """Whether a branch at `expected` (None: a new one) only gains commits by moving to `commit`."""
        if expected is None:
            return True
        both = (object_id(expected), object_id(commit))
        asked = self._git.run("merge-base", "--is-ancestor", *both, repo=self.existing(repo), ok=(0, 1))
        return asked.code == 0

    def _refuse(self, repo: Repository, branch: str, method: str) -> None:
        """The branch guard, at the point of effect. Nothing of ours forces a branch, shared or not."""
        protected = [name for name in (repo.integration, repo.main) if name]
        refusal = refuse_push(branch, protected, method)
        if refusal is not None:
            raise GuardRefusal(refusal.detail)
        if method == "force":
            raise GuardRefusal(f"{one_line(branch, 80)} would be rewritten; nothing is ever forced")

    def _made(self, repo: Repository, state: UpstreamState) -> Path:
        mirror = self.path(repo)
        if mirror.is_dir():
            return mirror
        fresh = mirror.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        long = any(len(commit) == 64 for commit in state.heads.values())
        form = "sha256" if long else "sha1"
        self._git.run("init", "--quiet", "--bare", "--template=", f"--object-format={form}", "--", fresh)
        with (fresh / "config").open("a") as config:
            config.write("[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[core]\n\tlogAllRefUpdates = false\n")
        self._fetch(repo, fresh)  # a mirror is whole or not there
        return fresh.rename(mirror)

    def _fetch(self, repo: Repository, mirror: Path) -> None:
        try:
            options = ("--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--update-shallow")
            self._online(repo, "fetch", *options, "--", _address(repo), *_REFSPECS, at=mirror)
        except GitError as error:
            raise SourceUnavailable(f"{repo.name} cannot be fetched: {error}") from None


def _address(repo: Repository) -> str:
    if repo.upstream.startswith("-") or not repo.upstream.isprintable():
        raise GitError(f"The upstream of {repo.name} is no address: {one_line(repo.upstream, 80)!r}")
    return repo.upstream


def _read_upstream(listing: str) -> UpstreamState:
    heads: dict[str, str] = {}
    default = None
    for line in listing.splitlines():
        left, _, name = line.partition("\t")
        if name == "HEAD" and left.startswith(f"ref: {_HEADS}"):
            default = left.removeprefix(f"ref: {_HEADS}")
        elif name.startswith(_HEADS) and name != f"{_HEADS}HEAD":
            heads[name.removeprefix(_HEADS)] = left
    return UpstreamState(heads, default)


def _clear_stale_locks(mirror: Path) -> None:
    long_ago = time.time() - _STALE_LOCK
    places = (mirror.glob("*.lock"), (mirror / "refs").rglob("*.lock"))
    for lock in (lock for place in places for lock in place):
        if lock.lstat().st_mtime < long_ago:
            lock.unlink(missing_ok=True)
