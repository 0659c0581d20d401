"""From `dev` to `main` by a pinned pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.engine.answer import answer
from ops_orchestrate.engine.frozen import held
from ops_orchestrate.engine.promotion.book import promotion_of
from ops_orchestrate.ledger.runs import Runs
from ops_orchestrate.report.check import violations
from ops_orchestrate.standin.git import Bare
from ops_orchestrate.standin.profile import JobPlan
from tests.engine.forge_rig import JOB
from tests.engine.promotions import held_at_main, newer_head
from tests.engine.rig import work
from tests.engine.walk import QUICK, Walk, around, die, of, walking
from tests.laws import some

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One server and one GitHub for the whole file."""
    with walking(tmp_path_factory.mktemp("promotion"), **QUICK) as made:
        yield made


@pytest.fixture
def walk(shared: Walk) -> Walk:
    """A repository that is promoted."""
    shared.control.clear_faults()
    shared.rig.play({"*": [work("any")]})
    shared.forge.repository(f"promo{next(_NUMBERS)}", JOB, promote=True)
    return shared


def state(walk: Walk, run: str) -> PromotionState | None:
    known = promotion_of(run, walk.forge.portfolio().projects[0].repositories[0].key, walk.tools)
    return known.state if known else None


def promoted(walk: Walk, run: str) -> None:
    """Main has the merge, said once, by one pull request."""
    events = walk.finish(run)
    (said,) = of(events, EventKind.PROMOTED)
    assert said.data["commit"] == walk.forge.head("main"), walk.story()
    assert walk.pulls() == [1, 2]
    assert walk.forge.merges() == ["1", "2"]
    assert not violations(events)


def test_dev_gets_to_main_by_a_merge_commit(walk: Walk) -> None:
    promoted(walk, walk.go())
    assert len(walk.control.repository(walk.slug).bare.commit(walk.forge.head("main")).parents) == 2
    assert not [ref for ref in walk.control.repository(walk.slug).refs if "/ops/" in ref]


@pytest.mark.parametrize("after", some([True, False]))
def test_a_promotion_whose_merge_answers_500_happens_once(walk: Walk, after: bool) -> None:
    walk.control.fault("status", method="PUT", path=r".*/2/merge", status=500, after=after)
    promoted(walk, walk.go())


def test_a_merge_that_was_never_asked_for_is_not_looked_for(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether we may write is asked before; without an answer nothing has gone out."""
    run = walk.go()
    walk.until(lambda: walk.forge.merges() == ["1"])

    def silent() -> None:
        walk.control.fault("status", method="GET", path=f"/repos/{walk.slug}", status=502, times=3)

    around(monkeypatch, "merge", before=silent)
    key = walk.forge.portfolio().projects[0].repositories[0].key
    looked_for: list[float] = []
    real = type(walk.tools.ledger.runs).set_promotion

    def kept(self: Runs, run_id: str, repo: str, value: Mapping[str, Any]) -> None:
        if repo == key and value["state"] == "pending" and value["pursuit"]:
            looked_for.append(value["pursuit"]["merged_at"])
        real(self, run_id, repo, value)

    monkeypatch.setattr(type(walk.tools.ledger.runs), "set_promotion", kept)
    promoted(walk, run)
    assert not any(looked_for)


@pytest.mark.parametrize("name", some(["merge", "open"]))
def test_a_worker_that_dies_while_it_promotes_repeats_nothing(
    walk: Walk, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = walk.go()
    walk.until(lambda: walk.forge.merges() == ["1"])
    around(monkeypatch, name, after=die)
    promoted(walk, run)


def test_a_worker_that_dies_right_after_it_has_said_so_says_it_once(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = walk.go()
    walk.until(lambda: walk.forge.merges() == ["1"])
    around(monkeypatch, "remove", before=die)
    promoted(walk, run)


def test_a_promotion_that_holds_something_else_closes_main_until_a_person_has_looked(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forge is believed neither when it says that it has merged, nor that it has merged what it was asked to."""
    run = held_at_main(walk)
    monkeypatch.setattr(Bare, "merged_tree", lambda bare, base, head: bare.git("rev-parse", f"{base}^{{tree}}").strip())
    walk.control.release(walk.slug)
    events = walk.finish(run)
    assert not of(events, EventKind.PROMOTED)
    (refused,) = of(events, EventKind.MERGE_REFUSED)
    assert "does not hold what was verified" in str(refused.data["reason"])
    repository = walk.forge.portfolio().projects[0].repositories[0]
    assert "main is closed" in held(repository, "main", walk.tools)
    answer(run, f"promote:{repository.key}", "yes", by="test", tools=walk.tools)
    walk.finish(run)
    assert not held(repository, "main", walk.tools)
    assert walk.forge.merges() == ["1", "2"]


def test_red_ci_on_the_promotion_is_for_a_person(walk: Walk) -> None:
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=[JobPlan("test")], on=["pull_request"], branches=["dev"])
    walk.control.ci(walk.slug, jobs=[JobPlan("test", result="failure")], on=["pull_request"], branches=["main"])
    run = walk.go()
    events = walk.finish(run)
    (refused,) = of(events, EventKind.MERGE_REFUSED)
    assert "test is red" in str(refused.data["reason"])
    assert walk.forge.merges() == ["1"]


