"""After a promotion: what is deployed is looked at and taken back where it does harm, and main's other work comes back.

Both go through the merge gate as pull requests of the run's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from click.testing import CliRunner

from ops_orchestrate.adapters.github.pulls import GitHubPullRequests
from ops_orchestrate.cli import explain
from ops_orchestrate.core.change import HealthLook, Landing, LandingEnd, ServedLook
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.engine.answer import answer
from ops_orchestrate.engine.promotion.book import promotion_of
from ops_orchestrate.errors import SourceUnavailable
from ops_orchestrate.report.check import violations
from ops_orchestrate.standin.profile import JobPlan
from tests.engine.forge_rig import JOB
from tests.engine.rig import work
from tests.engine.walk import QUICK, Walk, around, die, of, walking
from tests.laws import some

_NUMBERS = count(1)
_ENV = QUICK | {
    "OPS_WATCH_EVERY": "0.1",
    "OPS_WATCH_WINDOW": "0.5",
    "OPS_WATCH_DEADLINE": "1",
    "OPS_WATCH_RESTART": "0.3",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One server and one GitHub for the whole file."""
    with walking(tmp_path_factory.mktemp("afterwards"), **_ENV) as made:
        yield made


@pytest.fixture
def walk(shared: Walk) -> Walk:
    """A repository that is promoted, and deployed from main."""
    shared.control.clear_faults()
    shared.rig.play({"*": [work("any")]})
    urls = {"health_url": "http://app/health", "version_url": "http://app/version"}
    shared.forge.repository(f"after{next(_NUMBERS)}", JOB, promote=True, **urls)
    return shared


