"""Members of a team that start before their blockers have completed: when, how it is told, and what ends it."""

from __future__ import annotations

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.core.task import TaskMode
from ops_orchestrate.ledger import Ledger
from tests.builders import make_outcome, make_request, make_settlement, make_task
from tests.ledger.play import LEASE, claimed, data_of, ended, expired, granted, planned

TEAM = {"mode": TaskMode.TEAM}
API = make_task("api", repo="api", **TEAM)
WEB = make_task("web", repo="web", blocked_by=("api",), **TEAM)


def early(ledger: Ledger) -> list[tuple[str, bool]]:
    return [(one.task, one.early) for one in ledger.board.look(5).candidates]


def at_work(ledger: Ledger, task: str = "api") -> StageKey:
    key = granted(ledger, task)
    claimed(ledger, key, Stage.IMPLEMENT)
    return key


def ships(ledger: Ledger, key: StageKey) -> None:
    assert ledger.attempts.end(
        key, Stage.IMPLEMENT, holder="me", outcome=make_outcome(OutcomeKind.SUCCEEDED, head="h"), goes_on=True
    )
    ended(ledger, key, Stage.VERIFY)
    ended(ledger, key, Stage.LAND, goes_on=False)
    assert ledger.attempts.settle(key, make_settlement()).applied


def test_it_is_offered_while_an_agent_is_at_work_on_its_blocker(ledger: Ledger) -> None:
    planned(ledger, API, WEB)
    assert not ledger.board.offer("r1", "web")
    key = granted(ledger, "api")
    assert not ledger.board.offer("r1", "web"), "a grant is no agent at work"
    claimed(ledger, key, Stage.IMPLEMENT)
    assert early(ledger) == [("web", True)]
    ended(ledger, key, Stage.IMPLEMENT)
    assert early(ledger) == [], "what is being verified may be sent back"
    ended(ledger, key, Stage.VERIFY)
    ended(ledger, key, Stage.LAND, goes_on=False)
    ledger.attempts.settle(key, make_settlement())
    assert ledger.board.offer("r1", "web")
    assert early(ledger) == [("web", False)]


def test_a_subagents_task_is_never_offered_early(ledger: Ledger) -> None:
    planned(ledger, make_task("api", repo="api"), make_task("web", repo="web", blocked_by=("api",)))
    at_work(ledger)
    assert not ledger.board.offer("r1", "web")
    assert early(ledger) == []


def test_only_members_of_a_team_are_looked_at_while_their_blocker_is_worked_on(ledger: Ledger) -> None:
    """A task that is looked at has a hash of its own from then on."""
    planned(ledger, API, WEB, make_task("docs", blocked_by=("api",)))
    at_work(ledger)
    assert early(ledger) == [("web", True)]
    hashes = ledger._server.client.keys("*:task:r1:*")
    assert sorted(name.rpartition(":")[2] for name in hashes) == ["api", "web"]


def test_each_blocker_must_be_done_or_worked_on(ledger: Ledger) -> None:
    planned(ledger, API, make_task("lib", repo="lib", **TEAM), make_task("web", blocked_by=("api", "lib"), **TEAM))
    key = at_work(ledger)
    assert not ledger.board.offer("r1", "web")
    at_work(ledger, "lib")
    assert early(ledger) == [("web", True)]
    ships(ledger, key)
    assert ledger.board.offer("r1", "web")
    assert early(ledger) == [("web", True)], "one is still at work"


def test_the_last_slot_is_left_also_where_the_picture_was_older(ledger: Ledger) -> None:
    planned(ledger, API, WEB)
    at_work(ledger)
    board = ledger.board.look(2)
    assert ledger.board.grant(board, board.candidates, lease=LEASE) == []
    board = ledger.board.look(3)
    assert len(ledger.board.grant(board, board.candidates, lease=LEASE)) == 1


def test_waves_beyond_the_limit_and_stopped_runs_start_nothing_early(ledger: Ledger) -> None:
    later = make_task("web", repo="web", blocked_by=("api",), wave=1, **TEAM)
    planned(ledger, API, later, request=make_request(max_waves=1))
    at_work(ledger)
    assert early(ledger) == []


