"""The JSON documents against their published schemas, and the schemas' page against the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from ops_orchestrate.core.board import Candidate, Host, Owner, Slot
from ops_orchestrate.core.event import EVENT_VERSION, Event, EventKind
from ops_orchestrate.core.own_change import NOUNS
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.run import RunRecord, RunRequest
from ops_orchestrate.core.states import RunState
from ops_orchestrate.core.task import Mode
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.json import (
    PLAN_VERSION,
    REPORT_VERSION,
    STATUS_VERSION,
    plan_json,
    report_json,
    status_json,
)
from ops_orchestrate.report.status import Status, status_text
from tests.laws import examples
from tests.report.snapshot import check_snapshot
from tests.report.stories import STORIES, ordinary, troubled
from tests.report.story import HEAD, MERGE
from tests.report.test_fold import random_events
from tests.report.test_screens import FORECAST

DOCS = Path(__file__).parents[2] / "docs"
REQUEST = RunRequest(portfolio=Portfolio(origin="registry.json", digest="", projects=()), mode=Mode.HYBRID)
STATUS = Status(
    server="valkey on a unix socket",
    now=1000.0,
    quiet_until=1030.0,
    slots=(
        Slot(index=0, run="r1", task="a", attempt=2, fence=9, host="host-1", taken_at=940.0, lease_until=1060.0),
        Slot(index=1, run="r1", task="b", attempt=1, fence=10, taken_at=999.0, lease_until=1059.0),
    ),
    owners=(
        Owner(repo="api", run="r1", task="a", fence=9, host="host-1", lease_until=1060.0),
        Owner(repo="web", run="r1", task="b", fence=10, paths=("src/**",), lease_until=990.0),
    ),
    candidates=tuple(Candidate(run="r1", task=f"c{i}", repo="lib") for i in range(7)),
    waiting=9,
    runs=(
        RunRecord(id="r1", request=REQUEST, state=RunState.RUNNING, stop="salvage", created_at=400.0),
        RunRecord(
            id="r0",
            request=REQUEST,
            state=RunState.HALTED,
            reason="1 task waits",
            created_at=0.0,
            finished_at=100.0,
        ),
    ),
    counts={"r1": {"queued": 9, "running": 2}, "r0": {"blocked": 1}},
    hosts=(
        Host(
            name="host-1",
            pools={"agent": 5, "audit": 2},
            seen_at=995.0,
            sandbox="bubblewrap",
            agents=("command",),
        ),
    ),
)


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


def problems(name: str, document: object) -> list[str]:
    """What the schema says against the document as a script would read it."""
    read_back = json.loads(json.dumps(document, allow_nan=False))
    return [f"{e.json_path}: {e.message}" for e in Draft202012Validator(schema(name)).iter_errors(read_back)]


def test_the_schemas_are_schemas_and_on_the_page() -> None:
    page = (DOCS / "schemas.md").read_text(encoding="utf-8")
    for path in (DOCS / "schemas").glob("*.schema.json"):
        name = path.name.removesuffix(".schema.json")
        Draft202012Validator.check_schema(schema(name))
        version = schema(name)["$id"].rpartition(":")[2]
        assert f"[{name}](schemas/{path.name}) | {version} |" in page


@pytest.mark.parametrize("name", STORIES)
def test_documents_of_a_run_fit_their_schemas(name: str) -> None:
    events = STORIES[name]().events
    view = fold(events)
    assert problems("report", report_json(view)) == []
    assert problems("plan", plan_json(view)) == []
    assert problems("plan", plan_json(view, FORECAST)) == []
    assert [p for event in events for p in problems("events", json.loads(event.model_dump_json()))] == []


@settings(max_examples=examples(20))
@given(random_events())
def test_odd_events_still_give_documents_that_fit(events: list[Event]) -> None:
    view = fold(events)
    assert problems("plan", plan_json(view)) == []
    assert problems("report", report_json(view)) == []


@pytest.mark.parametrize(
    ("where", "value"),
    [(("version",), 2), (("tasks", 0, "state"), "finished"), (("tasks", 0, "wave"), "0"), (("extra",), 1)],
)
def test_the_report_schema_notices_what_is_wrong(where: tuple[Any, ...], value: object) -> None:
    document: Any = json.loads(json.dumps(report_json(fold(ordinary().events))))
    inner = document
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = value
    assert problems("report", document) != []


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("task.planned", {"title": "x"}),
        ("attempt.ended", {"outcome": "great"}),
        ("slot.taken", {"slot": "0"}),
    ],
)
def test_the_event_schema_notices_what_is_wrong(kind: str, data: dict[str, Any]) -> None:
    event = Event(seq=1, at=0.0, kind=EventKind(kind), run="r", task="t", data=data)
    assert problems("events", json.loads(event.model_dump_json())) != []


def test_every_kind_of_event_is_in_the_schema_and_on_the_page() -> None:
    kinds = {str(kind) for kind in EventKind}
    page = (DOCS / "schemas.md").read_text(encoding="utf-8")
    assert set(schema("events")["properties"]["kind"]["enum"]) == kinds
    assert {rule["if"]["properties"]["kind"]["const"] for rule in schema("events")["allOf"]} == kinds
    assert set(re.findall(r"^\| `([a-z.]+)` \|", page, re.M)) == kinds


def test_the_page_lists_the_keys_of_the_schema() -> None:
    page = (DOCS / "schemas.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z.]+)` \|.*\| ([^|]*) \|$", page, re.M))
    for rule in schema("events")["allOf"]:
        data = rule["then"]["properties"]["data"]
        row = rows[rule["if"]["properties"]["kind"]["const"]]
        assert set(re.findall(r"\w+", row)) == set(data["properties"])
        assert set(re.findall(r"\*\*(\w+)\*\*", row)) == set(data["required"])


def test_the_page_lists_the_evidence_that_engine_and_ledger_write() -> None:
    page = (DOCS / "schemas.md").read_text(encoding="utf-8")
    table = page.partition("## Kinds of evidence")[2].partition("\n## ")[0]
    rooms = (DOCS.parent / "ops_orchestrate" / room for room in ("engine", "ledger"))
    code = "\n".join(file.read_text(encoding="utf-8") for room in rooms for file in room.rglob("*.py"))
    written = re.findall(r'"what": "([a-z -]+)"|\bnote\("([a-z ]+)",|\bevidence\(run_id, repository, "([a-z ]+)"', code)
    own = set(NOUNS.values())
    assert set(re.findall(r"^\| ([a-z -]+) \|", table, re.M)) - {"what"} == own | {
        word for words in written for word in words if word
    }


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("events", EVENT_VERSION),
        ("report", REPORT_VERSION),
        ("plan", PLAN_VERSION),
        ("status", STATUS_VERSION),
    ],
)
def test_versions_agree(name: str, version: int) -> None:
    assert schema(name)["$id"].endswith(f":{version}")
    page = (DOCS / "schemas.md").read_text(encoding="utf-8")
    assert re.search(rf"schemas/{name}\.schema\.json\) \| {version} \|", page)


def test_the_report_answers_what_a_stranger_asks() -> None:
    document = report_json(fold(ordinary().events))
    task = document["tasks"][0]
    assert (task["id"], task["state"], task["head"], task["merge"]) == (
        "api-fix-auth",
        "completed",
        HEAD,
        MERGE,
    )
    assert [a["outcome"] for a in task["attempts"]] == ["rejected", "merged"]
    assert document["totals"]["promoted"] == 2
    assert document["totals"]["cost_usd"] == pytest.approx(1.02)
    blocked = {t["id"]: t["command"] for t in report_json(fold(troubled().events))["tasks"]}
    assert blocked["login"] == "ops-orchestrate answer night-1 login yes"
    assert blocked["good"] is None


@pytest.mark.parametrize(("dry_run", "state"), [(True, "planned"), (False, "running")])
def test_a_plan_is_not_under_way(dry_run: bool, state: str) -> None:
    view = fold(troubled().events).model_copy(update={"dry_run": dry_run, "state": "running"})
    assert plan_json(view)["state"] == state
    assert problems("plan", plan_json(view)) == []


def test_the_plan_says_what_would_be_dispatched() -> None:
    dispatched = {t["id"]: t["dispatched"] for t in plan_json(fold(troubled().events))["tasks"]}
    assert dispatched["too-late"] is False, "beyond --max-waves"
    assert dispatched["after-login"] is False, "held by a blocked task"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_status_screens(width: int) -> None:
    check_snapshot(f"status-{width}", status_text(STATUS, width))


def test_status_of_an_idle_machine() -> None:
    idle = Status(cap=3)
    text = status_text(idle)
    assert problems("status", status_json(idle)) == []
    assert [w for w in ("0 of 3", "none yet", "all free", "no worker has announced itself") if w not in text] == []


def test_status_fits_its_schema() -> None:
    assert problems("status", status_json(STATUS)) == []
