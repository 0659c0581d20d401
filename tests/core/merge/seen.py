"""Makers of what the merge gate looks at: a snapshot with everything in favour, to be spoilt one thing at a time."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.merge.pull import (
    BranchRules,
    Check,
    Conclusion,
    Mergeable,
    MergeState,
    Pull,
    PullState,
    RequiredCheck,
    Review,
    ReviewDecision,
    ReviewState,
    Thread,
    ThreadComment,
)
from ops_orchestrate.core.merge.snapshot import MergePolicy, MergeSnapshot

HEAD, OTHER, BASE, BASE2, TREE = ("1" * 40, "2" * 40, "b" * 40, "c" * 40, "e" * 40)
#: The clock of every snapshot. Its pull request is an hour old, its checks ended half an hour ago.
NOW = 10_000.0
PUSHED, STARTED, ENDED = NOW - 3600, NOW - 3000, NOW - 1800
ACTIONS_APP = 15368


def check(name: str = "tests", conclusion: Conclusion = Conclusion.SUCCESS, **kw: Any) -> Check:
    """A check run of workflow 1, run 100."""
    done = conclusion is not Conclusion.PENDING
    values: dict[str, Any] = {
        "kind": "run",
        "id": 1,
        "name": name,
        "conclusion": conclusion,
        "app": ACTIONS_APP,
        "workflow": 1,
        "run": 100,
        "event": "pull_request",
        "started_at": STARTED,
        "completed_at": ENDED if done else 0.0,
    }
    return Check(**(values | kw))


def status(name: str, conclusion: Conclusion, **kw: Any) -> Check:
    """A commit status: no app, no workflow, no run."""
    values: dict[str, Any] = {"kind": "status", "id": 50, "name": name, "conclusion": conclusion}
    return Check(**(values | kw))


def review(state: ReviewState, author: str = "ann", **kw: Any) -> Review:
    values: dict[str, Any] = {"author": author, "state": state, "commit": HEAD, "at": NOW - 900, "trusted": True}
    return Review(**(values | kw))


def thread(*, ours: bool = False, at: float = NOW - 900, **kw: Any) -> Thread:
    """An open thread with one comment."""
    comment = ThreadComment(
        author="bot" if ours else "ann", body="why?", at=at, ours=ours, trusted=kw.pop("trusted", True)
    )
    return Thread(**({"id": "T1", "resolved": False, "path": "a.py", "line": 3, "comments": (comment,)} | kw))


def pull(**kw: Any) -> Pull:
    values: dict[str, Any] = {
        "number": 7,
        "state": PullState.OPEN,
        "title": "Mend the clock",
        "head": HEAD,
        "checks_of": kw.get("head", HEAD),
        "head_ref": "ops/t1",
        "base_ref": "dev",
        "author": "ops-bot",
        "ours": True,
        "created_at": PUSHED,
        "head_at": PUSHED,
        "mergeable": Mergeable.MERGEABLE,
        "merge_state": MergeState.CLEAN,
        "review_decision": ReviewDecision.APPROVED,
        "reviews": (review(ReviewState.APPROVED),),
        "checks": (check(),),
    }
    return Pull(**(values | kw))


def rules(**kw: Any) -> BranchRules:
    values: dict[str, Any] = {"known": True, "protected": True, "required_checks": (RequiredCheck(name="tests"),)}
    return BranchRules(**(values | kw))


def policy(**kw: Any) -> MergePolicy:
    return MergePolicy(**({"integration": "dev"} | kw))


_PARTS = {"pull": pull, "rules": rules, "policy": policy}


def seen(**kw: Any) -> MergeSnapshot:
    """Everything in favour, and confirmed by `--force`. `pull`, `rules` and `policy` may be given as what differs."""
    values: dict[str, Any] = {
        "now": NOW,
        "verified_head": HEAD,
        "verified_base": BASE,
        "verified_tree": TREE,
        "base": BASE,
        "base_checks": (check("push-tests", event="push"),),
        "force": True,
        "new_check_at": STARTED,
    }
    values |= kw
    for name, make in _PARTS.items():
        part = values.get(name, {})
        values[name] = make(**part) if isinstance(part, dict) else part
    return MergeSnapshot(**values)
