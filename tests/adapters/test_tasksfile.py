"""The file of `--tasks` on disk; what may be in it is tested in tests/core/test_requested.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.adapters.tasksfile import load_tasks
from ops_orchestrate.errors import TasksFileError
from tests.builders import make_portfolio


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tasks.yml"
    path.write_text("- {id: a, project: app, title: Go}\n")
    (task,) = load_tasks(path, make_portfolio()).tasks
    assert (task.id, task.repo, task.title) == ("a", "app", "Go")


def test_mistakes_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tasks.yml"
    path.write_text("- {id: a, project: app}\n")
    with pytest.raises(TasksFileError) as caught:
        load_tasks(path, make_portfolio())
    assert str(caught.value) == f'{path}: task "a", field `title`: is missing.'


def test_a_missing_file_and_a_folder_are_one_sentence_each(tmp_path: Path) -> None:
    with pytest.raises(TasksFileError, match="does not exist"):
        load_tasks(tmp_path / "no.yml", make_portfolio())
    with pytest.raises(TasksFileError, match="cannot be read"):
        load_tasks(tmp_path, make_portfolio())


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(TasksFileError, match="larger"):
        load_tasks(Path("/dev/zero"), make_portfolio())
