"""Limits, revalidation and pages, as a client has to cope with them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.standin.scene import REPO, Scene


def test_an_unchanged_answer_is_304_and_free(scene: Scene) -> None:
    with scene.client() as client:
        first = client.get(f"/repos/{REPO}/branches/main")
        again = client.get(f"/repos/{REPO}/branches/main", headers={"If-None-Match": first.headers["etag"]})
        scene.control.push(REPO, "main", {"x.txt": "x\n"})
        changed = client.get(f"/repos/{REPO}/branches/main", headers={"If-None-Match": first.headers["etag"]})
    left = [int(one.headers["x-ratelimit-remaining"]) for one in (first, again, changed)]
    assert ([one.status_code for one in (first, again, changed)], again.content) == ([200, 304, 200], b"")
    assert left == [4999, 4999, 4998]


def _etag(scene: Scene, path: str, login: str = "bot", accept: str = "*/*") -> str:
    with scene.client(login) as client:
        return str(client.get(path, headers={"Accept": accept}).headers["etag"])


def test_an_etag_is_of_the_body_and_of_what_it_was_asked_with(scene: Scene) -> None:
    path = f"/repos/{REPO}/branches/main"
    first = _etag(scene, path)
    scene.control.push(REPO, "dev", {"x.txt": "x\n"})
    assert _etag(scene, path) == first
    assert _etag(scene, path, login="rita") != first
    assert _etag(scene, path, accept="application/json") != first


def test_a_page_that_gets_a_successor_stays_304_and_does_not_say_so(scene: Scene) -> None:
    path = f"/repos/{REPO}/issues?per_page=2&direction=asc"
    for _ in range(2):
        scene.control.issue(REPO, "It hurts")
    with scene.client() as client:
        first = client.get(path)
        scene.control.issue(REPO, "It hurts more")
        again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, "link" in again.headers) == (304, False)
        assert "link" in client.get(path).headers


@pytest.mark.parametrize("private", [True, False])
def test_a_private_repository_is_never_304_and_its_line_in_a_list_is(scene: Scene, private: bool) -> None:
    scene.control.change_repository(REPO, private=private)
    own, line = f"/repos/{REPO}", "/user/repos"
    assert (_etag(scene, own) == _etag(scene, own)) is not private
    assert _etag(scene, line) == _etag(scene, line)
    assert bool(scene.ask("GET", own).json()["temp_clone_token"]) is private


def test_pages_link_to_each_other_to_the_end(scene: Scene) -> None:
    for number in range(5):
        scene.control.issue(REPO, f"Issue {number}")
    seen: list[str] = []
    with scene.client() as client:
        url = f"/repos/{REPO}/issues?per_page=2&state=all"
        while url:
            page = client.get(url)
            seen += [one["title"] for one in page.json()]
            url = page.links.get("next", {}).get("url", "")
    assert seen == [f"Issue {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("status", [403, 429])
def test_the_primary_limit_says_when_it_ends(scene: Scene, status: int) -> None:
    scene.control.limits(primary_status=status)
    scene.control.limit("bot", "core", left=1, reset_in=120)
    assert scene.ask("GET", "branches").status_code == 200
    over = scene.ask("GET", "branches")
    assert (over.status_code, over.headers["x-ratelimit-remaining"]) == (status, "0")
    assert scene.ask("GET", "/rate_limit").json()["resources"]["core"]["remaining"] == 0
    assert scene.ask("GET", "branches", "rita").status_code == 200
    scene.control.skip(121)
    assert scene.ask("GET", "branches").status_code == 200


@pytest.mark.parametrize("wait", [60, None])
def test_the_secondary_limit_is_on_creating_content(scene: Scene, wait: int | None) -> None:
    scene.control.limits(content_per_minute=1, secondary_retry_after=wait)
    assert scene.ask("POST", "issues", title="One").status_code == 201
    over = scene.ask("POST", "issues", title="Two")
    assert over.status_code == 403
    assert "secondary rate limit" in over.json()["message"]
    assert over.headers.get("retry-after") == (None if wait is None else str(wait))
    scene.control.skip(61)
    assert scene.ask("POST", "issues", title="Two").status_code == 201


def test_graphql_over_its_limit_answers_200_with_an_error(scene: Scene) -> None:
    scene.control.limit("bot", "graphql", left=0)
    answer = scene.ask("POST", "/graphql", query="{viewer{login}}")
    assert (answer.status_code, answer.json()["errors"][0]["type"]) == (200, "RATE_LIMITED")


PULLS = "pullRequests(first:100){nodes{%s}}"
COSTS = [
    ("id", 1),
    (PULLS % "reviews(first:50){nodes{state}}", 1),
    (PULLS % "reviewThreads(first:50){nodes{comments(first:60){nodes{body}}}}", 51),
]


@pytest.mark.parametrize(("fields", "cost"), COSTS)
def test_graphql_points_follow_githubs_rule(scene: Scene, fields: str, cost: int) -> None:
    answer = scene.graphql(f'{{repository(owner:"acme",name:"app"){{{fields}}} rateLimit{{cost}}}}')
    assert answer["data"]["rateLimit"]["cost"] == cost
    assert scene.control.journal.points("graphql") == cost


@pytest.mark.parametrize(
    ("field", "kind"),
    [("pullRequests", "MISSING_PAGINATION_BOUNDARIES"), ("pullRequests(first: 101)", "EXCESSIVE_PAGINATION")],
)
def test_graphql_wants_pages_of_a_hundred_at_most(scene: Scene, field: str, kind: str) -> None:
    answer: dict[str, Any] = scene.graphql(f'{{repository(owner:"acme",name:"app"){{{field}{{nodes{{number}}}}}}}}')
    assert answer["errors"][0]["type"] == kind
    assert "data" not in answer
