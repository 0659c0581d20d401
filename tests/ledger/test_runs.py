"""Runs: who wins when several begin, plan, stop or finish the same one, and what the story says."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.mail import Topic, letter
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.states import RunState, Stage, TaskState
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.errors import PlanError, UnknownRun, UnknownTask
from ops_orchestrate.ledger import Ledger, taking
from ops_orchestrate.ledger import runs as runs_module
from tests.builders import make_finding, make_part, make_repository, make_request, make_settlement, make_task
from tests.ledger.play import at_stage, completed, data_of, granted, kinds, planned, story


def test_a_run_begins_once(ledger: Ledger) -> None:
    request = make_request(requested_by="ann")
    assert ledger.runs.begin("r1", request, host="h", parts=["git"])
    assert not ledger.runs.begin("r1", make_request(requested_by="bob"), host="h", parts=[])
    run = ledger.runs.get("r1")
    assert (run.request, run.state, run.stop) == (request, RunState.AUDITING, "")
    assert kinds(story(ledger)) == [EventKind.RUN_BEGUN]


def test_runs_are_listed_newest_first(ledger: Ledger) -> None:
    for name in ("r1", "r2", "r3"):
        ledger.runs.begin(name, make_request(), host="h", parts=[])
    assert [run.id for run in ledger.runs.list()] == ["r3", "r2", "r1"]


def test_the_first_result_of_a_part_wins(ledger: Ledger) -> None:
    ledger.runs.begin("r1", make_request(), host="h", parts=["git", "planning"])
    first = make_part("git", make_finding(), unknown=(Skipped(name="app", reason="no answer"),))
    assert ledger.runs.put_part("r1", first)
    assert not ledger.runs.put_part("r1", make_part("git"))
    assert ledger.runs.parts("r1") == {"git": first}
    assert ledger.runs.missing_parts("r1") == ["planning"]
    assert data_of(ledger, EventKind.AUDIT_PART) == [
        {"part": "git", "findings": 1, "unknown": [{"name": "app", "reason": "no answer"}], "skipped": []}
    ]


def test_no_part_is_taken_after_the_plan(ledger: Ledger) -> None:
    planned(ledger)
    assert not ledger.runs.put_part("r1", make_part("git"))


def test_a_plan_is_shown_in_one_step(ledger: Ledger) -> None:
    ledger.runs.begin("r1", make_request(), host="h", parts=[])
    specs = [make_task("t1"), make_task("t2", blocked_by=("t1",), estimate=60.0), make_task("t3", human="sign it")]
    blocked = {"t3": make_settlement(TaskState.BLOCKED, reason="sign it", ask="done")}
    left_out = [Skipped(name="web", reason="not on this disk")]
    assert ledger.runs.store_plan("r1", specs, blocked=blocked, skipped=left_out, unknown=[])
    assert [task.spec for task in ledger.tasks.all("r1")] == specs
    assert ledger.runs.counts("r1") == {TaskState.QUEUED: 2, TaskState.BLOCKED: 1}
    run = ledger.runs.get("r1")
    assert (run.state, run.skipped) == (RunState.RUNNING, ("web: not on this disk",))
    assert ledger.tasks.get("r1", "t3").ask == "done"
    assert ledger.tasks.dependants("r1", "t1") == ["t2"]
    assert kinds(story(ledger))[1:] == [EventKind.RUN_PLANNED, *[EventKind.TASK_PLANNED] * 3, EventKind.TASK_SETTLED]
    assert data_of(ledger, EventKind.TASK_PLANNED)[1] == {
        "title": "Do t2",
        "project": "app",
        "repo": "app",
        "priority": "P2",
        "label": "P2",
        "mode": "subagent",
        "wave": 0,
        "blocked_by": ["t1"],
        "estimate": 60.0,
        "paths": ["src/t2/**"],
        "mode_reason": "",
        "member": "",
        "acceptance": [],
        "gate": None,
        "base": "dev",
        "sensitive": None,
        "human": None,
        "detail": "",
    }


def test_the_first_plan_stays(ledger: Ledger) -> None:
    planned(ledger)
    assert not ledger.runs.store_plan("r1", [make_task("other")], blocked={}, skipped=(), unknown=())
    assert [task.spec.id for task in ledger.tasks.all("r1")] == ["t1"]
    assert len(data_of(ledger, EventKind.RUN_PLANNED)) == 1


@pytest.mark.parametrize(
    ("specs", "says"),
    [
        ([make_task("a"), make_task("a")], "same id"),
        ([make_task("a", blocked_by=("ghost",))], "ghost"),
        ([make_task("a", blocked_by=("b",)), make_task("b", blocked_by=("a",))], "circle"),
    ],
)
def test_a_graph_that_cannot_end_is_refused(ledger: Ledger, specs: list[TaskSpec], says: str) -> None:
    ledger.runs.begin("r1", make_request(), host="h", parts=[])
    with pytest.raises(PlanError, match=says):
        ledger.runs.store_plan("r1", specs, blocked={}, skipped=(), unknown=())
    assert ledger.runs.get("r1").state is RunState.AUDITING


def test_a_run_without_a_plan_fails_with_its_reason(ledger: Ledger) -> None:
    ledger.runs.begin("r1", make_request(), host="h", parts=[])
    assert ledger.runs.fail("r1", "a cycle")
    assert not ledger.runs.fail("r1", "again")
    assert (ledger.runs.get("r1").state, ledger.runs.get("r1").reason) == (RunState.FAILED, "a cycle")


def test_a_planned_run_does_not_fail(ledger: Ledger) -> None:
    planned(ledger)
    assert not ledger.runs.fail("r1", "too late")


def test_now_overrides_salvage_and_nothing_overrides_now(ledger: Ledger) -> None:
    planned(ledger)
    assert [ledger.runs.request_stop("r1", how) for how in ("salvage", "salvage", "now", "salvage")] == [
        True,
        False,
        True,
        False,
    ]
    assert ledger.runs.get("r1").stop == "now"
    assert [data["how"] for data in data_of(ledger, EventKind.RUN_STOPPING)] == ["salvage", "now"]


def test_a_stopping_run_offers_nothing_until_it_is_resumed(ledger: Ledger) -> None:
    planned(ledger)
    assert ledger.board.offer("r1", "t1")
    ledger.runs.request_stop("r1", "salvage")
    assert ledger.runs.candidates("r1") == 0
    assert not ledger.board.offer("r1", "t1")
    assert ledger.board.look(5).candidates == ()
    assert ledger.runs.resume("r1")
    assert ledger.board.offer("r1", "t1")
    assert not ledger.runs.resume("r1")


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.HALTED])
def test_an_ended_run_goes_on(ledger: Ledger, state: RunState) -> None:
    planned(ledger)
    assert ledger.runs.finish("r1", state, "because")
    assert ledger.runs.resume("r1")
    run = ledger.runs.get("r1")
    assert (run.state, run.reason, run.finished_at) == (RunState.RUNNING, "", 0.0)


def test_a_run_that_was_stopped_in_its_audit_goes_on_with_it(ledger: Ledger) -> None:
    ledger.runs.begin("r1", make_request(), host="h", parts=["git"])
    ledger.runs.request_stop("r1", "now")
    assert ledger.runs.finish("r1", RunState.STOPPED, "")
    assert ledger.runs.resume("r1")
    assert ledger.runs.get("r1").state is RunState.AUDITING


@pytest.mark.parametrize("stage", list(Stage))
def test_a_run_does_not_end_while_something_is_in_flight(ledger: Ledger, stage: Stage) -> None:
    planned(ledger)
    at_stage(ledger, stage)
    assert not ledger.runs.finish("r1", RunState.STOPPED, "")


def test_a_run_is_not_done_while_a_task_waits_for_a_slot(ledger: Ledger) -> None:
    planned(ledger)
    ledger.board.offer("r1", "t1")
    assert not ledger.runs.finish("r1", RunState.DONE, "")
    assert ledger.runs.finish("r1", RunState.STOPPED, "")


def test_a_run_ends_once_and_says_its_counts(ledger: Ledger) -> None:
    planned(ledger)
    completed(ledger)
    assert ledger.runs.finish("r1", RunState.DONE, "all merged")
    assert not ledger.runs.finish("r1", RunState.HALTED, "")
    assert data_of(ledger, EventKind.RUN_FINISHED) == [
        {"state": "done", "reason": "all merged", "counts": {"completed": 1}}
    ]


def test_the_work_of_a_run_counts_while_it_is_running(ledger: Ledger) -> None:
    planned(ledger, make_task("t1", estimate=10.0), make_task("t2", estimate=5.0, repo="web"))
    assert ledger.board.work_left() == {"app": 10.0, "web": 5.0}
    completed(ledger)
    assert ledger.board.work_left() == {"web": 5.0}
    ledger.runs.finish("r1", RunState.HALTED, "")
    assert ledger.board.work_left() == {}
    ledger.runs.resume("r1")
    assert ledger.board.work_left() == {"web": 5.0}


def test_any_event_can_be_noted(ledger: Ledger) -> None:
    planned(ledger)
    ledger.runs.note("r1", EventKind.AGENT_NOTE, task="t1", attempt=2, fence=7, host="h1", data={"text": "reading"})
    event = story(ledger)[-1]
    assert (event.task, event.attempt, event.fence, event.host) == ("t1", 2, 7, "h1")
    assert event.data == {"text": "reading"}


def test_promotions_are_kept_per_repository(ledger: Ledger) -> None:
    planned(ledger)
    assert ledger.runs.promotion("r1", "app") is None
    ledger.runs.set_promotion("r1", "app", {"state": "waiting", "head": "abc"})
    assert ledger.runs.promotion("r1", "app") == {"state": "waiting", "head": "abc"}
    assert ledger.runs.promotions("r1") == {"app": {"state": "waiting", "head": "abc"}}


@pytest.mark.parametrize(
    "call",
    [
        lambda ledger: ledger.runs.get("no"),
        lambda ledger: ledger.runs.missing_parts("no"),
        lambda ledger: ledger.runs.put_part("no", make_part()),
        lambda ledger: ledger.runs.request_stop("no", "now"),
        lambda ledger: ledger.runs.resume("no"),
        lambda ledger: ledger.runs.finish("no", RunState.DONE, ""),
        lambda ledger: ledger.runs.note("no", EventKind.WARNING),
        lambda ledger: ledger.runs.store_plan("no", [make_task()], blocked={}, skipped=(), unknown=()),
        lambda ledger: ledger.tasks.all("no"),
        lambda ledger: ledger.tasks.get("no", "t1"),
        lambda ledger: ledger.tasks.cancel("no", "t1", by="", reason=""),
    ],
)
def test_an_unknown_run_is_named(ledger: Ledger, call: Callable[[Ledger], object]) -> None:
    with pytest.raises(UnknownRun, match="no"):
        call(ledger)


def test_events_are_read_and_followed_in_order(ledger: Ledger) -> None:
    planned(ledger)
    granted(ledger)
    all_of_it = story(ledger)
    assert [event.seq for event in all_of_it] == list(range(1, len(all_of_it) + 1))
    assert all(event.at <= ledger.now() for event in all_of_it)
    assert ledger.events.read("r1", after=2) == all_of_it[2:]
    assert ledger.events.read("r1", count=1) == all_of_it[:1]
    assert list(ledger.events.all("r1")) == all_of_it
    assert ledger.events.follow("r1", 3, 0.1) == all_of_it[3:]
    assert ledger.events.follow("r1", len(all_of_it), 0.05) == []
    assert ledger.events.read("no") == []


def test_unfinished_runs_are_named_without_their_requests(ledger: Ledger) -> None:
    for run in ("r1", "r2", "r3"):
        ledger.runs.begin(run, make_request(), host="h", parts=[])
    ledger.runs.fail("r2", "no plan")
    assert sorted(ledger.runs.unfinished()) == ["r1", "r3"]


def test_a_run_is_woken_once_at_the_earliest_moment_that_was_asked_for(ledger: Ledger) -> None:
    now = ledger.now()
    ledger.runs.wake("r1", now + 600)
    assert (ledger.looks.due(), ledger.runs.woken()) == (False, ())
    ledger.runs.wake("r1", now - 1)
    ledger.runs.wake("r1", now + 900)
    assert (ledger.looks.due(), ledger.runs.woken()) == (True, ("r1",))
    assert (ledger.looks.due(), ledger.runs.woken()) == (False, ())


def _keys(ledger: Ledger) -> set[str]:
    """Every key but the answers that are kept for repeated calls."""
    return {name for name in ledger._server.client.keys("*") if ":reply:" not in name}


def test_a_run_that_is_over_for_good_is_forgotten_whole(ledger: Ledger) -> None:
    planned(ledger, run="before")
    completed(ledger, run="before")
    assert ledger.runs.finish("before", RunState.DONE, "every task has ended")
    left = _keys(ledger)
    planned(ledger)
    given = make_repository(gate="make test").gate_setting
    assert given
    ledger.runs.take_gate("r1", "app", given, task="t1", told={})
    ledger.mail.send("r1", "t1", letter("ana", Topic.PERSON, "hello"), id="1")
    completed(ledger)
    assert ledger.runs.finish("r1", RunState.DONE, "every task has ended")
    ledger._server.client.xadd("{ops}:planned:r1", {"kind": "task.planned"})  # an earlier version's
    later = ledger.now() + 1
    assert not ledger.runs.forget("r1", ended_before=later - 3600)
    assert ledger.runs.forget("r1", ended_before=later)
    assert not ledger.runs.forget("r1", ended_before=later)
    assert _keys(ledger) == left
    assert [run.id for run in ledger.runs.list()] == ["before"]


def test_a_large_run_is_forgotten_in_parts_and_by_whoever_goes_on(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_module, "FORGET_AT_ONCE", 1)
    monkeypatch.setattr(taking, "AT_ONCE", 1)
    left = _keys(ledger)
    planned(ledger, *(make_task(f"t{n}") for n in range(3)))
    long = "c" * 65  # else the server walks all claims at once, however few it is asked for
    found = [("app", f"fp-t{n}") for n in range(20)]
    ledger.claims.take("r1", [(*one, f"t{n % 3}", long) for n, one in enumerate(found)])
    ledger.claims.take("r2", [("app", "other", "t1", "")])
    for n in range(3):
        assert ledger.tasks.cancel("r1", f"t{n}", by="ann", reason="") == "cancelled"
    assert ledger.runs.finish("r1", RunState.HALTED, "", goes_on_at=ledger.now())
    later = ledger.now() + 1
    scripts, left_to_live, others = ledger._scripts, [1], Ledger(ledger._server.client).runs

    def dying(name: str, *args: str | float) -> Any:
        left_to_live[0] -= 1
        if left_to_live[0] < 0:
            raise ConnectionError
        return scripts(name, *args)

    ledger.runs._scripts = dying  # type: ignore[assignment]
    for calls in count(1):  # each gets one call further
        left_to_live[0] = calls
        try:
            forgotten = ledger.runs.forget("r1", ended_before=later)
            break
        except ConnectionError:
            assert ledger.tasks.all("r1") == []
            with pytest.raises(UnknownTask):
                ledger.tasks.cancel("r1", "t2", by="ann", reason="")
            with pytest.raises(UnknownTask):
                ledger.tasks.reopen("r1", "t2", to=TaskState.QUEUED, expect=list(TaskState), by="ann", answer="retry")
            with pytest.raises(UnknownRun):
                others.resume("r1")
            assert not others.goes_on("r1")
            assert len(list(ledger.events.all("r1"))) > 3
            assert {view.run for view in ledger.claims.look(found).values()} <= {"r3"}
            assert ledger.claims.take("r3", [(*one, "x", long) for one in found[1:]]) == {}
    assert forgotten
    assert calls > 4
    owners = {one: view.run for one, view in ledger.claims.look([*found, ("app", "other")]).items()}
    assert owners == dict.fromkeys(found[1:], "r3") | {("app", "other"): "r2"}
    assert _keys(ledger) - {"{ops}:claims"} == left


def test_of_a_run_that_is_forgotten_meanwhile_no_more_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between what the events of its plan are, and what its plan says of them."""
    planned(ledger)
    completed(ledger)
    assert ledger.runs.finish("r1", RunState.DONE, "")
    reader = Ledger(ledger._server.client)
    whole, marks = story(reader), reader._server.client.lrange

    def forgotten(*asked: Any) -> Any:
        answer = marks(*asked)
        assert ledger.runs.forget("r1", ended_before=ledger.now() + 1)
        return answer

    monkeypatch.setattr(reader._server.client, "lrange", forgotten)
    assert story(reader) == [event for event in whole if event.kind is not EventKind.TASK_PLANNED]


