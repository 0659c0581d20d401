"""What can happen to a change between two steps: the forge fails, the base moves, a worker dies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
import redis

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.names import short
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.engine.answer import answer
from ops_orchestrate.engine.lease import base_lock
from ops_orchestrate.ledger import PREFIX
from ops_orchestrate.report.check import violations
from ops_orchestrate.report.fold import fold
from ops_orchestrate.standin.profile import JobPlan
from tests.engine.rig import requested, work
from tests.engine.walk import QUICK, Walk, around, die, of, walking
from tests.laws import some

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One server and one GitHub for the whole file."""
    with walking(tmp_path_factory.mktemp("walks"), **QUICK) as made:
        yield made


@pytest.fixture
def walk(shared: Walk) -> Walk:
    """A repository of the test's own, and an agent that does what it is asked."""
    shared.control.clear_faults()
    shared.rig.play({"*": [work("any")]})
    shared.forge.repository(f"walk{next(_NUMBERS)}")
    return shared


def completed(walk: Walk, run: str, task: str = "go") -> None:
    """The run ends with the task merged once, by one pull request, as an outside check of its events confirms."""
    events = walk.finish(run)
    assert walk.task(run, task).state is TaskState.COMPLETED, walk.story()
    assert walk.task(run, task).merge
    assert not violations(events)


def once(walk: Walk) -> None:
    assert (walk.pulls(), walk.forge.merges()) == ([1], ["1"])


UNANSWERED: list[tuple[str, dict[str, Any]]] = [
    ("status", {"status": 500, "after": True}),
    ("drop", {}),
    ("drop", {"after": True}),
    ("status", {"status": 502}),
    ("html", {"after": True}),
]


@pytest.mark.parametrize(("kind", "more"), some(UNANSWERED, 3))
def test_a_merge_without_an_answer_happens_once_whether_it_was_done_or_not(
    walk: Walk, kind: str, more: dict[str, Any]
) -> None:
    walk.control.fault(kind, method="PUT", path=r".*/merge", **more)
    run = walk.go()
    completed(walk, run)
    once(walk)


def test_what_may_be_merged_is_looked_for_as_long_as_the_setting_says(walk: Walk) -> None:
    """Asked for again sooner, it could be merged twice: GitHub does merge after an error.

    The time counts from the asking, which is written down before the call is made: the two calls themselves may lie
    closer by what the writing and the call take.
    """
    walk.control.fault("status", method="PUT", path=r".*/merge", status=502)
    run = walk.go()
    completed(walk, run)
    merges = [one for one in walk.control.journal.entries if one.what == f"/repos/{walk.slug}/pulls/1/merge"]
    first, second = (one for one in merges if one.kind in ("fault", "request"))
    written_and_called = 0.1
    assert second.at - first.at >= 0.5 - written_and_called


