"""Removes refs of ours that nobody needs any more. Work that is not merged has nothing to fear, however old it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ops_orchestrate.adapters.git import Git, printable
from ops_orchestrate.adapters.harvest import ATTEMPTS, SALVAGE
from ops_orchestrate.adapters.history import PREVIEW
from ops_orchestrate.adapters.mirrors import BASES
from ops_orchestrate.adapters.parcels import PARCELS
from ops_orchestrate.adapters.traces import merged_heads, own_branches

_OURS = (ATTEMPTS, SALVAGE, PARCELS)
#: Git's own `gc --auto` begins at about as many; it is off, since it would begin in the middle of other work.
MANY_LOOSE, MANY_PACKS = 5_000, 50
_FORMAT = "--format=%(objectname) %(committerdate:unix) %(tree) %(refname) %(parent)%00%(contents:subject)"


class _Ref(NamedTuple):
    commit: str
    date: float
    tree: str
    name: str
    parents: tuple[str, ...]
    subject: str


def tidy(git: Git, mirror: Path, integration: str, *, merged: set[str], before: float) -> int:
    """Remove those of our refs that are older and are in `merged`, or in the branch at `integration`, or a preview.

    A preview of a merge is made again whenever it is asked for. A head that has travelled goes once a commit of the
    branch says that it was made of it. What was salvaged goes only where the branch holds it:
    its attempt may be merged without it. How many were removed. Raises GitError.
    """
    inside = {ref.name for ref in _refs(git, mirror, f"--merged={integration}")}
    squashed = merged_heads(git, mirror, integration)
    refs = list(_refs(git, mirror))
    # What a preview was made from may have come here with it, and with nothing else.
    kept = squashed | {ref.commit for ref in refs if ref.subject != PREVIEW}
    gone = [
        ref
        for ref in refs
        if ref.date < before
        and (
            ref.name in inside
            or (ref.name in merged and not ref.name.startswith(SALVAGE))
            or (ref.name.startswith(PARCELS) and (ref.commit in squashed or _is_preview(git, mirror, ref, kept)))
        )
    ]
    orders = "".join(f"delete {ref.name} {ref.commit}\n" for ref in gone)
    if orders:
        git.run("update-ref", "--no-deref", "--stdin", repo=mirror, stdin=orders.encode())
    return len(gone)


def unmerged(git: Git, mirror: Path, branches: Mapping[str, str]) -> bool:
    """Whether the mirror has work of ours that no branch of upstream holds, by itself or as a squash of it.

    `branches`: upstream's, name to commit; only those of usual base branches are asked for squashes. Raises GitError.
    """
    bases = {name: head for name, head in branches.items() if name in BASES}
    squashed = {head for base in bases.values() for head in merged_heads(git, mirror, base)}
    merged = {one.ref for one in own_branches(git, mirror, bases) if one.merged} if bases else set()
    inside = {ref.name for head in {*branches.values()} for ref in _refs(git, mirror, f"--merged={head}")}
    refs = list(_refs(git, mirror))
    done = {ref.name for ref in refs if ref.name in merged or ref.commit in squashed}
    held = inside | {name for name in done if not name.startswith(SALVAGE)}
    kept = squashed | {ref.commit for ref in refs if ref.name in held}
    return any(ref.name not in held and not _is_preview(git, mirror, ref, kept) for ref in refs)


def pack(git: Git, mirror: Path, *, before: float) -> bool:
    """Put all objects into one pack where many lie about; what no ref has any more goes once it is older. Whether so.

    Trees of agents borrow objects of the mirror: what they may still read is younger. Raises GitError.
    """
    said = git.run("count-objects", "--verbose", repo=mirror).text
    counts = dict(line.split(": ", 1) for line in said.splitlines())
    if int(counts["count"]) < MANY_LOOSE and int(counts["packs"]) < MANY_PACKS:
        return False
    when = datetime.fromtimestamp(before, UTC).isoformat(timespec="seconds")
    git.run("repack", "-A", "-d", "-l", "--quiet", f"--unpack-unreachable={when}", repo=mirror, slow=True)
    git.run("prune", f"--expire={when}", repo=mirror, slow=True)
    return True


def _is_preview(git: Git, mirror: Path, ref: _Ref, kept: set[str]) -> bool:
    """Whether it holds nothing but the merge that git makes of its parents, the second of which is kept without it.

    Its subject proves nothing: an agent may call its own work so.
    """
    if ref.subject != PREVIEW or len(ref.parents) != 2 or ref.parents[1] not in kept:
        return False
    made = git.run("merge-tree", "--write-tree", "--no-messages", *ref.parents, repo=mirror, ok=(0, 1))
    return made.code == 0 and made.text == ref.tree


def _refs(git: Git, mirror: Path, *more: str) -> Iterator[_Ref]:
    for line in printable(git.run("for-each-ref", _FORMAT, *more, *_OURS, repo=mirror).out).splitlines():
        told, _, subject = line.partition("\0")
        words = told.split()
        if len(words) >= 4:  # a ref to anything but a commit has no date, and is nothing of ours
            commit, date, tree, name, *parents = words
            yield _Ref(commit, float(date), tree, name, tuple(parents), subject)