def test_what_anybody_can_go_on_with_is_never_forgotten(ledger: Ledger) -> None:
    planned(ledger)
    assert not ledger.runs.forget("r1", ended_before=ledger.now() + 1)
    assert ledger.runs.request_stop("r1", "salvage")
    assert ledger.runs.finish("r1", RunState.STOPPED, "stopped on request")
    assert not ledger.runs.forget("r1", ended_before=ledger.now() + 1)
    assert ledger.runs.resume("r1")


def test_a_run_that_is_read_again_shows_what_has_changed_of_it(ledger: Ledger) -> None:
    ledger.runs.begin("r1", make_request(requested_by="ann"), host="h", parts=[])
    assert ledger.runs.get("r1").state is RunState.AUDITING
    ledger.runs.fail("r1", "no")
    again = ledger.runs.get("r1")
    assert (again.state, again.reason, again.request.requested_by) == (RunState.FAILED, "no", "ann")


def test_a_ledger_that_was_emptied_is_not_mistaken_for_the_one_before(ledger: Ledger) -> None:
    ledger.runs.begin("r1", make_request(requested_by="ann"), host="h", parts=[])
    ledger.runs.get("r1")
    ledger._server.client.flushall()
    with pytest.raises(UnknownRun):
        ledger.runs.get("r1")
    ledger.runs.begin("r1", make_request(requested_by="bob"), host="h", parts=[])
    assert ledger.runs.get("r1").request.requested_by == "bob"