@pytest.mark.parametrize("name", ["publish", "open", "rerun", "merge"])
def test_a_worker_that_dies_right_after_an_effect_repeats_none(
    walk: Walk, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "rerun":
        walk.forge.repository(f"walk{next(_NUMBERS)}", JobPlan("test", result=["cancelled", "success"]))
    around(monkeypatch, name, after=die)
    run = walk.go()
    completed(walk, run)
    once(walk)
    assert len(walk.control.journal.effects("rerun", walk.slug)) == (name == "rerun")


def left(walk: Walk, run: str) -> str | None:
    """Where the change's branch stands; None where it is gone."""
    return walk.control.repository(walk.slug).branch(f"ops/{run}/go")


@pytest.mark.parametrize("dies", [False, True])
def test_the_branch_of_what_is_merged_is_taken_away(walk: Walk, dies: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if dies:
        around(monkeypatch, "remove", before=die)
    run = walk.go()
    completed(walk, run)
    once(walk)
    assert left(walk, run) is None


def test_a_branch_that_somebody_has_pushed_to_since_stays(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    run = walk.go()
    branch = f"ops/{run}/go"
    later = lambda: walk.control.push(walk.slug, branch, {"later.txt": "x"}, by="rita", start=branch)  # noqa: E731
    around(monkeypatch, "remove", before=later)
    completed(walk, run)
    head = left(walk, run)
    assert head is not None
    assert walk.control.repository(walk.slug).bare.read(head, "later.txt") is not None


def test_a_branch_that_the_forge_keeps_is_no_failure(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    around(monkeypatch, "remove", before=lambda: walk.control.permit(walk.slug, "bot", "read"))
    run = walk.go()
    completed(walk, run)
    assert left(walk, run)


def test_the_branch_of_a_change_that_is_not_merged_stays(walk: Walk) -> None:
    walk.forge.repository(f"walk{next(_NUMBERS)}", JobPlan("test", hold=True))
    run = walk.go()
    walk.until(lambda: walk.pulls() == [1])
    walk.control.change_pull(walk.slug, 1, open=False)
    walk.finish(run)
    assert walk.task(run).state is TaskState.BLOCKED
    assert left(walk, run)


def test_a_worker_that_dies_between_the_proof_and_the_end_says_it_once(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(walk.rig.ledger.attempts).prove
    calls: list[None] = []

    def prove(*args: Any, **kwargs: Any) -> bool:
        said = real(*args, **kwargs)
        calls.append(None)
        if len(calls) == 1:
            die()
        return said

    monkeypatch.setattr(type(walk.rig.ledger.attempts), "prove", prove)
    run = walk.go()
    completed(walk, run)
    once(walk)
    assert len(of(walk.rig.events(run), EventKind.MERGE_PROVED)) == 1


def test_a_base_that_moves_after_ci_is_brought_in_and_checked_anew(walk: Walk) -> None:
    walk.forge.repository(f"walk{next(_NUMBERS)}", JobPlan("test", hold=True))
    run = walk.go()
    walk.until(lambda: walk.looks(run, "pending"))
    walk.control.release(walk.slug)
    moved = walk.control.push(walk.slug, "dev", {"other.txt": "x"}, by="rita")
    walk.until(lambda: len(walk.control.journal.effects("pull-head", walk.slug)) == 1)
    assert not walk.forge.merges()
    walk.control.release(walk.slug)
    completed(walk, run)
    once(walk)
    (proved,) = of(walk.rig.events(run), EventKind.MERGE_PROVED)
    assert proved.data["base"] == moved


def test_two_changes_to_one_base_cost_two_merges_and_one_update(walk: Walk) -> None:
    walk.forge.repository(f"walk{next(_NUMBERS)}", JobPlan("test", hold=True))
    name = walk.slug.split("/")[1]
    walk.rig.play({"one": [work("one")], "two": [work("two")]})
    run = walk.go(
        tasks=[requested("one", name, paths=("src/one.txt",)), requested("two", name, paths=("src/two.txt",))]
    )
    before = len(walk.control.journal.entries)
    walk.until(lambda: walk.looks(run, "pending", "one") and walk.looks(run, "pending", "two"))
    walk.control.release(walk.slug)
    walk.until(lambda: len(walk.control.journal.effects("pull-head", walk.slug)) == 1)
    walk.control.release(walk.slug)
    completed(walk, run, "one")
    completed(walk, run, "two")
    assert sorted(walk.forge.merges()) == ["1", "2"]
    heads = walk.control.journal.effects("pull-head", walk.slug)
    assert len(heads) == 1  # only who came second was brought up to date, and once
    assert queries(walk, before).count("Pull") == 2  # read for itself once each, for the merge


def queries(walk: Walk, since: int) -> list[str]:
    """What GitHub was asked by GraphQL since then, by name."""
    asked = [one for one in walk.control.journal.entries[since:] if one.what.endswith("graphql")]
    return [str(one.facts["query"]) for one in asked]


def test_what_only_had_to_settle_is_read_for_itself_at_once(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = walk.tools.settings.model_copy(update={"ci_settle": 0.5})
    monkeypatch.setattr(walk, "tools", replace(walk.tools, settings=settings))
    run = walk.go()
    walk.until(lambda: walk.looks(run, "settling"))
    before = len(walk.control.journal.entries)
    completed(walk, run)
    once(walk)
    assert queries(walk, before) == ["Pull"]


def test_a_change_whose_turn_has_not_come_is_not_read_for_itself(walk: Walk) -> None:
    """What is shared tells enough to wait in line; what a merge needs is asked for when its turn has come."""
    run = walk.go()
    repository, before = walk.forge.portfolio().projects[0].repositories[0], len(walk.control.journal.entries)
    lane, locks = base_lock(repository.key, "dev"), walk.tools.ledger.locks
    assert locks.acquire(lane, "another/change", 60)
    walk.until(lambda: walk.rig.ledger.attempts.pursuit(run, "go").in_line)
    assert "Glance" in queries(walk, before)
    assert "Pull" not in queries(walk, before)
    locks.release(lane, "another/change")
    completed(walk, run)
    once(walk)


@pytest.mark.parametrize("learned", some(["before its CI begins", "while it runs"]))
def test_who_is_in_the_lane_keeps_it_over_the_longest_wait_for_ci(walk: Walk, learned: str) -> None:
    """Else the next one in line would be brought up to a base that is about to move, and pay for CI in vain."""
    walk.forge.repository(f"walk{next(_NUMBERS)}", JobPlan("test", hold=True))
    run, ledger = walk.go(), walk.tools.ledger
    walk.until(lambda: walk.looks(run, "pending"))
    repo = walk.forge.portfolio().projects[0].repositories[0].key
    takes_minutes = lambda: ledger.facts.merged_with(repo, "dev", ["test"], seconds=600.0)  # noqa: E731
    walk.control.push(walk.slug, "dev", {"other.txt": "x"}, by="rita")
    walk.control.release(walk.slug)
    walk.until(lambda: walk.task(run).state is TaskState.VERIFYING)
    if learned == "before its CI begins":
        takes_minutes()
    walk.until(lambda: len(walk.control.journal.effects("pull-head", walk.slug)) == 1)
    takes_minutes()
    walk.until(lambda: walk.task(run).wake_at - ledger.now() > 60)
    urls, lane = walk.rig.settings.urls, base_lock(repo, "dev")
    assert urls and ledger.locks.holder(lane) == f"{run}/go"
    left = redis.Redis.from_url(urls.ledger).pttl(f"{PREFIX}lock:{lane}") / 1000
    assert ledger.now() + left > walk.task(run).wake_at


def test_a_squash_that_holds_something_else_closes_the_base_until_a_person_has_looked(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = walk.slug.split("/")[1]
    bare = walk.control.repository(walk.slug).bare
    trees = iter([bare.commit(walk.forge.head("dev")).tree])
    monkeypatch.setattr(bare, "write_commit", _forging(bare.write_commit, lambda: next(trees, None)))
    walk.rig.play({"one": [work("one")], "two": [work("two")]})
    run = walk.go(
        tasks=[requested("one", name, paths=("src/one.txt",)), requested("two", name, paths=("src/two.txt",))]
    )
    walk.until(lambda: bool(walk.pulls()))
    walk.until(lambda: any(walk.task(run, one).ask == "merged" for one in ("one", "two")))
    bad, good = ("one", "two") if walk.task(run, "one").ask == "merged" else ("two", "one")
    walk.until(lambda: walk.looks(run, "held", good))
    assert len(walk.forge.merges()) == 1
    answer(run, bad, "done", by="test", tools=walk.tools)
    completed(walk, run, good)
    assert len(walk.forge.merges()) == 2


def _forging(real: Any, tree: Any) -> Any:
    """Squash commits (one parent) of another tree, as long as there is one."""

    def write_commit(given: str, parents: list[str], *rest: Any, **more: Any) -> str:
        instead = tree() if len(parents) == 1 else None
        return str(real(instead or given, parents, *rest, **more))

    return write_commit


def test_a_merge_that_went_into_another_branch_is_said_with_its_name(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub pins the head of a merge and not its base, so who changes that in between changes where it goes."""
    before = walk.forge.head("dev"), walk.forge.head("main")
    around(monkeypatch, "merge", before=lambda: walk.control.change_pull(walk.slug, 1, base_ref="main"))
    run = walk.go()
    walk.until(lambda: walk.looks(run, "landed-elsewhere"))
    assert not of(walk.finish(run), EventKind.MERGE_PROVED)
    assert "it was merged into main, which nobody wanted" in walk.task(run).reason
    assert walk.task(run).state is TaskState.BLOCKED
    assert walk.forge.head("dev") == before[0] and walk.forge.head("main") != before[1]


def test_a_github_that_is_down_while_shipping_is_waited_for(walk: Walk) -> None:
    walk.forge.repository(f"walk{next(_NUMBERS)}", JobPlan("test", hold=True))
    run = walk.go()
    walk.until(lambda: walk.looks(run, "pending"))
    walk.control.fault("status", status=503, times=None)
    walk.until(lambda: _note(walk, run).startswith("GitHub failed"))
    walk.control.clear_faults()
    walk.control.release(walk.slug)
    completed(walk, run)
    once(walk)


def test_a_github_that_is_down_before_the_push_is_no_no(walk: Walk) -> None:
    walk.control.fault("status", path=r"/repos/[^/]+/[^/]+", status=503, times=4)
    run = walk.go()
    completed(walk, run)
    once(walk)


def test_a_used_up_rate_limit_is_waited_out_without_asking(walk: Walk) -> None:
    walk.forge.repository(f"walk{next(_NUMBERS)}", JobPlan("test", hold=True))
    run = walk.go()
    walk.until(lambda: walk.looks(run, "pending"))
    walk.control.limit("bot", "graphql", 0, reset_in=1.5)
    walk.until(lambda: "rate limit" in _note(walk, run))
    asked = len(walk.control.journal.requests())
    walk.control.release(walk.slug)
    wake_at = walk.task(run).wake_at
    assert wake_at - walk.rig.ledger.now() > 0.3
    assert len(walk.control.journal.requests()) - asked <= 1
    completed(walk, run)
    once(walk)


def _note(walk: Walk, run: str) -> str:
    """Why the change was put off last."""
    snoozed = of(walk.rig.events(run), EventKind.TASK_SNOOZED)
    return str(snoozed[-1].data["note"]) if snoozed else ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda walk: walk.control.permit(walk.slug, "bot", "read"), "does not let us push"),
        (lambda walk: walk.control.change_repository(walk.slug, archived=True), "archived"),
    ],
)
def test_where_we_may_not_write_any_more_nothing_is_pushed_or_opened(walk: Walk, change: Any, why: str) -> None:
    run = walk.go()
    walk.until(lambda: bool(walk.rig.ledger.tasks.all(run)))  # the audit still saw that we may
    change(walk)
    walk.finish(run)
    assert walk.task(run).state is TaskState.BLOCKED
    assert why in walk.task(run).reason
    assert walk.pulls() == []
    assert not [ref for ref in walk.control.repository(walk.slug).bare.refs() if "ops/" in ref]


def test_without_ci_checks_a_change_waits_for_a_person_not_for_ever(walk: Walk) -> None:
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.unprotect(walk.slug)
    walk.control.protect(walk.slug, "dev")
    run = walk.go()
    walk.finish(run)
    assert "no CI evidence" in walk.task(run).reason
    assert not walk.forge.merges()


def test_an_issue_whose_merge_only_git_remembers_is_not_worked_on_twice(walk: Walk) -> None:
    """A merge into `dev` leaves it open on GitHub, and Redis has lost everything since."""
    walk.rig.play({"*": [work("any")]})
    walk.control.issue(walk.slug, "It does not greet", by="rita")
    first = walk.go(tasks=[])
    walk.finish(first)
    assert (walk.pulls(), walk.forge.merges()) == ([2], ["2"]), walk.story()
    redis.Redis.from_url(walk.rig.server).flushall()
    walk.rig.ledger.open(quiet=0)
    again = walk.go(tasks=[])
    walk.finish(again)
    assert not walk.rig.ledger.tasks.all(again)
    (left,) = (one for one in fold(walk.rig.events(again)).skipped if "It does not greet" in one.name)
    assert left.reason.startswith("done since: ")
    assert left.reason.endswith(f"was merged by run {first} ({short(walk.forge.head('dev'))})")
    assert (walk.pulls(), walk.forge.merges()) == ([2], ["2"])
