"""The safety rails as code: one named guard a rail, in the order in which they are asked.

`verify` asks `judge` about every change, and whoever moves a branch asks `refuse_push` right before it does.
No flag skips a guard: `--force` skips a confirmation, an approval (bound to one commit) lifts what says `ask`,
and nothing lifts what says `block`. docs/safety.md lists rail, guard and test.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from ops_orchestrate.core import guard_files
from ops_orchestrate.core.names import is_branch, one_line
from ops_orchestrate.core.refusal import Consequence, Refusal, Subject
from ops_orchestrate.core.weakened import weakened_tests


class Guard(NamedTuple):
    """One rail: its name in events and reports, and its rule."""

    name: str
    rule: Callable[[Subject], Refusal | None]


GUARDS: tuple[Guard, ...] = (
    Guard("secret-files", guard_files.secret_files),
    Guard("secrets-in-diff", guard_files.secrets_in_diff),
    Guard("ownership", guard_files.ownership),
    Guard("special-files", guard_files.special_files),
    Guard("ci-config", guard_files.ci_config),
    Guard("planning-state", guard_files.planning_state),
    Guard("weakened-tests", weakened_tests),
    Guard("size", guard_files.size),
    Guard("sensitive-paths", guard_files.sensitive_paths),
)

#: Branches that many repositories share, refused for rewriting even where nobody configured them.
SHARED_NAMES = frozenset(
    {"main", "master", "trunk", "dev", "develop", "development", "production", "release", "staging"}
)

#: How a branch may be moved at all; every one of them only ever adds commits.
MOVES_FORWARD = frozenset({"create", "fast-forward", "squash", "merge"})
#: What rewrites or removes history: never on a shared branch.
REWRITES = frozenset({"force", "reset", "delete"})


def judge(subject: Subject) -> tuple[Refusal, ...]:
    """Every refusal of the change, in the order of GUARDS; empty if nothing stands against it."""
    return tuple(no for guard in GUARDS if (no := guard.rule(subject)) is not None)


def strictest(refusals: Collection[Refusal]) -> Refusal | None:
    """The refusal that decides: what nothing lifts, then what an attempt can repair, then what a person may approve."""
    order = (Consequence.BLOCK, Consequence.RETRY, Consequence.ASK)
    return min(refusals, key=lambda refusal: order.index(refusal.consequence), default=None)


def refuse_push(branch: str, protected: Collection[str], method: str) -> Refusal | None:
    """Asked at the point of effect: whether `branch` may be moved by `method` (one of MOVES_FORWARD or REWRITES).

    `protected` are the repository's shared branches (integration, main). An unknown method is refused.
    """
    if not is_branch(branch):
        return _branch("unsafe-branch", f"{one_line(branch, 80)!r} is not a plain branch name", branch)
    if method in MOVES_FORWARD:
        return None
    if method not in REWRITES:
        return _branch("unknown-method", f"nothing is pushed by the unknown method {one_line(method, 40)!r}", branch)
    shared = SHARED_NAMES | {name.casefold() for name in protected}
    if branch.casefold() not in shared:
        return None
    return _branch("no-rewrite", f"{branch} is a shared branch: its history is never rewritten or removed", branch)


def _branch(rule: str, detail: str, branch: str) -> Refusal:
    return Refusal(rule=rule, detail=detail, files=(branch,), consequence=Consequence.BLOCK)
