"""Before an agent is started: a change that is there already goes on, and what has gone away costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.mark import mark_of_branch
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.check import violations
from ops_orchestrate.standin.profile import JobPlan
from tests.engine.forge_rig import TOKEN
from tests.engine.rig import GATE, work
from tests.engine.walk import QUICK, Walk, of, walking

_NUMBERS = count(1)
NO_AGENT = {"*": [[{"report": {"status": "failed", "summary": "no agent was wanted"}}]]}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One server and one GitHub for the whole file."""
    with walking(tmp_path_factory.mktemp("begin"), **QUICK) as made:
        yield made


@pytest.fixture
def walk(shared: Walk) -> Walk:
    """A repository of the test's own, and an agent that does what it is asked."""
    shared.control.clear_faults()
    shared.rig.play({"*": [work("any")]})
    shared.forge.repository(f"begin{next(_NUMBERS)}")
    return shared


def waits_for_review(walk: Walk) -> None:
    """Pull request 1 of an earlier run, of which the ledger knows nothing any more."""
    walk.control.unprotect(walk.slug)
    walk.control.protect(walk.slug, "dev", checks=["test"], approvals=1)
    run = walk.go()
    walk.finish(run)
    assert "waits for a review" in walk.task(run).reason
    walk.rig.play(NO_AGENT)


def only_task(walk: Walk, run: str) -> str:
    (record,) = walk.rig.ledger.tasks.all(run)
    return record.spec.id


def briefs(events: list[Event]) -> list[Event]:
    """One for each agent that was started."""
    return [one for one in of(events, EventKind.EVIDENCE) if one.data["what"] == "brief"]


def test_the_next_run_merges_what_the_last_one_left_for_review_without_an_agent(walk: Walk) -> None:
    waits_for_review(walk)
    walk.control.review(walk.slug, 1, "rita", "APPROVED")
    run = walk.go(tasks=[])
    events = walk.finish(run)
    task = walk.task(run, only_task(walk, run))
    assert task.state is TaskState.COMPLETED, walk.story()
    assert (walk.pulls(), walk.forge.merges()) == ([1], ["1"])
    assert (task.attempt, task.change, briefs(events)) == (1, "#1", [])
    assert not violations(events)
    body = walk.control.pull(walk.slug, 1).body
    assert f"**Run {run} goes on with this**" in body
    assert f"Ops-Run: {run}" not in body  # its branch is the first run's
    mark = mark_of_branch(body, walk.control.pull(walk.slug, 1).head_ref)
    assert mark and task.spec.fingerprint in {one.fingerprint for one in mark.prints}


def test_the_text_that_a_later_run_renews_gives_no_secret_of_the_gate_away(walk: Walk) -> None:
    walk.forge.repository(f"begin{next(_NUMBERS)}", gate=f"{GATE} {TOKEN}")
    waits_for_review(walk)
    walk.control.review(walk.slug, 1, "rita", "APPROVED")
    run = walk.go(tasks=[])
    walk.finish(run)
    _, _, renewed = walk.control.pull(walk.slug, 1).body.partition(f"**Run {run} goes on with this**")
    assert f"- quality gate `{GATE} " in renewed, walk.story()
    assert TOKEN not in walk.control.pull(walk.slug, 1).body


def test_what_ci_says_no_to_gets_an_agent_that_goes_on_with_the_change(walk: Walk) -> None:
    waits_for_review(walk)
    walk.control.push(walk.slug, walk.control.pull(walk.slug, 1).head_ref, {"RED": "x"}, by="rita")
    walk.control.review(walk.slug, 1, "rita", "APPROVED")
    walk.rig.play({"*": [work("never"), [{"delete": {"path": "RED"}}, *work("mended")]]})
    run = walk.go(tasks=[])
    walk.until(lambda: bool(walk.rig.ledger.tasks.all(run)))
    task = only_task(walk, run)
    walk.finish(run)
    assert len(briefs(walk.rig.events(run))) == 1, walk.story()
    assert walk.task(run, task).attempt == 2
    assert "review" in walk.task(run, task).reason
    assert walk.pulls() == [1]


def test_a_change_that_only_waits_is_no_work(walk: Walk) -> None:
    waits_for_review(walk)
    run = walk.go(tasks=[])
    walk.finish(run)
    assert walk.rig.ledger.tasks.all(run) == []


