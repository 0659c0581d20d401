"""Traces of our own earlier work: refs of ours, branches upstream, lines in the messages of merged commits.

What they say comes from git, where others can write too: every part is checked before it is taken for a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ops_orchestrate.adapters.git import Git, object_id, printable
from ops_orchestrate.adapters.harvest import ATTEMPTS, SALVAGE
from ops_orchestrate.adapters.mirrors import UPSTREAM
from ops_orchestrate.core.change import OwnBranch
from ops_orchestrate.core.mark import TASK, Mark, read_marks
from ops_orchestrate.core.message import MERGE_KEY
from ops_orchestrate.core.names import is_name, is_run_id

_OURS_UPSTREAM = f"{UPSTREAM}ops/"
_KEY = re.compile(rf"^{MERGE_KEY}: \S+/([0-9a-f]{{40}}|[0-9a-f]{{64}})$", re.MULTILINE)
_ATTEMPT = re.compile(r"a(\d{1,6})-f(\d{1,20})", re.ASCII)
COMMITS = 200_000
"""Commits of the base branches that are looked through, the newest first: about a second."""
MERGES = 2_000
"""Merged commits of ours that are read, the newest first."""


class _Merge(NamedTuple):
    """A commit on a base branch that says it is ours."""

    commit: str
    ref: str
    mark: Mark


def own_branches(git: Git, mirror: Path, bases: Mapping[str, str]) -> Sequence[OwnBranch]:
    """Everything of ours that the mirror knows: what is merged, the newest first, then what is not.

    `bases`: the branches that work is merged into, by name, with their heads.
    """
    merges = list(_merges(git, mirror, bases))
    found: list[tuple[int, OwnBranch]] = []
    waiting: list[OwnBranch] = []
    for branch in _refs(git, mirror):
        at = next((at for at, one in enumerate(merges) if _is_merge_of(one.mark, branch)), None)
        if at is None:
            waiting.append(branch)
        else:
            found.append((at, _merged(branch, merges[at])))
    known = {at for at, _ in found}
    found += [(at, _alone(one)) for at, one in enumerate(merges) if at not in known]
    return (*(one for _, one in sorted(found, key=lambda pair: pair[0])), *waiting)


def merged_heads(git: Git, mirror: Path, base: str) -> set[str]:
    """Heads of ours that a branch holds under another id: a squash names the head that it was made of."""
    log = git.run(
        *("log", f"-{MERGES}", "--fixed-strings", f"--grep={MERGE_KEY}: ", "--format=%B"),
        *("--end-of-options", object_id(base)),
        repo=mirror,
        cut_ok=True,
    )
    return set(_KEY.findall(printable(log.out)))


def _refs(git: Git, mirror: Path) -> Iterator[OwnBranch]:
    listed = git.run(
        "for-each-ref", "--format=%(objectname) %(refname)", ATTEMPTS, SALVAGE, _OURS_UPSTREAM, repo=mirror
    )
    for line in printable(listed.out).splitlines():
        head, _, ref = line.partition(" ")
        branch = _read_ref(ref, head)
        if branch:
            yield branch


def _read_ref(ref: str, head: str) -> OwnBranch | None:
    """`refs/ops/<kind>/<run>/<task>/<attempt>`, or upstream `ops/<task>/<attempt>`, which names no run."""
    space = next(space for space in (ATTEMPTS, SALVAGE, _OURS_UPSTREAM) if ref.startswith(space))
    parts = ref.removeprefix(space).split("/")
    if space == _OURS_UPSTREAM:
        parts = ["", *parts]
    if len(parts) != 3:
        return None
    run, task, attempt = parts
    number = _ATTEMPT.fullmatch(attempt)
    if not number or not is_name(task) or (run and not is_run_id(run)):
        return None
    return OwnBranch(run=run, task=task, attempt=int(number[1]), fence=int(number[2]), ref=ref, head=head)


def _merges(git: Git, mirror: Path, bases: Mapping[str, str]) -> Iterator[_Merge]:
    """Commits of the base branches that name a task of ours, the newest first."""
    refs = {object_id(head): f"{UPSTREAM}{name}" for name, head in reversed(list(bases.items()))}
    edge = git.run(
        *("rev-list", "--max-count=1", f"--skip={COMMITS}", "--end-of-options", *refs),
        repo=mirror,
    ).text
    log = git.run(
        *("log", f"-{MERGES}", "--fixed-strings", f"--grep={TASK}: ", "--format=%H %S%x00%B%x00%x01"),
        *("--end-of-options", *refs, *([f"^{object_id(edge)}"] if edge else [])),
        repo=mirror,
        cut_ok=True,  # by one enormous message, nobody is to keep the rest from being read
    )
    for record in printable(log.out).split("\0\x01"):
        commit, _, message = record.lstrip("\n").partition("\0")
        commit, _, source = commit.partition(" ")
        for mark in read_marks(message):
            yield _Merge(commit, refs.get(source, source), mark)


def _is_merge_of(mark: Mark, branch: OwnBranch) -> bool:
    """Whether a merge took this branch: of its attempt, where the merge names one; fences are never given twice."""
    if mark.task != branch.task or branch.run not in ("", mark.run):
        return False
    if mark.fence:
        return (mark.attempt, mark.fence) == (branch.attempt, branch.fence)
    return bool(branch.run) and mark.attempt in (0, branch.attempt)


def _merged(branch: OwnBranch, merge: _Merge) -> OwnBranch:
    mark = merge.mark
    known = {"merged": merge.commit, "prints": mark.prints, "share": mark.share, "run": mark.run}
    return branch.model_copy(update=known)


def _alone(merge: _Merge) -> OwnBranch:
    """A merge whose branch is gone."""
    mark = merge.mark
    return OwnBranch(
        run=mark.run,
        task=mark.task,
        attempt=mark.attempt,
        fence=mark.fence,
        ref=merge.ref,
        head=merge.commit,
        merged=merge.commit,
        prints=mark.prints,
        share=mark.share,
    )
