"""The file of `--tasks`: what is read, and that every mistake names file, task and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.project import Portfolio, Project, Repository, Skipped
from ops_orchestrate.core.requested import TasksFile, parse_tasks
from ops_orchestrate.core.task import Priority
from ops_orchestrate.errors import TasksFileError

DOCS = Path(__file__).parents[2] / "docs" / "tasks-file.md"


def _project(alias: str, *names: str) -> Project:
    repositories = tuple(
        Repository(key=f"{name}-00000000", name=name, path=f"/x/{name}", upstream=f"/x/{name}", slug=f"o/{name}")
        for name in names or (alias,)
    )
    return Project(alias=alias, repositories=repositories)


PORTFOLIO = Portfolio(
    origin="reg.json",
    digest="",
    projects=(_project("shop"), _project("suite", "api", "web")),
    skipped=(Skipped(name="lost", reason="~/lost: does not exist"),),
    out_of_scope=("other",),
)
TASK = {"id": "t1", "project": "shop", "title": "Fix it"}


def _parse(text: str) -> TasksFile:
    return parse_tasks(text.encode(), origin="tasks.yml", portfolio=PORTFOLIO)


def _one(**fields: Any) -> Any:
    return _parse(json.dumps([{**TASK, **fields}])).tasks[0]


def _error(text: str | bytes) -> str:
    with pytest.raises(TasksFileError) as caught:
        parse_tasks(text if isinstance(text, bytes) else text.encode(), origin="tasks.yml", portfolio=PORTFOLIO)
    assert "tasks.yml" in str(caught.value)
    return str(caught.value)


FULL = """
tasks:
  - id: pay-1
    project: shop
    title: Accept cards
    description: |
      The form has no field for it.
    acceptance:
      - a card works
    paths: [src/pay/**, tests/pay/**]
    priority: P1-revenue
  - id: 2
    project: suite
    repo: web
    title: Show the receipt
    acceptance: a receipt is shown
    blocked_by: pay-1
    human: needs a contract
"""


def test_every_field_in_yaml() -> None:
    pay, receipt = _parse(FULL).tasks
    assert (pay.id, pay.repo, pay.priority, pay.label) == ("pay-1", "shop", Priority.P1, "P1-revenue")
    assert pay.description == "The form has no field for it."
    assert pay.acceptance == ("a card works",)
    assert pay.paths == ("src/pay/**", "tests/pay/**")
    assert (receipt.id, receipt.repo, receipt.blocked_by) == ("2", "web", ("pay-1",))
    assert receipt.acceptance == ("a receipt is shown",)
    assert receipt.human == "needs a contract"
    assert receipt.priority is None


def test_the_same_in_json_and_with_a_byte_order_mark() -> None:
    document = json.dumps({"tasks": [TASK]})
    assert _parse(document) == _parse("\ufeff" + document) == _parse(json.dumps([TASK], indent="\t"))


def test_the_example_of_the_documentation_is_read() -> None:
    example = DOCS.read_text().split("```yaml\n")[1].split("```")[0]
    portfolio = Portfolio(origin="r", digest="", projects=(_project("my-api"), _project("my-web")))
    assert len(parse_tasks(example.encode(), origin="x", portfolio=portfolio).tasks) == 3


def test_words_that_yaml_takes_for_something_else_stay_text() -> None:
    task = _parse("- {id: no, project: shop, title: 2026-01-01, description: ~, priority: null}").tasks[0]
    assert (task.id, task.title, task.description, task.priority) == ("no", "2026-01-01", "", None)


def test_a_repository_may_be_named_by_its_slug() -> None:
    assert _one(project="suite", repo="o/api").repo == "api"


@pytest.mark.parametrize(("text", "priority"), [("P0", "P0"), ("P3", "P3"), ("P1-revenue", "P1")])
def test_priorities(text: str, priority: str) -> None:
    task = _one(priority=text)
    assert (task.priority, task.label) == (Priority(priority), text)


@pytest.mark.parametrize(
    ("fields", "field", "hint"),
    [
        ({"titel": "x"}, "titel", '"title"'),
        ({"title": None}, "title", "missing"),
        ({"title": ""}, "title", "empty"),
        ({"title": ["x"]}, "title", "text"),
        ({"title": True}, "title", "text"),
        ({"id": "a b"}, "id", "letters"),
        ({"id": "../x"}, "id", "letters"),
        ({"project": "shpo"}, "project", '"shop"'),
        ({"project": "suite"}, "repo", "api, web"),
        ({"project": "suite", "repo": "wbe"}, "repo", '"web"'),
        ({"priority": "high"}, "priority", "P0, P1"),
        ({"priority": "P4"}, "priority", "P0, P1"),
        ({"paths": ["/etc/passwd"]}, "paths", "inside"),
        ({"paths": ["../x"]}, "paths", "leaves"),
        ({"paths": ["a/../../x"]}, "paths", "leaves"),
        ({"paths": [".GIT/config"]}, "paths", "leaves"),
        ({"paths": ["~/x"]}, "paths", "inside"),
        ({"paths": {"a": 1}}, "paths", "list"),
        ({"acceptance": [["x"]]}, "acceptance", "text"),
        ({"blocked_by": ["t1"]}, "blocked_by", "itself"),
        ({"acceptance": ["x"] * 501}, "acceptance", "500"),
    ],
)
def test_mistakes_name_task_and_field(fields: dict[str, Any], field: str, hint: str) -> None:
    text = _error(json.dumps([{**TASK, **fields}]))
    assert f"`{field}`" in text and hint in text


def test_an_id_twice_is_an_error() -> None:
    assert '"T1"' in _error(json.dumps([TASK, {**TASK, "id": "T1"}]))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "empty"),
        ("just words", "list of tasks"),
        ("{}", "list"),
        ("tasks: 3", "list"),
        ("tasks: []\nmore: 1", '"more"'),
        ("- x", "number 1"),
        ("- id: [", "line"),
        ("- {id: a, id: b}", "twice"),
        ('[{"id": "a", "id": "b"}]', "twice"),
        ("- &a {id: a}\n- <<: *a", "merge"),
        ("[" * 5000, "nested"),
        ("- " * 5000, "nested"),
        (b"\x00", "NUL"),
        (b"- \xff", "UTF-8"),
        ("- \x07", "character"),
        ("- !!python/object/apply:os.system [id]", "number 1"),
        ('- "\\UFFFFFFFF"', "YAML"),
        ("x" * 1_000_001, "larger"),
    ],
)
def test_files_that_cannot_be_used(text: str | bytes, hint: str) -> None:
    assert hint in _error(text)


@pytest.mark.timeout(20)
def test_a_bomb_of_aliases_is_bounded() -> None:
    lines = ["- &a0 [x,x]"] + [f"- &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert "aliases" in _error("\n".join(lines))


@pytest.mark.timeout(20)
def test_a_mapping_with_very_many_keys_takes_no_time() -> None:
    _error("{" + ", ".join(f"k{n}: 1" for n in range(60_000)) + "}")


def test_tasks_outside_the_run_are_listed_with_what_waits_for_them() -> None:
    tasks = [
        {**TASK, "id": "a", "project": "other"},
        {**TASK, "id": "b", "blocked_by": ["a"]},
        {**TASK, "id": "c", "blocked_by": ["b"]},
        {**TASK, "id": "d"},
        {**TASK, "id": "e", "project": "lost"},
    ]
    file = _parse(json.dumps(tasks))
    assert [task.id for task in file.tasks] == ["d"]
    assert {one.name: one.reason for one in file.skipped} == {
        "a": "project other is not in the scope of this run",
        "b": "waits for a, which is left out",
        "c": "waits for b, which is left out",
        "e": "project lost is skipped: ~/lost: does not exist",
    }


def test_hidden_characters_are_gone() -> None:
    assert _one(title="pay\u202e\u200bnow\n\x1b[2J").title == "pay now [2J"


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_law_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse_tasks(data, origin="tasks.yml", portfolio=PORTFOLIO)
    except TasksFileError as error:
        assert str(error).isprintable()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["shop", "P1", "t1", "suite"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "id",
    "project",
    "repo",
    "title",
    "description",
    "acceptance",
    "paths",
    "priority",
    "blocked_by",
    "human",
)


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS) | st.text(), VALUES), max_size=3))
def test_law_any_list_is_read_or_refused(document: Any) -> None:
    try:
        _parse(json.dumps(document))
    except TasksFileError as error:
        assert str(error).isprintable()
