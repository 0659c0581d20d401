"""`--tasks FILE`: work that a person asks for, checked field by field. See docs/tasks-file.md.

Stands in for the seed's "conversation context". Every mistake is a TasksFileError that names file, task and
field; nothing is guessed, and nothing is dropped without being listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ops_orchestrate.core.names import clean_text, is_name, one_line
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.core.project import Portfolio, Project, Skipped
from ops_orchestrate.core.run import RequestedTask
from ops_orchestrate.core.strict_json import decode_text, load_json
from ops_orchestrate.core.strict_yaml import load_yaml
from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import TasksFileError

LIMIT = 1_000_000
MAX_TASKS = 5_000
_PRIORITY = re.compile(r"P[0-3](-[A-Za-z0-9][A-Za-z0-9-]{0,30})?")
_NEEDED = ("id", "project", "title")


class TasksFile(Value):
    """The tasks of a file that belong to the run, and those that do not."""

    tasks: tuple[RequestedTask, ...]
    skipped: tuple[Skipped, ...] = ()


def parse_tasks(data: bytes, *, origin: str, portfolio: Portfolio) -> TasksFile:
    """Read a list of tasks, in YAML or JSON, against what the run works on.

    Tasks of projects that are known but not in the run are listed as skipped, and so is what waits for them.
    Raises TasksFileError.
    """
    text = decode_text(data, origin=origin, error=TasksFileError, limit=LIMIT)
    is_json = text.lstrip("\ufeff \t\r\n").startswith(("{", "["))
    raw = load_json(data, origin=origin, error=TasksFileError, limit=LIMIT) if is_json else load_yaml(text, origin)
    entries = _entries(raw, origin)
    tasks = [_task(one, number, origin) for number, one in enumerate(entries, 1)]
    _check_ids(tasks, origin)
    kept: list[RequestedTask] = []
    left_out: dict[str, str] = {}
    for task in tasks:
        reason = _outside(task, portfolio, origin)
        if reason:
            left_out[task.id] = reason
        else:
            kept.append(_placed(task, portfolio, origin))
    _follow(kept, left_out)
    skipped = tuple(Skipped(name=name, reason=reason) for name, reason in left_out.items())
    return TasksFile(tasks=tuple(task for task in kept if task.id not in left_out), skipped=skipped)


def _entries(raw: Any, origin: str) -> list[Any]:
    if isinstance(raw, dict):
        if "tasks" not in raw:
            raise TasksFileError(f'{origin} must be a list of tasks, or have the list under "tasks".')
        extra = [key for key in raw if key != "tasks"]
        if extra:
            raise TasksFileError(f'{origin}: "{one_line(str(extra[0]), 60)}" is not known beside "tasks".')
        raw = raw["tasks"]
    if not isinstance(raw, list):
        raise TasksFileError(f"{origin} must be a list of tasks.")
    if len(raw) > MAX_TASKS:
        raise TasksFileError(f"{origin} has {len(raw)} tasks; {MAX_TASKS} is the most.")
    return raw


class _Place:
    """Which task of which file a message is about."""

    def __init__(self, origin: str, task: str) -> None:
        self._prefix = f"{origin}: task {task}"

    def fail(self, field: str, reason: str) -> NoReturn:
        raise TasksFileError(f"{self._prefix}, field `{one_line(field, 60)}`: {reason}")


def _task(raw: Any, number: int, origin: str) -> RequestedTask:
    if not isinstance(raw, dict):
        raise TasksFileError(f"{origin}: task number {number} must be a mapping with id, project and title.")
    label = raw.get("id")
    place = _Place(origin, f'"{one_line(str(label), 60)}"' if isinstance(label, str | int) else f"number {number}")
    for key in raw:
        if key not in _READERS:
            place.fail(str(key), f"is not a known field.{did_you_mean(str(key), _READERS)}")
    for key in _NEEDED:
        if raw.get(key) is None:
            place.fail(key, "is missing.")
    values = _values(raw, place)
    priority = values.pop("priority", None)
    if priority is not None:
        values |= {"priority": Priority(priority[:2]), "label": priority}
    if values["id"] in values.get("blocked_by", ()):
        place.fail("blocked_by", "names the task itself.")
    return RequestedTask(**values)


def _values(raw: dict[Any, Any], place: _Place) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in raw.items():
        try:
            values |= {} if value is None else {key: _READERS[key](value)}
        except ValueError as bad:
            place.fail(key, str(bad))
    return values


def _check_ids(tasks: Sequence[RequestedTask], origin: str) -> None:
    seen: set[str] = set()
    for task in tasks:
        if task.id.casefold() in seen:
            _Place(origin, f'"{task.id}"').fail("id", "is used twice; ids must differ.")
        seen.add(task.id.casefold())


def _outside(task: RequestedTask, portfolio: Portfolio, origin: str) -> str:
    """Why a task is not for this run; empty where it is. Raises TasksFileError for an unknown project."""
    known = [project.alias for project in portfolio.projects]
    if task.project in known:
        return ""
    if task.project in portfolio.out_of_scope:
        return f"project {task.project} is not in the scope of this run"
    why = next((one.reason for one in portfolio.skipped if one.name == task.project), None)
    if why is not None:
        return f"project {task.project} is skipped: {why}"
    hint = did_you_mean(task.project, [*known, *portfolio.out_of_scope])
    reason = f'"{one_line(task.project, 60)}" is not registered.{hint}'
    return _Place(origin, f'"{task.id}"').fail("project", reason)


def _placed(task: RequestedTask, portfolio: Portfolio, origin: str) -> RequestedTask:
    """The task with the name of its repository. Raises TasksFileError where that is unknown or not said."""
    project: Project = next(one for one in portfolio.projects if one.alias == task.project)
    names = [repository.name for repository in project.repositories]
    place = _Place(origin, f'"{task.id}"')
    if task.repo is None:
        if len(names) > 1:
            place.fail("repo", f"is missing: project {project.alias} has {', '.join(names[:10])}.")
        return task.model_copy(update={"repo": names[0]})
    for repository in project.repositories:
        if task.repo in (repository.name, repository.slug, repository.key):
            return task.model_copy(update={"repo": repository.name})
    hint = did_you_mean(task.repo, names)
    return place.fail("repo", f'"{one_line(task.repo, 60)}" is no repository of project {project.alias}.{hint}')


def _follow(kept: Sequence[RequestedTask], left_out: dict[str, str]) -> None:
    """Add to `left_out` what waits, directly or not, for something that is left out."""
    dependants: dict[str, list[str]] = {}
    for task in kept:
        for blocker in task.blocked_by:
            dependants.setdefault(blocker, []).append(task.id)
    queue = list(left_out)
    while queue:
        gone = queue.pop()
        for waiting in dependants.get(gone, ()):
            if waiting not in left_out:
                left_out[waiting] = f"waits for {gone}, which is left out"
                queue.append(waiting)


def _string(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be text.")
    text = str(value).strip()
    if not text:
        raise ValueError("is empty.")
    return text


def _line(value: Any) -> str:
    return one_line(_string(value), 300)


def _prose(value: Any) -> str:
    return clean_text(_string(value))


def _id(value: Any) -> str:
    text = _string(value)
    if not is_name(text) or len(text) > 60:
        raise ValueError("may only have letters, digits, dots, dashes and underscores, 60 at most.")
    return text


def _many(reader: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    """A reader of a list; one single text counts as a list of one."""

    def read(value: Any) -> tuple[str, ...]:
        items = [value] if isinstance(value, str | int) else value
        if not isinstance(items, list):
            raise ValueError("must be a list.")
        if len(items) > 500:
            raise ValueError("has more than 500 items.")
        return tuple(dict.fromkeys(reader(item) for item in items))

    return read


def _glob(value: Any) -> str:
    text = _string(value).removeprefix("./")
    parts = text.split("/")
    if not text.isprintable() or "\\" in text or text[:1] in {"/", "~", "-", ":"} or not text:
        raise ValueError(f'"{one_line(text, 60)}" is not a path inside the repository.')
    if ".." in parts or any(part.lower() == ".git" for part in parts):
        raise ValueError(f'"{one_line(text, 60)}" leaves the repository.')
    return text


def _priority(value: Any) -> str:
    text = _string(value)
    if not _PRIORITY.fullmatch(text):
        raise ValueError('must be P0, P1, P2 or P3, or the long form such as "P1-revenue".')
    return text


_READERS: dict[str, Callable[[Any], Any]] = {
    "id": _id,
    "project": _line,
    "repo": _line,
    "title": _line,
    "description": _prose,
    "acceptance": _many(_line),
    "paths": _many(_glob),
    "priority": _priority,
    "blocked_by": _many(_line),
    "human": _line,
}
