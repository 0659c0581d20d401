"""Commits that travel: what one host has made, and another one has to verify, to ship or to go on from.

Each host has mirrors of its own, filled from upstream. What is not upstream yet (an attempt's head, the merge that was
previewed, a commit that a push was announced with) goes as a git bundle through the post, under the id
of the object that is asked for. The receiver imports it as it imports an agent's work: each object checked, no ref of
the sender taken over.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

from ops_orchestrate.adapters.borrowing import borrow
from ops_orchestrate.adapters.git import Git, object_id
from ops_orchestrate.core.names import one_line, short
from ops_orchestrate.errors import GitError

PARCELS = "refs/ops/parcels/"
_EMPTY = "empty bundle"


class Post(Protocol):
    """Carries bundles between hosts."""

    def put(
        self, repo: str, name: str, bundle: bytes, *, also: tuple[str, ...] = (), sender: str = "", most: int = 0
    ) -> int:
        """Leave a bundle under a name, to be found under those of `also` as well.

        Answers how many bytes the sender has there with it. Where that is more than `most`, nothing was left.
        """

    def get(self, repo: str, name: str) -> bytes | None:
        """The bundle of that name."""


class Parcels:
    """Sends and receives for the mirrors of one host. Whoever calls holds the mirror's lock."""

    def __init__(self, git: Git, post: Post, limit: int, *, sender: str = "", most: int = 0) -> None:
        """`limit`: bytes of one parcel; `most`: of all that this machine (`sender`) has on the way, 0: any number."""
        self._git = git
        self._post = post
        self._limit = limit
        self._sender = sender
        self._most = most

    def send(self, repo: str, mirror: Path, commit: str, *, also: tuple[str, ...], known: list[str]) -> None:
        """Post what `commit` has beyond the `known` refs, under its id and under those of `also`.

        Raises GitError where it is too large to travel, or too much is on its way.
        """
        ref = f"{PARCELS}{object_id(commit)}"
        self._git.run("update-ref", "--no-deref", ref, commit, repo=mirror)
        bundle = self._bundle(mirror, ref, known)
        if bundle is None:
            return  # upstream has all of it, and so has every host
        if len(bundle) > self._limit:
            raise GitError(
                f"The commits of {short(commit)} take {len(bundle) / 1e6:.1f} MB, more than travels to another host "
                f"(OPS_CARRY_MB is {self._limit / 1e6:g}); they are on this one"
            )
        held = self._post.put(repo, commit, bundle, also=also, sender=self._sender, most=self._most)
        if self._most and held > self._most:
            raise GitError(
                f"The commits of {short(commit)} do not travel: with them this machine would have "
                f"{held / 1e6:.1f} MB in the ledger (OPS_CARRY_TOTAL_MB is {self._most / 1e6:g}); they are on this "
                "one, and room is made by what nobody asks for in 30 days"
            )

    def receive(self, repo: str, mirror: Path, name: str) -> bool:
        """Import the parcel of that object; False where there is none. Raises GitError for one that is no good."""
        bundle = self._post.get(repo, object_id(name))
        if bundle is None:
            return False
        if len(bundle) > self._limit:
            raise GitError(
                f"What another host has sent for {short(name)} takes {len(bundle) / 1e6:.1f} MB, more than is taken "
                f"here (OPS_CARRY_MB is {self._limit / 1e6:g})"
            )
        with tempfile.TemporaryDirectory(prefix="ops-parcel-") as folder:
            try:
                bridge = self._opened(Path(folder), bundle, mirror, name)
                self._fetch(bridge, f"+{PARCELS}*:{PARCELS}*", into=mirror)
            except GitError as error:
                raise GitError(f"What came from another host cannot be imported: {one_line(str(error), 300)}") from None
        return True

    def _opened(self, folder: Path, bundle: bytes, mirror: Path, name: str) -> Path:
        """A git folder that has the bundle's objects beside the mirror's. Raises GitError where `name` is none of both.

        Git before 2.46 checks nothing that it takes out of a bundle, and what it fetches from a folder always.
        """
        file, bridge = folder / "bundle", folder / "bridge.git"
        file.write_bytes(bundle)
        form = "sha256" if len(name) == 64 else "sha1"
        self._git.run("init", "--quiet", "--bare", "--template=", f"--object-format={form}", "--", bridge)
        borrow(bridge, mirror)
        self._fetch(file, f"+{PARCELS}*:{PARCELS}*", into=bridge)
        self._git.run("cat-file", "-e", name, repo=bridge)
        return bridge

    def _fetch(self, source: Path, refspec: str, *, into: Path) -> None:
        words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", source, refspec)
        self._git.run(*words, repo=into, options=("fetch.fsckObjects=true",), slow=True)

    def _bundle(self, mirror: Path, ref: str, known: list[str]) -> bytes | None:
        with tempfile.TemporaryDirectory(prefix="ops-parcel-") as folder:
            file = Path(folder) / "bundle"
            try:
                self._git.run("bundle", "create", "--quiet", file, ref, "--not", *known, repo=mirror, slow=True)
            except GitError as error:
                if _EMPTY in str(error):
                    return None
                raise
            return file.read_bytes()
