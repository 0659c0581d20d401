"""Faults by order: each is what a client of GitHub has met, and the journal says what really happened."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.standin.scene import REPO, Scene

MERGE = rf"/repos/{REPO}/pulls/\d+/merge"


def test_an_error_before_the_effect_leaves_nothing_and_one_after_it_has_merged(scene: Scene) -> None:
    pull = scene.pull()
    body = {"sha": pull["head"]["sha"], "merge_method": "squash"}
    scene.control.fault("status", method="PUT", path=MERGE, status=502)
    assert scene.ask("PUT", f"pulls/{pull['number']}/merge", **body).status_code == 502
    assert not scene.control.journal.effects("pull-merged")
    scene.control.fault("status", method="PUT", path=MERGE, status=500, after=True)
    assert scene.ask("PUT", f"pulls/{pull['number']}/merge", **body).status_code == 500
    assert len(scene.control.journal.effects("pull-merged")) == 1
    assert [one.facts["fault"] for one in scene.control.journal.entries if one.kind == "fault"] == ["status", "status"]


@pytest.mark.parametrize("kind", ["drop", "cut"])
def test_a_broken_connection_is_an_error_of_the_transport(scene: Scene, kind: str) -> None:
    scene.control.fault(kind, path=f"/repos/{REPO}")
    with pytest.raises(httpx.TransportError):
        scene.ask("GET", f"/repos/{REPO}")
    assert scene.ask("GET", f"/repos/{REPO}").status_code == 200


def test_half_the_json_and_an_error_page_come_with_200(scene: Scene) -> None:
    scene.control.fault("truncate", path=f"/repos/{REPO}")
    cut = scene.ask("GET", f"/repos/{REPO}")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        cut.json()
    scene.control.fault("html", path=f"/repos/{REPO}")
    page = scene.ask("GET", f"/repos/{REPO}")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_a_stale_read_is_the_last_answer_to_the_same_question(scene: Scene) -> None:
    before = scene.ask("GET", "branches/main").json()
    scene.control.push(REPO, "main", {"x.txt": "x\n"})
    scene.control.fault("stale", path=f"/repos/{REPO}/branches/main")
    assert scene.ask("GET", "branches/main").json() == before
    assert scene.ask("GET", "branches/main").json() != before


def test_skip_and_times_choose_the_requests(scene: Scene) -> None:
    scene.control.fault("status", path=f"/repos/{REPO}", status=503, skip=1, times=2, headers={"Retry-After": "1"})
    codes = [scene.ask("GET", f"/repos/{REPO}").status_code for _ in range(4)]
    assert codes == [200, 503, 503, 200]


def test_graphql_can_be_partial_and_can_say_what_nobody_knows(scene: Scene) -> None:
    scene.pull()
    query = '{repository(owner:"acme",name:"app"){pullRequests(first:5){nodes{number mergeable headRefOid}}}}'
    scene.control.fault("partial", contains="pullRequests", null_at="repository.pullRequests.nodes.mergeable")
    partial = scene.graphql(query)
    assert partial["data"]["repository"]["pullRequests"]["nodes"][0]["mergeable"] is None
    assert partial["errors"][0]["path"][-1] == "mergeable"
    scene.control.fault("rewrite", contains="pullRequests", swap={'"MERGEABLE"': '"SPARKLING"'})
    assert scene.graphql(query)["data"]["repository"]["pullRequests"]["nodes"][0]["mergeable"] == "SPARKLING"


def test_mergeability_can_be_unknown_for_ever_and_stale(scene: Scene) -> None:
    pull = scene.pull()
    path = f"pulls/{pull['number']}"
    assert pull["mergeable"] is None  # as GitHub: asking is what makes it compute
    assert scene.ask("GET", path).json()["mergeable"] is True
    scene.control.claim_mergeable(REPO, pull["number"], False, None)
    seen = [(one["mergeable"], one["mergeable_state"]) for one in (scene.ask("GET", path).json() for _ in range(3))]
    assert seen == [(False, "dirty"), (None, "unknown"), (True, "clean")]
    scene.control.mergeable_after(10**9)
    scene.control.push(REPO, "feature", {"more.txt": "x\n"})
    assert [scene.ask("GET", path).json()["mergeable"] for _ in range(3)] == [None, None, None]


def test_what_has_ended_answers_nobody_on_a_connection_kept_alive(scene: Scene) -> None:
    with scene.client() as client:
        assert client.get(f"/repos/{REPO}").status_code == 200
        scene.standin.close()
        with pytest.raises(httpx.TransportError):
            client.get(f"/repos/{REPO}")


@pytest.mark.parametrize(("after", "pushed"), [(False, 0), (True, 1)])
def test_a_push_can_break_before_and_after_it_has_arrived(
    scene: Scene, tmp_path: Path, after: bool, pushed: int
) -> None:
    scene.git("clone", "-q", scene.standin.clone_url(REPO, "token-of-bot"), "work", cwd=tmp_path)
    scene.control.fault("status", method="POST", path=rf"/{REPO}\.git/git-receive-pack", status=502, after=after)
    done = scene.git("push", "origin", "HEAD:refs/heads/feature", cwd=tmp_path / "work")
    assert done.returncode != 0
    assert len(scene.control.journal.effects("push")) == pushed


def test_what_somebody_does_to_a_pull_request_after_the_audit(scene: Scene) -> None:
    number = scene.pull()["number"]
    scene.control.push(REPO, "release", start="main")
    scene.control.change_pull(REPO, number, base_ref="release", draft=True, labels=["wip"])
    seen = scene.ask("GET", f"pulls/{number}").json()
    assert (seen["base"]["ref"], seen["draft"], [one["name"] for one in seen["labels"]]) == ("release", True, ["wip"])
    scene.control.change_pull(REPO, number, open=False)
    closed = scene.ask("GET", f"pulls/{number}").json()
    assert (closed["state"], closed["merged"], closed["closed_at"] is None) == ("closed", False, False)
    with pytest.raises(ValueError, match="no field 'colour'"):
        scene.control.change_pull(REPO, number, colour="red")
