"""What one look of `doctor` says, and how several of them are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ops_orchestrate.cli.exits import Exit
from ops_orchestrate.cli.screen import say
from ops_orchestrate.core.value import Value


class Check(Value):
    """One look at the machine, or at a place outside."""

    what: str
    state: Literal["ok", "warning", "problem"]
    found: str
    remedy: str = ""


def show(checks: Iterable[Check]) -> None:
    """Print each, with what to do about it."""
    for check in checks:
        mark = {"ok": "✓", "warning": "!", "problem": "✗"}[check.state]
        say(f"{mark} {check.what}: {check.found}", indent="  ")
        if check.remedy:
            say(f"    → {check.remedy}", indent="      ")


def exit_of(checks: Iterable[Check]) -> int:
    """1 where something must be mended before a run."""
    return Exit.ERROR if any(check.state == "problem" for check in checks) else Exit.DONE
