"""Makers of diffs and refusals for the tests of the guards and of the verdict."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.change import Diff, FileChange
from ops_orchestrate.core.refusal import Consequence, Refusal, Subject
from tests.builders import make_task

BASE, HEAD = "b" * 40, "a" * 40


def changed(path: str = "src/t1/a.py", **kw: Any) -> FileChange:
    """One file: modified unless `status` says otherwise, with the modes that go with that."""
    status = kw.get("status", "M")
    modes = {
        "old_mode": "000000" if status == "A" else "100644",
        "new_mode": "000000" if status == "D" else "100644",
    }
    return FileChange(**({"path": path, "status": status} | modes | kw))


def make_diff(*files: FileChange, **kw: Any) -> Diff:
    """A diff of these files."""
    return Diff(**({"base": BASE, "head": HEAD, "merge_base": BASE, "files": files} | kw))


def make_subject(*files: FileChange, **kw: Any) -> Subject:
    """What the guards see of these files, made for a task without declared paths unless `spec` is given."""
    return Subject(**({"diff": make_diff(*files), "spec": make_task(paths=())} | kw))


def make_refusal(consequence: Consequence, **kw: Any) -> Refusal:
    """A refusal with that consequence."""
    return Refusal(
        **({"rule": f"rule-{consequence}", "detail": "It may not.", "files": ("f",)} | kw), consequence=consequence
    )