def test_events_and_record_say_that_it_is_early(ledger: Ledger) -> None:
    planned(ledger, API, WEB)
    at_work(ledger)
    key = at_work(ledger, "web")
    assert ledger.tasks.get("r1", "web").early
    assert not ledger.tasks.get("r1", "api").early
    assert [data.get("early") for data in data_of(ledger, EventKind.SLOT_TAKEN)] == [None, True]
    assert [data.get("early") for data in data_of(ledger, EventKind.ATTEMPT_STARTED)] == [None, True]
    ended(ledger, key, Stage.IMPLEMENT, make_outcome(OutcomeKind.INTERRUPTED), goes_on=False)
    assert ledger.attempts.settle(key, make_settlement(TaskState.RETRYABLE)).applied
    assert not ledger.tasks.get("r1", "web").early


def test_a_grant_is_not_claimed_once_its_blocker_has_ended_otherwise(ledger: Ledger) -> None:
    planned(ledger, API, WEB)
    blocker = at_work(ledger)
    key = granted(ledger, "web", lease=0.01)
    ended(ledger, blocker, Stage.IMPLEMENT, make_outcome(OutcomeKind.FAILED), goes_on=False)
    assert ledger.attempts.settle(blocker, make_settlement(TaskState.DISCARDED)).applied
    claim = ledger.attempts.claim(key, Stage.IMPLEMENT, holder="me", host="h", lease=LEASE)
    assert claim.kind == "stale"
    expired(ledger, 0.02)
    assert [lost.what for lost in ledger.board.reap(grant_timeout=0.01)] == ["ungranted"]
    assert ledger.tasks.get("r1", "web").attempt == 0


def test_one_whose_blocker_has_completed_since_is_early_no_more(ledger: Ledger) -> None:
    planned(ledger, API, WEB)
    blocker = at_work(ledger)
    key = granted(ledger, "web")
    ships(ledger, blocker)
    claimed(ledger, key, Stage.IMPLEMENT)
    assert data_of(ledger, EventKind.ATTEMPT_STARTED)[-1].get("early") is None


def test_what_waits_with_its_work_looks_again_when_its_blocker_has_ended(ledger: Ledger) -> None:
    planned(ledger, API, WEB)
    blocker = at_work(ledger)
    key = at_work(ledger, "web")
    assert ledger.attempts.end(
        key, Stage.IMPLEMENT, holder="me", outcome=make_outcome(OutcomeKind.SUCCEEDED, head="h"), goes_on=True
    )
    claimed(ledger, key, Stage.VERIFY)
    assert ledger.attempts.snooze(key, Stage.VERIFY, holder="me", seconds=600, note="waits for api")
    assert ledger.board.wake() == []
    ships(ledger, blocker)
    assert [(woken.task, stage) for woken, stage in ledger.board.wake()] == [("web", Stage.VERIFY)]


def test_a_run_that_stops_does_not_wait_for_it(ledger: Ledger) -> None:
    planned(ledger, API, WEB)
    at_work(ledger)
    key = at_work(ledger, "web")
    assert ledger.attempts.end(
        key, Stage.IMPLEMENT, holder="me", outcome=make_outcome(OutcomeKind.SUCCEEDED, head="h"), goes_on=True
    )
    claimed(ledger, key, Stage.VERIFY)
    assert ledger.attempts.snooze(key, Stage.VERIFY, holder="me", seconds=600, note="waits for api")
    assert ledger.runs.request_stop("r1", "salvage", "ana")
    assert [woken.task for woken, _ in ledger.board.wake()] == ["web"]


def test_a_blocker_that_is_withdrawn_starts_nobody(ledger: Ledger) -> None:
    planned(ledger, API, WEB)
    at_work(ledger)
    assert early(ledger) == [("web", True)]
    ledger.tasks.cancel("r1", "api", by="ana", reason="no")
    assert early(ledger) == []
