"""The git command that shows a change to the person who is asked about it: the mirrors hold every attempt."""

from __future__ import annotations

import shlex

from ops_orchestrate.config import Settings
from ops_orchestrate.core.names import is_name, short


def diff_command(settings: Settings, repo: str, base: str, head: str) -> str:
    """What shows `head` against `base`; empty where either is not known, or the mirror is on another host."""
    if not (is_name(repo) and _is_commit(base) and _is_commit(head)):
        return ""
    mirror = settings.state_dir / "mirrors" / f"{repo}.git"
    if not mirror.is_dir():
        return ""
    return shlex.join(["git", f"--git-dir={mirror}", "diff", f"{short(base)}...{short(head)}"])


def _is_commit(text: str) -> bool:
    return len(text) >= 40 and set(text) <= set("0123456789abcdef")