def test_a_gate_that_is_given_later_is_the_runs_from_then_on_and_is_said_once(ledger: Ledger) -> None:
    ledger.runs.begin("r1", make_request(), host="h", parts=[])
    before = ledger.runs.get("r1").request
    given = make_repository(gate="make test", gate_hosts=("pypi.org",)).gate_setting
    assert given
    told = {"repo": "app", "gate": "make test", "before": "", "origin": "/r.json", "digest": "d"}
    assert ledger.runs.take_gate("r1", "app", given, task="t1", told=told)
    assert not ledger.runs.take_gate("r1", "app", given, task="t1", told=told)  # a call that redis-py repeats
    other = Ledger(ledger._server.client)
    for runs in (ledger.runs, other.runs):
        for run in (runs.get("r1"), runs.get("r1"), *runs.list()):
            assert run.request.portfolio.repository("app") == before.portfolio.repository("app").with_gate(given)
            assert run.request.model_copy(update={"portfolio": before.portfolio}) == before
        assert runs.request("r1") == before  # what was asked for stays
    (event,) = [event for event in story(ledger) if event.kind is EventKind.GATE_TAKEN]
    assert (event.task, event.data) == ("t1", told)
    with pytest.raises(UnknownRun):
        ledger.runs.take_gate("r9", "app", given, task="t1", told=told)
