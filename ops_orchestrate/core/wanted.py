"""What a person asked for (`--tasks FILE`) as findings: the one source that needs no adapter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.project import Portfolio, Project, Repository
from ops_orchestrate.core.run import RequestedTask
from ops_orchestrate.core.triage import fingerprint


def requested_findings(tasks: Iterable[RequestedTask], portfolio: Portfolio) -> tuple[Finding, ...]:
    """A finding for each task. The id is what it is; description and acceptance are its cause: when they change,
    a task that was done before is wanted again."""
    projects = {project.alias: project for project in portfolio.projects}
    return tuple(_finding(task, projects[task.project]) for task in tasks if task.project in projects)


def _finding(task: RequestedTask, project: Project) -> Finding:
    repo = _repository(task, project).key
    words = "\n".join((task.title, task.description, *task.acceptance))
    return Finding(
        kind=FindingKind.REQUESTED,
        project=task.project,
        repo=repo,
        fingerprint=fingerprint(FindingKind.REQUESTED, task.project, repo, task.id),
        title=task.title,
        detail=task.description,
        source="tasks-file",
        actionable=True,
        priority=task.priority,
        label=task.label,
        task_id=task.id,
        acceptance=task.acceptance,
        paths=task.paths,
        blocked_by=task.blocked_by,
        human=task.human,
        cause=hashlib.sha256(words.encode()).hexdigest()[:16],
    )


def _repository(task: RequestedTask, project: Project) -> Repository:
    """The repository it names, by name or key; the only one of its project otherwise (checked when it was read)."""
    for repository in project.repositories:
        if task.repo in (repository.name, repository.key):
            return repository
    return project.repositories[0]
