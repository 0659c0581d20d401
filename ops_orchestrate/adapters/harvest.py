"""Brings home what an agent made: into the mirror, checked by fsck, or kept under a salvage ref.

Git never runs on the agent's git folder. Its commits are named by reading plain files (agentgit), and fetched
through a bridge: an empty git folder of ours that borrows the agent's objects. Nothing is thrown away here; a
folder that cannot be read is set aside for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops_orchestrate.adapters.agentgit import Tips, UnusableError, cut_foreign_objects, read_tips
from ops_orchestrate.adapters.borrowing import borrow
from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.adapters.git import Git, printable
from ops_orchestrate.adapters.history import History
from ops_orchestrate.adapters.leftovers import Leftovers, Sweeper
from ops_orchestrate.adapters.mirrors import Mirrors
from ops_orchestrate.adapters.trees import Trees, attempt_name, branch_of, work_folder
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.change import Collected
from ops_orchestrate.core.names import short
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import GitError

ATTEMPTS = "refs/ops/attempts/"
SALVAGE = "refs/ops/salvage/"
_INCOMING = "refs/ops/incoming/"


@dataclass(slots=True)
class _Attempt:
    """One attempt's places and names."""

    repo: Repository
    key: StageKey
    base: str
    mirror: Path
    place: Path
    work: Path

    def ref(self, space: str) -> str:
        key = self.key
        return f"{space}{key.run}/{key.task}/a{key.attempt}-f{key.fence}"


