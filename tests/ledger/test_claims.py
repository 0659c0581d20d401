"""Claims: two runs never work on the same finding, and one takes over only what it was allowed to."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.crossref import Blocker, Left
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState, Stage, TaskState
from ops_orchestrate.ledger import Ledger, claims, taking
from tests.builders import make_outcome, make_repository, make_request, make_settlement, make_task
from tests.ledger.play import at_stage, completed, data_of, ended, failed, granted, planned, snapshot

FOUND = ("app", "fp-t1")
ITEM = (*FOUND, "t1", "sha1")


@pytest.fixture(autouse=True, params=[1, 100])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one call, and in one for each finding: nobody sees a difference."""
    monkeypatch.setattr(taking, "AT_ONCE", request.param)
    monkeypatch.setattr(claims, "AT_ONCE", request.param)


def test_a_finding_has_one_run(ledger: Ledger) -> None:
    planned(ledger)
    planned(ledger, run="r2")
    assert ledger.claims.look([FOUND]) == {}
    assert ledger.claims.take("r1", [ITEM]) == {}
    assert ledger.claims.take("r1", [ITEM]) == {}  # its own claim is no obstacle
    refused = ledger.claims.take("r2", [ITEM, ("app", "fp-t9", "t9", "")])
    assert list(refused) == [FOUND]
    assert (refused[FOUND].run, refused[FOUND].task, refused[FOUND].cause) == ("r1", "t1", "sha1")
    assert ledger.claims.look([("app", "fp-t9")]) == {}, "all of them, or none"


def test_a_claim_shows_how_far_its_owner_is(ledger: Ledger) -> None:
    ledger.claims.take("r1", [ITEM])
    assert ledger.claims.look([FOUND])[FOUND].state is TaskState.QUEUED  # claimed, not planned yet
    planned(ledger)
    completed(ledger)
    ledger.runs.finish("r1", RunState.DONE, "")
    view = ledger.claims.look([FOUND, ("app", "other")])[FOUND]
    assert (view.state, view.run_state, view.merge) == (TaskState.COMPLETED, RunState.DONE, "m1")
    assert ledger.claims.look([]) == {}


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (None, TaskState.CANCELLED),
        (TaskState.RETRYABLE, TaskState.CANCELLED),
        (TaskState.BLOCKED, TaskState.CANCELLED),
        (TaskState.DISCARDED, TaskState.DISCARDED),
    ],
)
def test_a_claim_is_taken_over_where_it_is_allowed(ledger: Ledger, state: TaskState | None, after: TaskState) -> None:
    planned(ledger)
    ledger.claims.take("r1", [ITEM])
    if state:
        failed(ledger, state)
    else:
        ledger.board.offer("r1", "t1")
    assert ledger.claims.take("r2", [(*FOUND, "u1", "sha2")], over=[("r1", "t1")]) == {}
    assert ledger.claims.look([FOUND])[FOUND].run == "r2"
    task = ledger.tasks.get("r1", "t1")
    assert task.state is after
    assert task.state is TaskState.DISCARDED or task.reason == "taken over by run r2"
    assert ledger.runs.candidates("r1") == 0


