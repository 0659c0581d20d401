"""`topics_active.md`: which projects people are talking about, as priority context and nothing more.

Its text comes out of other people's messages. It never becomes a task, a title or an instruction: a topic can
set a project's deadline and raise its priority by one, and that only where it names the project.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.project import Project
from ops_orchestrate.core.value import Value

TEXT_LIMIT = 200_000
_HEADING = re.compile(r"###\s+(\S.*)")
_FIELD = re.compile(r"\s{0,3}[-*]\s+\*\*(Summary|Action|Deadline)\*\*:\s*(\S.*)", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?!\d)", re.ASCII)
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Topic(Value):
    """One topic: only what is looked at."""

    title: str
    summary: str = ""
    action: str = ""
    deadline: str | None = None
    """ISO date."""


def parse_topics(text: str) -> tuple[Topic, ...]:
    """Every topic that has a heading; a beginning that was cut off is left out. Never raises."""
    topics: list[dict[str, str]] = []
    for line in text[:TEXT_LIMIT].splitlines():
        heading = _HEADING.match(line)
        if heading:
            topics.append({"title": one_line(heading[1])})
        elif topics and (field := _FIELD.match(line)):
            topics[-1].setdefault(field[1].lower(), one_line(field[2], 500))
    return tuple(
        Topic(
            title=topic["title"],
            summary=topic.get("summary", ""),
            action=topic.get("action", ""),
            deadline=_date(topic.get("deadline", "")),
        )
        for topic in topics
        if topic["title"]
    )


def with_topics(projects: Sequence[Project], topics: Sequence[Topic]) -> tuple[Project, ...]:
    """The projects with the nearest deadline of the topics that name them, and their priority one higher."""
    return tuple(_with(project, topics) for project in projects)


def _with(project: Project, topics: Sequence[Topic]) -> Project:
    about = [topic for topic in topics if _names(topic, project)]
    pressing = [topic for topic in about if topic.action or topic.deadline]
    if not pressing:
        return project
    deadlines = [topic.deadline for topic in pressing if topic.deadline]
    return project.model_copy(
        update={
            "priority": max(1, project.priority - 1),
            "deadline": min(deadlines, default=project.deadline),
        }
    )


def _names(topic: Topic, project: Project) -> bool:
    """Whether a topic names the project as a whole word; names under three letters match too much."""
    text = f"{topic.title}\n{topic.summary}".casefold()
    names = {project.alias, *(repository.name for repository in project.repositories)}
    return any(re.search(rf"(?<![\w-]){re.escape(name.casefold())}(?![\w-])", text) for name in names if len(name) > 2)


def _date(text: str) -> str | None:
    found = _DATE.match(text)
    if not found:
        return None
    month, day = int(found[2]), int(found[3])
    return found.group() if 1 <= month <= 12 and 1 <= day <= _MONTH_DAYS[month - 1] else None
