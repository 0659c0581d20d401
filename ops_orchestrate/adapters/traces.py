"""Traces of our own earlier work: refs of ours, branches upstream, trailers of merged commits.

What they say comes from git, where others can write too: every part is checked before it is taken for a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops_orchestrate.adapters.git import Git, object_id, printable
from ops_orchestrate.adapters.harvest import ATTEMPTS, SALVAGE
from ops_orchestrate.adapters.mirrors import UPSTREAM
from ops_orchestrate.core.change import OwnBranch
from ops_orchestrate.core.names import is_name, is_run_id

_OURS_UPSTREAM = f"{UPSTREAM}ops/"
_ATTEMPT = re.compile(r"a(\d{1,6})-f(\d{1,20})")
_FINGERPRINT = re.compile(r"[A-Za-z0-9:._-]{1,128}")
_COMMITS = 500
_TRAILERS = ("Ops-Task", "Ops-Run", "Ops-Attempt", "Ops-Fingerprint")
_FORMAT = "%H" + "".join(f"%x00%(trailers:key={name},valueonly,separator=%x0A)" for name in _TRAILERS) + "%x00%x01"


@dataclass(frozen=True, slots=True)
class _Merged:
    """A commit on the integration branch that says it is ours."""

    commit: str
    task: str
    run: str
    attempt: int
    fingerprint: str


def own_branches(git: Git, mirror: Path, integration: str, head: str) -> Sequence[OwnBranch]:
    """Everything of ours that the mirror knows; `head` is the integration branch's."""
    merged = list(_merged(git, mirror, head))
    refs = list(_refs(git, mirror))
    matched = [_with_merge(branch, merged) for branch in refs]
    known = {branch.merged for branch in matched}
    alone = [
        OwnBranch(
            run=one.run,
            task=one.task,
            attempt=one.attempt,
            ref=f"{UPSTREAM}{integration}",
            head=one.commit,
            merged=one.commit,
            fingerprint=one.fingerprint,
        )
        for one in merged
        if one.commit not in known
    ]
    return (*matched, *alone)


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
    return OwnBranch(run=run, task=task, attempt=int(number[1]), ref=ref, head=head)


def _merged(git: Git, mirror: Path, head: str) -> Iterator[_Merged]:
    log = git.run("log", f"-{_COMMITS}", f"--format={_FORMAT}", "--end-of-options", object_id(head), repo=mirror)
    for record in printable(log.out).split("\0\x01"):
        commit, _, values = record.strip("\n").partition("\0")
        # The last trailer of a name counts: a quoted message above it is older text.
        task, run, attempt, fingerprint = (
            [*value.split("\n")][-1].strip() for value in (values.split("\0") + [""] * 4)[:4]
        )
        if is_name(task) and is_run_id(run):
            number = int(attempt) if attempt.isascii() and attempt.isdigit() and len(attempt) < 7 else 0
            print_ = fingerprint if _FINGERPRINT.fullmatch(fingerprint) else ""
            yield _Merged(commit, task, run, number, print_)


def _with_merge(branch: OwnBranch, merged: Sequence[_Merged]) -> OwnBranch:
    """The branch with the merge of its task, if there was one: of that attempt where the trailer names it."""
    for one in merged:
        same = one.task == branch.task and branch.run in ("", one.run)
        if same and one.attempt in (0, branch.attempt):
            return branch.model_copy(update={"merged": one.commit, "fingerprint": one.fingerprint, "run": one.run})
    return branch
