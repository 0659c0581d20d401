"""The board: readiness is computed, five slots, one writer, and nothing stays taken without a lease."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.board import Candidate, Host
from ops_orchestrate.core.change import GateEnd, GateResult
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.core.task import Priority
from ops_orchestrate.ledger import Ledger, Offered
from tests.builders import make_request, make_task
from tests.ledger.play import (
    LEASE,
    at_stage,
    completed,
    data_of,
    ended,
    expired,
    failed,
    granted,
    kinds,
    planned,
    story,
)


def states(ledger: Ledger) -> dict[str, str]:
    return {task.spec.id: task.state.value for task in ledger.tasks.all("r1")}


def offer_all(ledger: Ledger, run: str = "r1") -> None:
    for task in ledger.tasks.all(run):
        ledger.board.offer(run, task.spec.id)


# Readiness ----------------------------------------------------------------------------------------------------------


def test_a_task_may_start_once_all_its_blockers_have_completed(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2"), make_task("t3", blocked_by=("t1", "t2")))
    assert not ledger.board.offer("r1", "t3")
    completed(ledger, "t1")
    assert not ledger.board.offer("r1", "t3")
    completed(ledger, "t2")
    assert ledger.board.offer("r1", "t3")
    assert ledger.runs.candidates("r1") == 1


@pytest.mark.parametrize("state", [TaskState.BLOCKED, TaskState.DISCARDED, TaskState.CANCELLED])
def test_a_blocker_that_ended_otherwise_starts_nothing(ledger: Ledger, state: TaskState) -> None:
    planned(ledger, make_task("t1"), make_task("t2", blocked_by=("t1",)))
    failed(ledger, state)
    assert not ledger.board.offer("r1", "t1")
    assert not ledger.board.offer("r1", "t2")


def test_a_failed_task_that_may_be_tried_again_is_offered(ledger: Ledger) -> None:
    planned(ledger)
    failed(ledger, TaskState.RETRYABLE)
    assert ledger.board.offer("r1", "t1")


def test_waves_beyond_the_limit_are_not_offered(ledger: Ledger) -> None:
    planned(ledger, make_task("t1", wave=0), make_task("t2", wave=1), request=make_request(max_waves=1))
    assert ledger.board.offer("r1", "t1")
    assert not ledger.board.offer("r1", "t2")


def test_offering_twice_is_offering_once(ledger: Ledger) -> None:
    planned(ledger)
    assert [ledger.board.offer("r1", "t1") for _ in range(2)] == [Offered.ROOM, Offered.ROOM]
    assert len(ledger.board.look(5).candidates) == 1
    assert not ledger.board.offer("r1", "ghost")


def test_an_offer_says_whether_a_slot_is_free(ledger: Ledger) -> None:
    names = [f"t{number}" for number in range(1, 7)]
    planned(ledger, *map(make_task, names))
    for name in names[:5]:
        granted(ledger, name)
    assert ledger.board.offer("r1", names[5]) is Offered.YES
    assert ledger.board.offer("r1", names[0]) is Offered.NO


# The picture --------------------------------------------------------------------------------------------------------


def test_the_most_urgent_candidates_come_first(ledger: Ledger) -> None:
    planned(
        ledger,
        make_task("late", priority=Priority.P2, estimate=900.0),
        make_task("short", priority=Priority.P1, estimate=10.0),
        make_task("long", priority=Priority.P1, estimate=20.0),
        make_task("after", priority=Priority.P3, blocked_by=("short",), estimate=100.0),
        make_task("fire", priority=Priority.P0, estimate=1.0),
    )
    offer_all(ledger)
    found = ledger.board.look(5).candidates
    assert [one.task for one in found] == ["fire", "short", "long", "late"]
    assert found[1] == Candidate(
        run="r1",
        task="short",
        repo="app",
        project="app",
        paths=("src/short/**",),
        priority=Priority.P1,
        path_left=110.0,
        estimate=10.0,
        offered_at=found[1].offered_at,
    )
    assert 0 < found[1].offered_at <= ledger.now()


def test_a_crowded_repository_does_not_hide_the_others(ledger: Ledger) -> None:
    crowd = [make_task(f"a{n}", priority=Priority.P1) for n in range(520)]
    planned(ledger, *crowd, make_task("b", repo="web", priority=Priority.P3))
    offer_all(ledger)
    found = ledger.board.look(5).candidates
    assert len(found) <= 500
    assert {one.repo for one in found} == {"app", "web"}


def test_capacity_is_what_living_hosts_announce_less_the_slots_in_use(ledger: Ledger) -> None:
    assert ledger.board.look(5).capacity == 0
    ledger.hosts.announce(Host(name="h1", pools={"agent": 3}, seen_at=0), process="1", ttl=30)
    ledger.hosts.announce(Host(name="h1", pools={"agent": 1, "ship": 2}, seen_at=0), process="2", ttl=30)
    assert ledger.board.look(5).capacity == 4
    planned(ledger)
    granted(ledger)
    assert ledger.board.look(5).capacity == 3
    ledger.hosts.withdraw("h1", "1")
    assert ledger.board.look(5).capacity == 0


def test_the_cap_is_five_at_most(ledger: Ledger) -> None:
    assert (ledger.board.look(9).cap, ledger.board.look(2).cap) == (5, 2)


# Grants -------------------------------------------------------------------------------------------------------------


def test_a_grant_gives_slot_ownership_and_fence(ledger: Ledger) -> None:
    planned(ledger)
    key = granted(ledger)
    (slot,), (owner,) = ledger.board.slots(), ledger.board.owners()
    assert (slot.index, slot.run, slot.task, slot.attempt, slot.fence) == (1, "r1", "t1", 1, key.fence)
    assert (owner.repo, owner.task, owner.fence, owner.paths) == ("app", "t1", key.fence, ("src/t1/**",))
    task = ledger.tasks.get("r1", "t1")
    assert (task.state, task.stage, task.attempt, task.spent, task.seq) == (TaskState.RUNNING, "implement", 1, 0, 0)
    assert ledger.runs.candidates("r1") == 0
    assert kinds(story(ledger))[-2:] == [EventKind.SLOT_TAKEN, EventKind.OWNERSHIP_TAKEN]
    assert data_of(ledger, EventKind.OWNERSHIP_TAKEN) == [{"repo": "app", "paths": ["src/t1/**"]}]


def test_a_board_that_moved_grants_nothing(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2"))
    offer_all(ledger)
    board = ledger.board.look(5)
    first, second = board.candidates
    assert len(ledger.board.grant(board, [first], lease=LEASE)) == 1
    assert ledger.board.grant(board, [second], lease=LEASE) == []
    assert len(ledger.board.grant(ledger.board.look(5), [second], lease=LEASE)) == 1


@pytest.mark.parametrize("cap", [1, 3, 5, 9])
def test_never_more_slots_than_the_cap(ledger: Ledger, cap: int) -> None:
    planned(ledger, *[make_task(f"t{n}", repo=f"repo{n}") for n in range(8)])
    offer_all(ledger)
    board = ledger.board.look(cap)
    grants = ledger.board.grant(board, board.candidates, lease=LEASE)
    assert [grant.slot for grant in grants] == list(range(1, min(5, cap) + 1))
    assert len({grant.fence for grant in grants}) == len(grants)
    board = ledger.board.look(cap)
    assert ledger.board.grant(board, board.candidates, lease=LEASE) == []


def test_the_grant_itself_knows_the_cap_of_five(ledger: Ledger) -> None:
    """Whatever a worker of another version or with a setting of its own believes."""
    planned(ledger, *[make_task(f"t{n}", repo=f"repo{n}") for n in range(8)])
    offer_all(ledger)
    board = ledger.board.look(5).model_copy(update={"cap": 9})
    assert len(ledger.board.grant(board, board.candidates, lease=LEASE)) == 5
    assert len(ledger.board.slots()) == 5


def test_the_lowest_free_slot_is_given(ledger: Ledger) -> None:
    planned(ledger, *[make_task(f"t{n}", repo=f"repo{n}") for n in range(4)])
    keys = [granted(ledger, f"t{n}") for n in range(3)]
    ended(ledger, keys[1], Stage.IMPLEMENT)
    granted(ledger, "t3")
    assert [slot.task for slot in ledger.board.slots()] == ["t0", "t3", "t2"]


ALL: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (("a/**",), ("b/**",), True),
        (ALL, ("b/**",), False),
        (("a/**",), ALL, False),
        (ALL, ALL, False),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_who_owns_a_whole_repository_is_alone_in_it(
    ledger: Ledger, first: tuple[str, ...], second: tuple[str, ...], both: bool, at_once: bool
) -> None:
    planned(ledger, make_task("t1", paths=first), make_task("t2", paths=second))
    offer_all(ledger)
    picks = {one.task: one for one in ledger.board.look(5).candidates}
    steps = [[picks["t1"], picks["t2"]]] if at_once else [[picks["t1"]], [picks["t2"]]]
    grants = [g.task for step in steps for g in ledger.board.grant(ledger.board.look(5), step, lease=LEASE)]
    assert grants == (["t1", "t2"] if both else ["t1"])


def test_picks_that_may_not_start_are_passed_over(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2", blocked_by=("t1",)))
    forged = Candidate(run="r1", task="t2", repo="app")
    ghost = Candidate(run="r1", task="ghost", repo="app")
    assert ledger.board.grant(ledger.board.look(5), [forged, ghost], lease=LEASE) == []
    assert states(ledger) == {"t1": "queued", "t2": "queued"}


def test_a_stopping_run_is_granted_nothing(ledger: Ledger) -> None:
    planned(ledger)
    offer_all(ledger)
    board = ledger.board.look(5)
    ledger.runs.request_stop("r1", "salvage")
    assert ledger.board.grant(board, board.candidates, lease=LEASE) == []


def test_nothing_is_granted_before_the_quiet_has_ended(ledger: Ledger) -> None:
    ledger.open(quiet=1)
    planned(ledger)
    offer_all(ledger)
    board = ledger.board.look(5)
    assert board.quiet_until > board.now
    assert ledger.board.grant(board, board.candidates, lease=LEASE) == []
    expired(ledger, 1)
    assert len(ledger.board.grant(ledger.board.look(5), board.candidates, lease=LEASE)) == 1


def test_opening_again_keeps_the_quiet_and_the_fences(ledger: Ledger) -> None:
    ledger.open(quiet=0)
    planned(ledger, make_task("t1"), make_task("t2"))
    first = granted(ledger, "t1").fence
    ledger.open(quiet=1000)
    assert ledger.board.look(5).quiet_until <= ledger.now()
    assert granted(ledger, "t2").fence > first


def test_fences_are_never_below_the_clock(ledger: Ledger) -> None:
    """In milliseconds: a ledger that lost everything starts above every fence ever given."""
    planned(ledger)
    before = ledger.now()
    assert granted(ledger).fence >= int(before * 1000)


def test_the_writers_of_a_repository_are_those_at_work_and_those_whose_change_is_not_merged(ledger: Ledger) -> None:
    planned(ledger, make_task("t1", repo="a"), make_task("t2", repo="b"), make_task("t3", repo="a", paths=("x/",)))
    assert ledger.looks.brief("r1", "t1", "a").writers == []
    granted(ledger)
    assert ledger.looks.brief("r1", "t1", "a").writers == [("r1", "t1")]
    at_stage(ledger, Stage.VERIFY, "t2")
    assert (ledger.looks.brief("r1", "t1", "a").writers, ledger.looks.brief("r1", "t1", "b").writers) == (
        [("r1", "t1")],
        [("r1", "t2")],
    )
    ledger.tasks.cancel("r1", "t2", by="ann", reason="no")
    ledger.board.reap(grant_timeout=0.0)
    assert ledger.looks.brief("r1", "t1", "a").writers == []


def test_a_brief_is_told_what_its_task_has_waited_for_and_whether_the_base_is_red(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2"), make_task("t3", blocked_by=("t2", "t1")))
    completed(ledger, "t1")
    red = GateResult(end=GateEnd.FAILED, exit_code=2, log_tail="1 failed")
    ledger.facts.put_gate("app", "tree1", "make test", red)
    found = ledger.looks.brief("r1", "t3", "app", blockers=("t2", "t1"), gate=("app", "tree1", "make test"))
    assert (found.blockers, found.gate) == ([ledger.tasks.get("r1", task) for task in ("t2", "t1")], red)
    assert ledger.looks.brief("r1", "t3", "app", gate=("app", "tree2", "make test")).gate is None
    (made,) = ledger.tasks.handed_over("r1", found.blockers)
    assert (made.task, made.merge) == ("t1", "m1")


def test_a_look_begins_with_the_most_urgent_repositories_and_knows_what_is_left_in_them(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    urgent = {f"t{at}": Priority.P1 if at % 2 else Priority.P2 for at in range(8)}
    planned(ledger, *(make_task(task, repo=f"r-{task}", priority=priority) for task, priority in urgent.items()))
    offer_all(ledger)
    monkeypatch.setattr("ops_orchestrate.ledger.board.CANDIDATES", 4)
    board = ledger.board.look(5)
    assert {one.task for one in board.candidates} == {"t1", "t3", "t5", "t7"}
    assert set(board.repo_work) == {f"r-t{at}" for at in (1, 3, 5, 7)}
    for task in ("t1", "t3"):
        ledger.tasks.cancel("r1", task, by="ann", reason="no")
    assert {one.task for one in ledger.board.look(5).candidates} >= {"t5", "t7"}
    assert len(ledger.board.look(5).candidates) == 4
