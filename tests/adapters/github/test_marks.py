"""What pull requests of ours say of their work is read with the audit's one query, and nobody else's is believed."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.adapters.github import queries
from ops_orchestrate.adapters.github.looking import look_at
from ops_orchestrate.core.forge_findings import merged_work, open_work
from ops_orchestrate.core.forge_look import ForgeLook
from ops_orchestrate.core.mark import Mark, Merged, OpenWork, Print
from tests.adapters.github.scene import SLUG, Scene
from tests.builders import make_project

BRANCH = "ops/r1/t1"
BODY = "> Mend it\n\nOps-Task: t1\nOps-Run: r1\nOps-Fingerprint: abc 0123456789abcdef\nOps-Fingerprint: def\n"
PRINTS = (Print("abc", "0123456789abcdef"), Print("def"))


def look(scene: Scene) -> ForgeLook:
    return look_at(scene.client, scene.repo).look


def merged(scene: Scene, *, branch: str = BRANCH, base: str = "dev", by: str = "bot", body: str = BODY) -> int:
    """A pull request that rita has merged in words of her own; its number."""
    number = scene.open(branch, base, by=by)
    scene.control.change_pull(SLUG, number, body=body)
    scene.control.merge(SLUG, number, by="rita", method="squash")
    return number


@pytest.mark.parametrize("base", ["dev", "main"])
def test_a_merged_pull_request_says_what_it_covers(scene: Scene, base: str) -> None:
    number = merged(scene, base=base)
    found = look(scene)
    assert [(one.number, one.mark) for one in found.merged] == [(number, Mark(run="r1", task="t1", prints=PRINTS))]
    project = make_project("app")
    assert merged_work(project, found) == (
        Merged(project=project.alias, run="r1", task="t1", where=f"#{number}", prints=PRINTS),
    )


@pytest.mark.parametrize(
    "more",
    [
        {"by": "bob"},
        {"branch": "ops/r1/t2"},
        {"branch": "ops/r2/t1"},
        {"branch": "ops/sync/0123456789ab"},
        {"branch": "feature"},
        {"body": BODY.replace("Ops-", "> Ops-")},
        {"body": BODY.replace("Ops-", "  Ops-")},
        {"body": ""},
    ],
    ids=lambda more: next(iter(more.items()))[1][:20],
)
def test_the_words_of_others_and_of_other_branches_count_for_nothing(scene: Scene, more: dict[str, Any]) -> None:
    merged(scene, **more)
    assert look(scene).merged == ()


def test_one_from_a_fork_or_into_another_branch_counts_for_nothing(scene: Scene) -> None:
    scene.control.push(SLUG, "other", None, start="dev")
    merged(scene, base="other")
    found = look(scene)
    assert merged_work(make_project("app"), found) == ()
    foreign = scene.control.pull(SLUG, merged(scene, branch="ops/r1/t1"))
    foreign.head_repository = None
    assert [one.base_ref for one in look(scene).merged] == ["other"]


def test_an_open_one_says_what_it_goes_on_with(scene: Scene) -> None:
    numbers = {branch: scene.open(branch) for branch in (BRANCH, "ops/r1/t2")}
    for number in numbers.values():
        scene.control.change_pull(SLUG, number, body=BODY)
    found = look(scene)
    number = numbers[BRANCH]
    assert open_work(make_project("app"), scene.repo, found) == (
        OpenWork(project="app", number=number, branch=BRANCH, name=f"github:{SLUG}#{number}", prints=("abc", "def")),
    )


def test_it_costs_no_request_and_is_asked_for_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        queries, "LOOK", queries.LOOK.replace("issues(states: OPEN, first: 50", "issues(states: OPEN, first: 1")
    )
    for _ in range(3):
        scene.control.issue(SLUG, "It hurts", by="bob")
    number = merged(scene)
    before = len(scene.asked())
    found = look(scene)
    assert len(scene.asked()) - before == 3, "one a page of issues, and none for this"
    assert [one.number for one in found.merged] == [number]


def test_the_points_of_the_audits_query(scene: Scene) -> None:
    before = scene.control.journal.points("graphql")
    look(scene)
    assert scene.control.journal.points("graphql") - before == 3
