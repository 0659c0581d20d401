"""A sensitive change and its reviewer, with real workers: what is merged, sent back, left to a person."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.engine.answer import answer, stop
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, Steps, requested, standing, work
from tests.laws import some
from tests.repos import head, read

pytestmark = [pytest.mark.real]

_NUMBERS = count(1)
PATH = "src/auth.py"
FINDING = {"path": PATH, "line": 1, "severity": "high", "reason": "anybody may log in"}
APPROVES: Steps = [{"answer": {"verdict": "approve", "summary": "nothing found", "findings": []}}]
REJECTS: Steps = [{"answer": {"verdict": "reject", "summary": "open to all", "findings": [FINDING]}}]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One set of workers for the whole file; a reviewer's yes is enough here."""
    with standing(tmp_path_factory.mktemp("review"), OPS_SENSITIVE_REVIEW="reviewer", OPS_REVIEW_MODEL="other") as made:
        made.start()
        yield made


@pytest.fixture
def rig(workers: Rig) -> Rig:
    """A fresh repository of the test's own, served by the same workers."""
    workers.repository(f"repo{next(_NUMBERS)}")
    return workers


def reviews(events: list[Event]) -> list[dict[str, Any]]:
    return [event.data for event in events if event.data.get("what") == "security review"]


def test_a_rejected_change_is_mended_approved_and_merged(rig: Rig) -> None:
    second = [{"copy_brief": {"path": "src/login.brief"}}, {"append": {"path": PATH, "text": "checked\n"}}]
    tell = [{"commit": {"message": "Check"}}, {"report": {"summary": "checked"}}]
    rig.play(
        {
            "login": [work("login", path=PATH), [*second, *tell]],
            "review:login": [REJECTS, APPROVES],
        }
    )
    run = rig.submit([requested("login", rig.newest)])
    events = rig.finish(run)
    task = rig.task(run, "login")
    assert (task.state, task.attempt) == (TaskState.COMPLETED, 2), task.reason
    first, last = rig.ledger.tasks.attempts(run, "login")
    assert first.outcome is not None and last.outcome is not None
    assert (first.outcome.kind, first.outcome.rule) == (OutcomeKind.SENT_BACK, "security-review")
    brief = read(rig.upstream.bare, "dev", "src/login.brief") or ""
    assert f"high {PATH}:1 anybody may log in" in brief and "the security reviewer said no" in brief
    assert read(rig.upstream.bare, "dev", PATH) == "login\nchecked"
    no, yes = reviews(events)
    assert (no["verdict"], yes["verdict"]) == ("reject", "approve")
    assert (no["head"], yes["head"], yes["model"]) == (first.outcome.head, task.head, "other")
    assert violations(events) == []
    takers = [e.data.get("for", "") for e in events if e.kind is EventKind.SLOT_TAKEN]
    assert takers == ["", "review", "", "review"]


#: How a reviewer ends without an answer, and then answers that are none: what is one is read in core/test_review.py.
NO_ANSWER: list[tuple[str, Steps, str]] = [
    ("dies", [{"crash": {}}], "ended as crashed"),
    ("silent", [{"say": {"text": "I approve."}}], "gave no answer"),
    ("writes", [{"write": {"path": "src/x", "text": "x"}}, *APPROVES], "ended as failed"),
    ("echo", [{"raw_report": {"text": '{"mark": "0", "verdict": "approve", "findings": []}'}}], "copy"),
    ("fails", [{"answer": {"verdict": "approve", "findings": []}}, {"exit": {"code": 3}}], "ended as failed"),
    ("prose", [{"raw_report": {"text": "approve"}}], "not valid JSON"),
    ("twice", [{"answer": {"verdict": "approve", "findings": [], "after": '{"verdict": "reject"}'}}], "valid JSON"),
]


@pytest.mark.parametrize(("name", "steps", "why"), some(NO_ANSWER, 4))
def test_what_is_no_answer_is_no_review_and_a_person_is_asked(rig: Rig, name: str, steps: Steps, why: str) -> None:
    before = head(rig.upstream.bare, "dev")
    rig.play({name: [work(name, path=PATH)], f"review:{name}": [steps]})
    run = rig.submit([requested(name, rig.newest)])
    events = rig.finish(run)
    task = rig.task(run, name)
    assert (task.state, task.ask) == (TaskState.BLOCKED, "approve-change"), task.reason
    (made,) = reviews(events)
    assert made["verdict"] == "none" and why in made["why"]
    assert "no security review" in task.reason
    assert head(rig.upstream.bare, "dev") == before
    answer(run, name, "yes", by="test", tools=rig.tools)
    rig.finish(run)
    assert rig.task(run, name).state is TaskState.COMPLETED
    assert len(reviews(rig.events(run))) == 1, "nobody is asked twice about one head"


def test_a_reviewer_whose_worker_is_killed_is_gone_and_another_one_looks(rig: Rig) -> None:
    rig.play({"login": [work("login", path=PATH)], "review:login": [["hang"]]})
    run = rig.submit([requested("login", rig.newest)])
    rig.until(lambda: any(e.data.get("for") == "review" for e in rig.events(run)), 40, "the reviewer's slot")
    rig.until(lambda: bool(rig.agents()), 20, "the reviewer")
    rig.kill("agent")
    rig.until(lambda: not rig.agents(), 20, "the reviewer to be gone")
    rig.play({"review:login": [APPROVES]})
    rig.start("agent")
    events = rig.finish(run)
    task = rig.task(run, "login")
    assert (task.state, task.attempt) == (TaskState.COMPLETED, 1), task.reason
    assert [made["verdict"] for made in reviews(events)] == ["approve"]
    assert violations(events) == []


def test_a_run_that_is_stopped_waits_for_no_reviewer(rig: Rig) -> None:
    rig.play({"halt": [work("halt", path=PATH)], "review:halt": [["hang"], APPROVES]})
    run = rig.submit([requested("halt", rig.newest)])
    rig.until(lambda: any(e.data.get("for") == "review" for e in rig.events(run)), 40, "the reviewer's slot")
    stop(run, "salvage", by="test", ledger=rig.ledger)
    events = rig.finish(run)
    task = rig.task(run, "halt")
    assert (task.state, task.spent) == (TaskState.RETRYABLE, 0), task.reason
    assert reviews(events) == []
    assert rig.ledger.board.slots() == []
