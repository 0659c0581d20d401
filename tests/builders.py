"""Small makers of values with sensible defaults, so that a test says only what it is about."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, Settlement, StageKey
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.project import Portfolio, Project, Repository
from ops_orchestrate.core.review import Review, ReviewVerdict
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import Mode, TaskSpec


def make_repository(key: str = "app", **kw: Any) -> Repository:
    """A repository named by its key."""
    values: dict[str, Any] = {
        "key": key,
        "name": key,
        "path": f"/srv/code/{key}",
        "upstream": f"/srv/upstream/{key}.git",
    }
    return Repository(**(values | kw))


def make_project(alias: str = "app", **kw: Any) -> Project:
    """A project with one repository of the same name."""
    values: dict[str, Any] = {"alias": alias, "repositories": (make_repository(alias),)}
    return Project(**(values | kw))


def make_portfolio(*projects: Project, **kw: Any) -> Portfolio:
    """A portfolio of these projects; of one called `app` when none is given."""
    values: dict[str, Any] = {
        "origin": "/srv/data/registry.json",
        "digest": "0" * 64,
        "projects": projects or (make_project(),),
    }
    return Portfolio(**(values | kw))


def make_request(**kw: Any) -> RunRequest:
    """A request in the mode `subagents` over one project."""
    values: dict[str, Any] = {"portfolio": make_portfolio(), "mode": Mode.SUBAGENTS, "agent": "scripted"}
    return RunRequest(**(values | kw))


def make_task(id: str = "t1", **kw: Any) -> TaskSpec:
    """A task of the repository `app` that may change `src/ID/**`."""
    values: dict[str, Any] = {
        "id": id,
        "project": "app",
        "repo": "app",
        "title": f"Do {id}",
        "paths": (f"src/{id}/**",),
        "fingerprint": f"fp-{id}",
        "base": "dev",
    }
    return TaskSpec(**(values | kw))


def stage_key(run: str = "r1", task: str = "t1", attempt: int = 1, fence: int = 1, seq: int = 0) -> StageKey:
    """The key of one stage of one attempt."""
    return StageKey(run=run, task=task, attempt=attempt, fence=fence, seq=seq)


def make_finding(fingerprint: str = "fp-t1", **kw: Any) -> Finding:
    """An actionable finding of the repository `app`."""
    values: dict[str, Any] = {
        "kind": FindingKind.REQUESTED,
        "project": "app",
        "repo": "app",
        "fingerprint": fingerprint,
        "title": f"Finding {fingerprint}",
        "source": "tasks-file",
        "actionable": True,
    }
    return Finding(**(values | kw))


def make_part(part: str = "git", *findings: Finding, **kw: Any) -> AuditPart:
    """A part of an audit with these findings."""
    return AuditPart(**({"part": part, "findings": findings} | kw))


def make_outcome(kind: OutcomeKind = OutcomeKind.SUCCEEDED, **kw: Any) -> Outcome:
    """An outcome of that kind."""
    return Outcome(**({"kind": kind, "summary": f"It {kind.value}."} | kw))


def make_settlement(state: TaskState = TaskState.COMPLETED, **kw: Any) -> Settlement:
    """A settlement into that state."""
    return Settlement(**({"state": state, "reason": f"It is {state.value}."} | kw))


def make_review(verdict: ReviewVerdict = ReviewVerdict.APPROVE, **kw: Any) -> Review:
    """A review of the head `h1`, which grew from `m1`."""
    values: dict[str, Any] = {"verdict": verdict, "head": "h1", "base": "b1", "merge_base": "m1", "agent": "scripted"}
    return Review(**(values | kw))