class Harvest:
    """Collects and salvages attempts."""

    def __init__(self, git: Git, mirrors: Mirrors, trees: Trees, history: History, kept: Path) -> None:
        self._git = git
        self._mirrors = mirrors
        self._trees = trees
        self._history = history
        self._kept = kept

    def collect(self, repo: Repository, key: StageKey, *, base: str, paths: tuple[str, ...]) -> Collected:
        """See ports.Workshop. Raises GitError where there is no tree."""
        at = self._open(repo, key, base)
        if not at.place.is_dir():
            raise GitError(f"{attempt_name(key)} of {repo.name} has no tree on this host")
        try:
            tips = self._read(at)
            commits = [one for one in (tips.head, *tips.branches.values(), tips.stash) if one]
            self._fetch(at, commits)
            return self._judge(at, tips, commits, paths)
        except UnusableError as error:
            return Collected(head=None, problem=str(error))
        except OSError as error:  # whatever it did to its folder, that is an attempt's end and not the worker's
            return Collected(head=None, problem=f"its folder cannot be read: {error.strerror or error}")
        finally:
            remove(at.work)

    def salvage(self, repo: Repository, key: StageKey, *, base: str) -> str | None:
        """See ports.Workshop. Raises GitError where something cannot be kept; the folder is then aside."""
        card = self._trees.card(repo, key)
        at = self._open(repo, key, base or (card.base if card else ""))
        if not at.place.is_dir():
            return self._existing(at)
        try:
            ref, lost = self._keep_all(at)
        except (GitError, OSError) as error:
            ref, lost = None, [str(error)]
        finally:
            remove(at.work)
        if lost:
            where = self._trees.set_aside(repo, key, self._kept)
            kept = f"the rest is in {ref}" if ref else "nothing of it is in the mirror"
            raise GitError(
                f"Not all of {attempt_name(key)} could be salvaged ({lost[0]}); {kept}, its folder is {where}"
            )
        return ref

    def _open(self, repo: Repository, key: StageKey, base: str) -> _Attempt:
        place = self._trees.place(repo, key)
        return _Attempt(repo, key, base, self._mirrors.ready(repo), place, work_folder(place))

    def _read(self, at: _Attempt) -> Tips:
        tips = read_tips(at.place)
        cut_foreign_objects(at.place, at.mirror)
        if not (tips.head or tips.branches):
            raise UnusableError("it has neither a HEAD nor a branch")
        return tips

    def _judge(self, at: _Attempt, tips: Tips, commits: Sequence[str], paths: tuple[str, ...]) -> Collected:
        stands = tips.head or at.base
        head = self._delivered(at, tips, stands)
        if not self._history.is_ancestor(at.repo, at.base, head):
            raise UnusableError("its history does not grow from the commit that it was given")
        sweeper = self._sweeper(at)
        left = sweeper.find(stands, paths)
        if stands != head:  # the files belong to an older commit: adding them would take the newer work back
            left.outside, left.inside = left.outside + left.inside, []
        refused = sweeper.add(left.inside)
        final = self._commit(at, sweeper, (head,), "uncommitted work of the agent") if left.inside else head
        others = self._beyond(at, [one for one in commits if one != head], final)
        salvage = self._keep_rest(at, sweeper, left, final, others)
        new = {at.ref(ATTEMPTS): final} if final != at.base else {}
        with self._mirrors.lock(at.repo):
            self._history.set_refs(at.mirror, new, self._incoming(at))
        kept_back = left.outside + left.unkept + refused
        return Collected(
            head=final if new else None,
            committed=self._count(at, head),
            swept=_names(path for path in left.inside if path not in refused) if final != head else (),
            left_behind=_names(kept_back),
            salvage=salvage,
        )

    def _delivered(self, at: _Attempt, tips: Tips, stands: str) -> str:
        own = tips.branches.get(branch_of(at.key), stands)
        if self._history.is_ancestor(at.repo, own, stands):
            return stands
        if self._history.is_ancestor(at.repo, stands, own):
            return own
        raise UnusableError(f"its HEAD is on another line of work than its own branch {branch_of(at.key)}")

    def _keep_rest(self, at: _Attempt, sweeper: Sweeper, left: Leftovers, final: str, others: Sequence[str]) -> str:
        """Put what is not delivered under the salvage ref; its name, or nothing."""
        if not (left.outside or others):
            return ""
        sweeper.add(left.outside)
        kept = self._commit(at, sweeper, (final, *others), "not delivered: work of the agent outside its task")
        with self._mirrors.lock(at.repo):
            self._history.set_refs(at.mirror, {at.ref(SALVAGE): kept})
        return at.ref(SALVAGE)

    def _keep_all(self, at: _Attempt) -> tuple[str | None, list[str]]:
        lost: list[str] = []
        try:
            tips = self._read(at)
        except UnusableError as error:
            tips = Tips(None, {}, None, ())
            lost.append(str(error))
        named = [one for one in (tips.head, *tips.branches.values(), tips.stash) if one]
        have = self._fetch_each(at, named, lost) + self._fetch_each(at, tips.past, [])
        stands = tips.head if tips.head in have else at.base
        sweeper = self._sweeper(at)
        left = sweeper.find(stands, ())
        refused = left.unkept + sweeper.add(left.inside)
        lost += [f"a file git will not take: {name}" for name in _names(refused)]
        others = self._beyond(at, [one for one in have if one != stands], stands)
        if not (left.inside or others) and self._history.is_ancestor(at.repo, stands, at.base):
            return None, lost
        if left.inside or others:
            stands = self._commit(at, sweeper, (stands, *others), f"salvaged work of {attempt_name(at.key)}")
        with self._mirrors.lock(at.repo):
            self._history.set_refs(at.mirror, {at.ref(SALVAGE): stands}, self._incoming(at))
        return at.ref(SALVAGE), lost

    def _sweeper(self, at: _Attempt) -> Sweeper:
        at.work.mkdir(exist_ok=True)
        return Sweeper(self._git, at.mirror, at.place, at.work)

    def _commit(self, at: _Attempt, sweeper: Sweeper, parents: tuple[str, ...], message: str) -> str:
        tree = sweeper.tree()
        if len(parents) == 1 and tree == self._history.tree_of(at.repo, parents[0]):
            return parents[0]
        date = self._history.date_of(at.repo, parents[0])  # of the parent: collecting twice gives the same commit
        return self._history.commit_tree(at.repo, tree=tree, parents=parents, message=f"{message}\n", at=date)

    def _fetch(self, at: _Attempt, commits: Sequence[str]) -> None:
        """Import commits with all they need, each object checked. Raises UnusableError: then none is in."""
        wanted = [one for one in dict.fromkeys(commits) if one != at.base]
        if not wanted:
            return
        bridge = at.work / "bridge.git"
        remove(bridge)
        at.work.mkdir(exist_ok=True)
        form = "sha256" if len(at.base) == 64 else "sha1"
        self._git.run("init", "--quiet", "--bare", "--template=", f"--object-format={form}", "--", bridge)
        borrow(bridge, at.mirror, at.place / ".git" / "objects")
        with (bridge / "config").open("a") as config:
            # Both speed git up by believing what a file says about objects; the agent could have written it.
            config.write("[core]\n\tcommitGraph = false\n\tmultiPackIndex = false\n")
        heads = bridge / "refs" / "heads"
        heads.mkdir(parents=True, exist_ok=True)
        for number, commit in enumerate(wanted):
            (heads / f"t{number}").write_text(f"{commit}\n")
        fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", bridge)
        checked = ("fetch.fsckObjects=true",)
        with self._mirrors.lock(at.repo):
            try:
                refspec = f"+refs/heads/t*:{at.ref(_INCOMING)}/t*"
                self._git.run(*fetch, refspec, repo=at.mirror, options=checked, slow=True)
            except GitError as error:
                raise UnusableError(f"its commits cannot be imported: {error}") from None

    def _fetch_each(self, at: _Attempt, commits: Sequence[str], lost: list[str]) -> list[str]:
        """Import what can be imported; what cannot is named in `lost`."""
        wanted = list(dict.fromkeys(commits))
        try:
            self._fetch(at, wanted)
        except UnusableError as error:
            if len(wanted) == 1:
                lost.append(f"commit {short(wanted[0])}: {error}")
                return []
            return [one for commit in wanted for one in self._fetch_each(at, [commit], lost)]
        return wanted

    def _beyond(self, at: _Attempt, commits: Sequence[str], final: str) -> list[str]:
        """Those commits that `final` does not contain, without the ones that others contain."""
        wanted = list(dict.fromkeys(commits))
        if not wanted:
            return []
        apart = self._git.run("merge-base", "--independent", final, *wanted, repo=at.mirror).text.split()
        return [one for one in apart if one != final]

    def _incoming(self, at: _Attempt) -> tuple[str, ...]:
        prefix = f"{at.ref(_INCOMING)}/"
        return tuple(self._git.run("for-each-ref", "--format=%(refname)", prefix, repo=at.mirror).text.split())

    def _count(self, at: _Attempt, head: str) -> int:
        return int(self._git.run("rev-list", "--count", f"{at.base}..{head}", repo=at.mirror).text)

    def _existing(self, at: _Attempt) -> str | None:
        ref = at.ref(SALVAGE)
        found = self._git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref, repo=at.mirror, ok=(0, 1))
        return ref if found.text else None


def _names(paths: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(sorted(printable(path) for path in paths))