class Deployed:
    """A service that serves main's head at once, unless it is told not to say so; well with what it was well with."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._bad: set[str] = set()
        self.says = True
        object.__setattr__(walk.tools, "health", self)

    def breaks(self) -> None:
        """It is down with what it serves now."""
        self._bad.add(self._walk.forge.head("main"))

    def look(self, url: str) -> HealthLook:
        ok = self._walk.forge.head("main") not in self._bad
        return HealthLook(ok=ok, detail=url if ok else "HTTP 500")

    def served(self, url: str) -> ServedLook:
        return ServedLook(commit=self._walk.forge.head("main") if self.says else "", detail=url)


def state(walk: Walk, run: str, kind: str = "") -> PromotionState | None:
    key = walk.forge.portfolio().projects[0].repositories[0].key
    known = promotion_of(run, f"{kind}:{key}" if kind else key, walk.tools)
    return known.state if known else None


def deployed_badly(walk: Walk, *, says: bool = True, **request: Any) -> str:
    """A run whose promotion is on main, and has just taken the service down."""
    service = Deployed(walk)
    service.says = says
    run = walk.go(**request)
    walk.until(lambda: state(walk, run) is PromotionState.WATCHING)
    service.breaks()
    return run


def tree(walk: Walk, branch: str) -> str:
    return walk.control.repository(walk.slug).bare.git("rev-parse", f"{branch}^{{tree}}").strip()


def taken_back(walk: Walk, run: str, before: str) -> list[Event]:
    """Main holds what it held before, by one merge of one pull request, said once; no branch of ours is left."""
    events = walk.finish(run)
    (said,) = of(events, EventKind.REVERTED)
    (promoted,) = of(events, EventKind.PROMOTED)
    assert (said.data["reverts"], said.data["commit"]) == (promoted.data["commit"], walk.forge.head("main"))
    assert tree(walk, "main") == before, walk.story()
    assert (walk.pulls(), walk.forge.merges()) == ([1, 2, 3], ["1", "2", "3"])
    assert not [ref for ref in walk.control.repository(walk.slug).refs if "/ops/" in ref]
    assert not violations(events)
    return events


def test_a_deployment_that_is_served_and_well_is_said(walk: Walk) -> None:
    Deployed(walk)
    events = walk.finish(walk.go())
    texts = [str(one.data["text"]) for one in of(events, EventKind.EVIDENCE) if one.data["what"] == "deployment"]
    assert [text.endswith("errors were not looked at") for text in texts] == [True]
    assert walk.pulls() == [1, 2]


@pytest.mark.parametrize("says", [True, False])
def test_an_unhealthy_deployment_is_taken_back_through_the_gate_and_that_is_watched_too(walk: Walk, says: bool) -> None:
    """Also one that is down altogether, and so does not say what it serves."""
    before = tree(walk, "main")
    events = taken_back(walk, deployed_badly(walk, says=says), before)
    gates = [one.data for one in of(events, EventKind.EVIDENCE) if one.data["what"] == "merge gate"]
    assert [one["row"] for one in gates] == ["merge"] * 3
    (revert,) = of(events, EventKind.REVERTED)
    assert (gates[2]["head"], gates[2]["checks"]) == (revert.data["head"], ["test: success"])
    after = [one for one in events if one.seq > revert.seq]
    well = [one for one in of(after, EventKind.EVIDENCE) if one.data["what"] == "deployment"]
    unseen = [one for one in of(after, EventKind.WARNING) if "was not seen deployed" in str(one.data["text"])]
    assert len(well) + len(unseen) == 1  # which one is a matter of a second here
    assert says or unseen


@pytest.mark.parametrize("when", some(["after", "before"]))
def test_workers_that_die_at_every_step_of_it_repeat_nothing(
    walk: Walk, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(walk, "main")
    run = deployed_badly(walk)
    for name in ("publish", "open", "merge", "remove"):
        around(monkeypatch, name, **{when: die})
    taken_back(walk, run, before)


@pytest.mark.parametrize("after", some([True, False]))
def test_a_revert_whose_merge_answers_500_happens_once(walk: Walk, after: bool) -> None:
    before = tree(walk, "main")
    walk.control.fault("status", method="PUT", path=r".*/3/merge", status=500, after=after)
    taken_back(walk, deployed_badly(walk), before)


def test_without_force_a_revert_waits_for_a_yes_to_its_head(walk: Walk) -> None:
    before = tree(walk, "main")
    name = walk.slug.split("/")[1]
    service = Deployed(walk)
    run = walk.go(force=False)
    for question in ("go", f"promote:{name}"):
        walk.finish(run)
        answer(run, question, "yes", by="test", tools=walk.tools)
    walk.until(lambda: state(walk, run) is PromotionState.WATCHING)
    service.breaks()
    (*_, asked) = of(walk.finish(run), EventKind.MERGE_REFUSED)
    assert (asked.data["ask"], asked.data["what"]) == ("revert", "revert")
    assert asked.data["command"] == f"ops-orchestrate answer {run} revert:{name} yes"
    assert walk.forge.merges() == ["1", "2"]
    assert "1 revert waits for you" in walk.rig.ledger.runs.get(run).reason
    assert (
        f"Revert of {name}: waits for you: #3: verified and ready to merge"
        in CliRunner().invoke(explain.command, [run, "go"], standalone_mode=False).output
    )
    answer(run, f"revert:{name}", "yes", by="test", tools=walk.tools)
    taken_back(walk, run, before)


def test_a_revert_that_is_red_is_left_to_a_person_with_the_command(walk: Walk) -> None:
    run = deployed_badly(walk)
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=[JobPlan("test", result="failure")], on=["pull_request"])
    bad = walk.forge.head("main")
    (refused,) = of(walk.finish(run), EventKind.MERGE_REFUSED)
    assert "test is red" in str(refused.data["reason"])
    assert refused.data["command"] == f"git revert -m 1 {bad}"
    assert (walk.forge.merges(), walk.control.pull(walk.slug, 3).open) == (["1", "2"], True)


def test_what_has_been_built_upon_is_not_taken_back(walk: Walk) -> None:
    run = deployed_badly(walk)
    later = lambda: walk.control.push(walk.slug, "main", {"later.txt": "x"}, by="rita")  # noqa: E731
    walk.until(lambda: state(walk, run, "revert") is not None)
    later()
    (refused,) = of(walk.finish(run), EventKind.MERGE_REFUSED)
    assert "something else has been merged into main since" in str(refused.data["reason"])
    assert walk.pulls() == [1, 2]


def ahead(walk: Walk, **request: Any) -> str:
    """A run whose promotion waits for CI while somebody mends something on main by hand."""
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=[JobPlan("test")], on=["pull_request"], branches=["dev"])
    walk.control.ci(walk.slug, jobs=[JobPlan("test", hold=True)], on=["pull_request"], branches=["main"])
    walk.control.push(walk.slug, "main", {"hotfix.txt": "x"}, by="rita")
    Deployed(walk)
    run = walk.go(**request)
    walk.until(lambda: walk.pulls() == [1, 2])
    walk.control.release(walk.slug)
    return run


def brought_back(walk: Walk, run: str) -> None:
    """Dev has all of main by one merge commit, said once; no branch of ours is left."""
    events = walk.finish(run)
    (said,) = of(events, EventKind.BACK_MERGED)
    bare = walk.control.repository(walk.slug).bare
    assert bare.is_ancestor(walk.forge.head("main"), walk.forge.head("dev")), walk.story()
    assert (said.data["commit"], said.data["to"]) == (walk.forge.head("dev"), "dev")
    assert (walk.pulls(), walk.forge.merges()) == ([1, 2, 3], ["1", "2", "3"])
    assert not [ref for ref in walk.control.repository(walk.slug).refs if "/ops/" in ref]


def test_what_main_has_comes_back_to_dev_through_the_gate_wherever_workers_die(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ahead(walk)
    walk.until(lambda: state(walk, run, "back") is not None)
    for name in ("open", "merge", "remove"):
        around(monkeypatch, name, after=die)
    brought_back(walk, run)


def test_a_back_merge_is_brought_up_to_date_when_dev_moves(walk: Walk) -> None:
    run = ahead(walk)
    walk.until(lambda: state(walk, run, "back") is not None)
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=[JobPlan("test", hold=True)], on=["pull_request"])
    walk.until(lambda: walk.pulls() == [1, 2, 3])
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=[JobPlan("test")], on=["pull_request"])
    walk.control.push(walk.slug, "dev", {"later.txt": "x"}, by="rita")
    walk.control.release(walk.slug)
    brought_back(walk, run)
    assert walk.control.repository(walk.slug).bare.read(walk.forge.head("dev"), "later.txt") is not None


def test_a_back_merge_in_conflict_is_opened_and_left_to_a_person(walk: Walk) -> None:
    run = ahead(walk)
    walk.until(lambda: state(walk, run, "back") is not None)
    walk.control.push(walk.slug, "dev", {"hotfix.txt": "y"}, by="rita")
    (refused,) = of(walk.finish(run), EventKind.MERGE_REFUSED)
    assert refused.data["what"] == "back-merge"
    assert "#3: it conflicts with dev in hotfix.txt" in str(refused.data["reason"])
    assert walk.forge.merges() == ["1", "2"]


def test_a_revert_gets_to_dev_by_a_persons_yes_alone(walk: Walk) -> None:
    """With force too: it would undo on dev what was merged there."""
    walk.finish(deployed_badly(walk))
    Deployed(walk)
    walk.rig.play({"more": [work("more", path="src/more.txt")]})
    run = walk.go("more")
    (asked,) = of(walk.finish(run), EventKind.MERGE_REFUSED)
    assert (asked.data["ask"], walk.forge.merges()) == ("back", ["1", "2", "3", "4", "5"])
    assert walk.control.repository(walk.slug).bare.read(walk.forge.head("dev"), "src/any.txt") is not None


def test_branches_whose_removal_gets_no_answer_are_removed_all_the_same(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change's, the promotion's and the revert's: each is asked for in vain once."""
    real, asked = GitHubPullRequests.remove, set[str]()

    def remove(self: GitHubPullRequests, repo: Repository, *, branch: str, head: str) -> Landing:
        if branch in asked:
            return real(self, repo, branch=branch, head=head)
        asked.add(branch)
        if len(asked) == 2:
            return Landing(end=LandingEnd.UNKNOWN)
        raise SourceUnavailable("GitHub does not answer")

    monkeypatch.setattr(GitHubPullRequests, "remove", remove)
    before = tree(walk, "main")
    taken_back(walk, deployed_badly(walk), before)
    assert len(asked) == 3


@pytest.mark.parametrize("silent", some([True, False]))
def test_a_promotion_is_watched_also_where_nobody_says_whether_its_branch_is_gone(
    walk: Walk, silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = GitHubPullRequests.remove

    def remove(self: GitHubPullRequests, repo: Repository, *, branch: str, head: str) -> Landing:
        if not branch.startswith("ops/sync/"):
            return real(self, repo, branch=branch, head=head)
        if silent:
            raise SourceUnavailable("GitHub does not answer")
        return Landing(end=LandingEnd.UNKNOWN)

    monkeypatch.setattr(GitHubPullRequests, "remove", remove)
    Deployed(walk)
    run = walk.go()
    walk.until(lambda: state(walk, run) is PromotionState.WATCHING)
    seen = [one for one in of(walk.finish(run), EventKind.EVIDENCE) if one.data["what"] == "deployment"]
    assert (len(seen), state(walk, run)) == (1, PromotionState.DONE)