@pytest.mark.parametrize(
    ("done", "state", "why"),
    [("merge", TaskState.COMPLETED, "has been merged"), ("close", TaskState.BLOCKED, "was closed")],
)
def test_a_change_that_has_ended_since_the_audit_costs_no_agent(
    walk: Walk, done: str, state: TaskState, why: str
) -> None:
    waits_for_review(walk)
    walk.control.review(walk.slug, 1, "rita", "APPROVED")
    run = walk.go(tasks=[])
    walk.until(lambda: bool(walk.rig.ledger.tasks.all(run)))
    if done == "merge":
        walk.control.merge(walk.slug, 1, by="rita", method="squash")
    else:
        walk.control.change_pull(walk.slug, 1, open=False)
    task = only_task(walk, run)
    events = walk.finish(run)
    assert walk.task(run, task).state is state, walk.story()
    assert why in walk.task(run, task).reason
    assert not briefs(events)


def red_dev(walk: Walk, *jobs: JobPlan) -> None:
    """The workflow fails on `dev`."""
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=list(jobs), on=["push", "pull_request"])
    walk.control.push(walk.slug, "dev", {"RED": "x"}, by="rita")


def test_a_workflow_that_passes_again_before_the_agent_starts_has_resolved_itself(walk: Walk) -> None:
    red_dev(walk, JobPlan("test", result={"path": "RED", "then": "failure", "else": "success"}))
    walk.rig.play(NO_AGENT)
    run = walk.go(tasks=[])
    walk.until(lambda: bool(walk.rig.ledger.tasks.all(run)))
    walk.control.push(walk.slug, "dev", {"RED": None}, by="rita")
    events = walk.finish(run)
    task = walk.task(run, only_task(walk, run))
    assert task.state is TaskState.COMPLETED, walk.story()
    assert task.reason.startswith("self-resolved: ")
    assert not briefs(events)


def test_a_workflow_that_still_fails_gets_its_agent(walk: Walk) -> None:
    red_dev(walk, JobPlan("test", result={"path": "RED", "then": "failure", "else": "success"}))
    walk.rig.play({"*": [[{"delete": {"path": "RED"}}, *work("any")]]})
    run = walk.go(tasks=[])
    events = walk.finish(run)
    assert walk.task(run, only_task(walk, run)).state is TaskState.COMPLETED, walk.story()
    assert len(briefs(events)) == 1


def test_a_run_that_is_under_way_is_waited_for_a_little_and_not_for_ever(walk: Walk) -> None:
    red_dev(walk, JobPlan("test", result="failure"))
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=[JobPlan("test", hold=True)], on=["push"])
    run = walk.go(tasks=[])
    walk.until(lambda: bool(walk.rig.ledger.tasks.all(run)))
    walk.control.push(walk.slug, "dev", {"more.txt": "x"}, by="rita")
    walk.until(lambda: bool(briefs(walk.rig.events(run))))
    said = [str(one.data.get("text", "")) for one in of(walk.rig.events(run), EventKind.EVIDENCE)]
    assert any("is running" in text for text in said)


@pytest.mark.parametrize("fails", [False, True])
def test_an_issue_that_was_closed_is_left_and_who_cannot_be_asked_stops_nothing(walk: Walk, fails: bool) -> None:
    issue = walk.control.issue(walk.slug, "Mend the clock", by="rita")
    walk.rig.play({"*": [work("any")]} if fails else NO_AGENT)
    run = walk.go(tasks=[])
    walk.until(lambda: bool(walk.rig.ledger.tasks.all(run)))
    issue.open = False
    if fails:
        walk.control.fault("status", path=r".*/issues/\d+", status=500, times=None)
    events = walk.finish(run)
    assert walk.task(run, only_task(walk, run)).state is TaskState.COMPLETED, walk.story()
    assert len(briefs(events)) == int(fails)


def test_an_agent_that_this_host_does_not_know_is_named_by_the_attempt(walk: Walk) -> None:
    run = walk.go(agent="nobody")
    events = walk.finish(run)
    ended = of(events, EventKind.ATTEMPT_ENDED)
    assert {one.data["outcome"] for one in ended} == {"unstarted"}
    assert ended[0].data["summary"].startswith("OPS_AGENT is 'nobody'; there are: ")
    assert violations(events) == []