def test_what_was_started_meanwhile_is_not_taken_over(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"))
    ledger.claims.take("r1", [ITEM])
    granted(ledger)
    assert list(ledger.claims.take("r2", [(*FOUND, "u1", "")], over=[("r1", "t1")])) == [FOUND]
    assert ledger.claims.look([FOUND])[FOUND].run == "r1"


def test_where_one_finding_is_refused_nothing_is_taken_over(ledger: Ledger) -> None:
    """Else whoever tries again could not tell what it took over from what it had before, and makes it once more."""
    planned(ledger)
    ledger.claims.take("r1", [ITEM])
    failed(ledger, TaskState.BLOCKED)
    ledger.claims.take("r3", [("app", "fp-t9", "t9", "")])
    before = snapshot(ledger), ledger.claims.look([FOUND])
    both = [(*FOUND, "u1", ""), ("app", "fp-t9", "u9", "")]
    assert list(ledger.claims.take("r2", both, over=[("r1", "t1")])) == [("app", "fp-t9")]
    assert (snapshot(ledger), ledger.claims.look([FOUND])) == before
    assert ledger.claims.take("r2", both[:1], over=[("r1", "t1")]) == {}
    assert ledger.tasks.get("r1", "t1").state is TaskState.CANCELLED


def test_all_claims_of_a_task_are_taken_over_with_it(ledger: Ledger) -> None:
    planned(ledger)
    ledger.claims.take("r1", [ITEM, ("app", "fp-t1b", "t1", "")])
    taken = [(*FOUND, "u1", ""), ("app", "fp-t1b", "u1", "")]
    assert ledger.claims.take("r2", taken, over=[("r1", "t1")]) == {}
    assert {view.run for view in ledger.claims.look([FOUND, ("app", "fp-t1b")]).values()} == {"r2"}
    assert len(data_of(ledger, EventKind.TASK_SETTLED)) == 1


def test_a_claim_shows_what_it_took_over_until_its_plan_is_there(ledger: Ledger) -> None:
    planned(ledger)
    ledger.claims.take("r1", [ITEM])
    left = Left("r1", "t1", "h1")
    assert ledger.runs.begin("r2", make_request(), host="h", parts=["git"])
    assert not ledger.claims.take("r2", [(*FOUND, "u1", "sha1")], over=[("r1", "t1")], left={"u1": left})
    assert ledger.claims.look([FOUND])[FOUND].left == left
    assert ledger.runs.store_plan("r2", [make_task("u1")], blocked={}, skipped=(), unknown=())
    assert ledger.claims.look([FOUND])[FOUND].left is None


def test_a_claim_shows_what_it_waits_for_and_the_gate_that_its_run_has_now(ledger: Ledger) -> None:
    planned(ledger, make_task("t1", gate="true"))
    ledger.claims.take("r1", [ITEM])
    key = at_stage(ledger, Stage.VERIFY)
    ended(ledger, key, Stage.VERIFY, make_outcome(OutcomeKind.WAITING, ask="verify", head="h1"), goes_on=False)
    ledger.attempts.settle(key, make_settlement(TaskState.BLOCKED, ask="verify"))
    view = ledger.claims.look([FOUND])[FOUND]
    assert (view.state, view.ask, view.head, view.gate) == (TaskState.BLOCKED, "verify", "h1", "true")
    given = make_repository(gate="make test").gate_setting
    assert given
    ledger.runs.take_gate("r1", "app", given, task="t1", told={})
    assert ledger.claims.look([FOUND])[FOUND].gate == "make test"


def test_a_claim_that_a_run_has_left_shows_what_it_waits_for_there(ledger: Ledger) -> None:
    blocker = make_task("t0", fingerprint="fp-t0", sources=("linear",))
    planned(ledger, make_task("done"), blocker, make_task("t1", blocked_by=("done", "t0")))
    ledger.claims.take("r1", [ITEM])
    completed(ledger, "done")
    assert ledger.claims.look([FOUND])[FOUND].behind == ()  # its run goes on with it
    assert ledger.runs.request_stop("r1", "now")
    assert ledger.runs.finish("r1", RunState.STOPPED, "")
    waits = Blocker(task="t0", project="app", fingerprint="fp-t0", sources=("linear",))
    assert ledger.claims.look([FOUND])[FOUND].behind == (waits,)


@pytest.mark.parametrize("takes", [False, True])
def test_claims_of_a_run_whose_forgetting_begins_meanwhile_are_none(ledger: Ledger, takes: bool) -> None:
    """Also where they have refused a run that wants the same, before they were seen to be none."""
    planned(ledger)
    ledger.claims.take("r1", [ITEM])
    completed(ledger)
    assert ledger.runs.finish("r1", RunState.DONE, "")
    client, scripts, asked = ledger._server.client, ledger._scripts, list[str]()

    def after(name: str, *args: str | float) -> object:
        answer = scripts(name, *args)
        if not asked:
            scripts("run_forget", "r1", ledger.now() + 1, "0", 1)
            client.hset("{ops}:claims", '["app", "fp-t1"]', claim)  # as if it had not come that far
        asked.append(name)
        return answer

    claim = client.hget("{ops}:claims", '["app", "fp-t1"]')
    ledger.claims._taking._scripts = after  # type: ignore[assignment]
    if not takes:
        assert ledger.claims.look([FOUND]) == {}
        return
    assert ledger.claims.take("r2", [(*FOUND, "u1", "")]) == {}
    assert asked == ["claims_take"] * 2
    assert ledger.claims.look([FOUND])[FOUND].run == "r2"


def test_of_a_task_that_was_touched_the_line_is_not_read(ledger: Ledger) -> None:
    """It may hold twenty thousand characters, which nobody wants of a hundred thousand tasks."""
    planned(ledger)
    ledger.claims.take("r1", [ITEM])
    completed(ledger)
    before = ledger.claims.look([FOUND])
    ledger._server.client.hdel("{ops}:plan:r1", "t1")
    assert ledger.claims.look([FOUND]) == before