def test_no_main_means_that_main_is_not_even_asked_about(walk: Walk) -> None:
    before = walk.forge.head("main")
    run = walk.go(no_main=True)
    walk.finish(run)
    assert (walk.pulls(), walk.forge.head("main")) == ([1], before)
    assert state(walk, run) is PromotionState.SKIPPED


def test_what_is_pinned_is_promoted_also_when_dev_moves_meanwhile(walk: Walk) -> None:
    run = held_at_main(walk)
    pinned = walk.forge.head("dev")
    walk.control.push(walk.slug, "dev", {"later.txt": "x"}, by="rita")
    for _ in range(20):
        walk.once()
    walk.control.release(walk.slug)
    promoted(walk, run)
    bare = walk.control.repository(walk.slug).bare
    assert bare.commit(walk.forge.head("main")).parents[1] == pinned
    assert bare.read(walk.forge.head("main"), "later.txt") is None


@pytest.mark.parametrize("dies", some(["", "close", "opened", "remove"], 2))
def test_a_promotion_that_a_newer_one_overtakes_is_closed_and_nobody_elses_is(
    walk: Walk, dies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = held_at_main(walk)
    bare, old = walk.control.repository(walk.slug).bare, walk.forge.head("dev")
    walk.control.push(walk.slug, "ops/sync/bobs", {"x": "x"}, by="rita", start="main")
    walk.control.open_pull(walk.slug, "ops/sync/bobs", "main", "chore: sync dev → main", "rita")
    walk.control.push(walk.slug, "ops/sync/touched", {"y": "y"}, by="rita", start="dev")
    walk.control.open_pull(walk.slug, "ops/sync/touched", "main", "Ours, and somebody pushed to it", "bot")
    if dies:
        around(monkeypatch, dies, after=die)
    newer_head(walk, run)
    walk.until(lambda: not walk.control.pull(walk.slug, 2).open)
    walk.until(lambda: walk.pulls() == [1, 2, 3, 4, 5])
    walk.control.release(walk.slug)
    walk.finish(run)
    assert [walk.control.pull(walk.slug, number).open for number in (3, 4)] == [True, True]
    assert (walk.control.pull(walk.slug, 2).merged, walk.control.pull(walk.slug, 5).merged) == (False, True)
    assert bare.is_ancestor(old, walk.forge.head("main"))
    assert walk.control.repository(walk.slug).branch(f"ops/sync/{old[:12]}") is None
    assert len(walk.control.journal.effects("pull-opened", walk.slug)) == 5


def test_a_promotion_that_another_run_overtakes_is_left_to_that_run(walk: Walk) -> None:
    run = held_at_main(walk)
    walk.control.push(walk.slug, "dev", {"later.txt": "x"}, by="rita")
    newer = f"ops/sync/{walk.forge.head('dev')[:12]}"
    walk.control.push(walk.slug, newer, None, by="bot", start="dev")
    walk.control.open_pull(walk.slug, newer, "main", "chore: sync dev → main", "bot")
    walk.control.change_pull(walk.slug, 2, open=False)
    walk.finish(run)
    assert state(walk, run) is PromotionState.SKIPPED
    assert walk.forge.merges() == ["1"]


def test_a_promotion_that_a_person_merges_is_known_as_done(walk: Walk) -> None:
    run = held_at_main(walk)
    walk.control.merge(walk.slug, 2, by="rita", method="merge")
    promoted(walk, run)


def test_a_used_up_limit_is_waited_out_by_a_promotion(walk: Walk) -> None:
    run = held_at_main(walk)
    walk.control.limit("bot", "graphql", 0, reset_in=1.5)
    walk.until(lambda: state(walk, run) is PromotionState.PENDING)
    walk.control.release(walk.slug)
    promoted(walk, run)
