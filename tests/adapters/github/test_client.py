"""The one door to GitHub: what it makes of good and bad answers, and what it never gives away."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops_orchestrate import __version__
from ops_orchestrate.adapters.github.address import read_address
from ops_orchestrate.adapters.github.auth import TokenIdentity
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.transport import SignedTransport
from ops_orchestrate.adapters.github.trouble import Denied, Missing
from ops_orchestrate.errors import SourceUnavailable
from tests.adapters.github.scripted import NOW, TOKEN, Asked, Known, Say, Server, make_client

SHIP, AUDIT = Purpose.SHIP, Purpose.AUDIT
ETAG = {"etag": '"one"', "cache-control": "private, max-age=60, s-maxage=60", "vary": "Accept, Authorization, Cookie"}


def test_it_says_who_it_is_and_which_version_it_speaks(server: Server, client: GitHubClient) -> None:
    server.say(Say(body={"id": 1}))
    assert client.get("/repos/o/r", SHIP).data == {"id": 1}
    sent = server.asked[0].headers
    assert sent["authorization"] == f"Bearer {TOKEN}"
    assert sent["user-agent"] == f"ops-orchestrate/{__version__}"
    assert sent["x-github-api-version"] == "2022-11-28"


def test_an_answer_that_was_kept_is_always_asked_after_and_costs_a_304(server: Server, client: GitHubClient) -> None:
    server.script = lambda asked: (
        Say(304, headers=ETAG) if "if-none-match" in asked.headers else Say(body=[7], headers=ETAG)
    )
    assert [client.get("/repos/o/r/x", SHIP, {"page": 2}).data for _ in range(3)] == [[7]] * 3
    assert [asked.headers.get("if-none-match") for asked in server.asked] == [None, '"one"', '"one"']


def test_pages_with_one_etag_are_not_mixed_up(server: Server, client: GitHubClient) -> None:
    server.script = lambda asked: (
        Say(304, headers=ETAG) if "if-none-match" in asked.headers else Say(body=[asked.path], headers=ETAG)
    )
    for _ in range(2):
        for page in (1, 2):
            assert client.get("/repos/o/r/x", SHIP, {"page": page}).data == [f"/repos/o/r/x?page={page}"]
    assert [one.headers.get("if-none-match") for one in server.asked] == [None, None, '"one"', '"one"']


def test_a_kept_answer_outlives_the_process_and_holds_no_token(server: Server, tmp_path: Path) -> None:
    server.script = lambda asked: (
        Say(304, headers=ETAG) if "if-none-match" in asked.headers else Say(body=[7], headers=ETAG)
    )
    for _ in range(2):
        client = make_client(server.url, cache=tmp_path / "cache" / "kept.sqlite")
        assert client.get("/repos/o/r/x", SHIP).data == [7]
        client.close()
    assert server.asked[1].headers.get("if-none-match") == '"one"'
    kept = b"".join(path.read_bytes() for path in (tmp_path / "cache").iterdir())
    assert b"[7]" in kept
    assert TOKEN.encode() not in kept


def test_nobody_gets_what_was_kept_for_somebody_else(server: Server, tmp_path: Path) -> None:
    server.say(Say(body=[7], headers=ETAG))
    for name in ("x" * 40, "y" * 40):
        client = make_client(server.url, TokenIdentity(Known(GITHUB_TOKEN=name)), cache=tmp_path / "kept.sqlite")
        client.get("/repos/o/r/x", SHIP)
        client.close()
    assert [asked.headers.get("if-none-match") for asked in server.asked] == [None, None]


def test_pages_are_read_to_the_end(server: Server, client: GitHubClient) -> None:
    def script(asked: Asked) -> Say:
        last = "page=2" in asked.path
        link = "" if last else f'<{server.url}/repos/o/r/x?per_page=100&page=2>; rel="next", <z>; rel="last"'
        return Say(body={"runs": [2, 3] if last else [1]}, headers={"link": link})

    server.script = script
    assert list(client.pages("/repos/o/r/x", SHIP, inside="runs")) == [1, 2, 3]


def test_a_page_on_another_host_is_not_followed(server: Server, client: GitHubClient) -> None:
    server.say(Say(body=[1], headers={"link": '<https://evil.example/x>; rel="next"'}))
    with pytest.raises(SourceUnavailable, match="another host"):
        list(client.pages("/repos/o/r/x", SHIP))


HALF = b'{"id": 1, "na'
HTML = Say(body=b"<html><body>Unicorn!</body></html>", headers={"content-type": "text/html"})


@pytest.mark.parametrize(
    "bad",
    [
        Say(500),
        Say(502, HTML.body, HTML.headers),
        Say(503),
        HTML,
        Say(body=HALF),
        Say(drop=True),
        Say(body=[1] * 99, cut=True),
        Say(304),
    ],
    ids=["500", "502", "503", "html-200", "half-json", "dropped", "cut", "304-of-nothing"],
)
def test_a_read_is_tried_again_and_never_believed_by_half(server: Server, client: GitHubClient, bad: Say) -> None:
    server.say(bad, Say(body={"id": 1}))
    assert client.get("/repos/o/r", SHIP).data == {"id": 1}
    server.say(bad)
    server.asked.clear()
    with pytest.raises(SourceUnavailable):
        client.get("/repos/o/r", SHIP)
    assert 3 <= len(server.asked) <= 6  # a connection that was dropped is made once more by itself


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(Say(401, {"message": "Bad credentials"}), Denied), (Say(403, {"message": "Resource not accessible"}), Denied),
     (Say(404, {"message": "Not Found"}), Missing), (Say(410), Missing), (Say(451), Missing), (Say(418), Denied)],
)  # fmt: skip
def test_a_no_is_not_asked_again(server: Server, client: GitHubClient, answer: Say, kind: type[Exception]) -> None:
    server.say(answer)
    with pytest.raises(kind):
        client.get("/repos/o/r", SHIP)
    assert len(server.asked) == 1


def test_a_rename_is_followed_by_reads_and_told(server: Server, client: GitHubClient) -> None:
    moved = Say(301, {"message": "Moved Permanently"}, {"location": f"{server.url}/repositories/9"})
    server.script = lambda asked: Say(body={"full_name": "o/new"}) if "repositories" in asked.path else moved
    reply = client.get("/repos/o/old", SHIP)
    assert (reply.data, reply.moved) == ({"full_name": "o/new"}, True)
    assert client.write("PUT", "/repos/o/old/pulls/1/merge").status == 301
    assert [asked.method for asked in server.asked] == ["GET", "GET", "PUT"]


def test_a_rename_to_another_host_or_in_a_circle_is_not(server: Server, client: GitHubClient) -> None:
    for place in ("https://evil.example/x", f"{server.url}/repos/o/r"):
        server.say(Say(301, headers={"location": place}))
        with pytest.raises(SourceUnavailable):
            client.get("/repos/o/r", SHIP)


@pytest.mark.parametrize(
    "bad", [Say(500), Say(502, HTML.body, HTML.headers), Say(drop=True), Say(body=[1] * 99, cut=True)]
)
def test_a_write_goes_out_once(server: Server, client: GitHubClient, bad: Say) -> None:
    server.say(bad, Say(201, {"number": 4}))
    done = client.write("POST", "/repos/o/r/pulls", {"title": "x"})
    assert done.status in {0, 500, 502}
    assert len([asked for asked in server.asked if asked.method == "POST"]) == 1


LIMIT = {"x-ratelimit-limit": "5000", "x-ratelimit-reset": str(int(NOW) + 900), "x-ratelimit-resource": "core"}


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Say(403, {"message": "API rate limit exceeded"}, LIMIT | {"x-ratelimit-remaining": "0"}), 900),
        (Say(429, {"message": "API rate limit exceeded"}, LIMIT | {"x-ratelimit-remaining": "0"}), 900),
        (Say(403, {"message": "You have exceeded a secondary rate limit"}, {"retry-after": "77"}), 77),
        (Say(403, {"message": "You have exceeded a secondary rate limit"}), 60),
        (Say(429, {"message": "slow down"}), 60),
    ],
    ids=["primary-403", "primary-429", "secondary", "secondary-untold", "429-untold"],
)
def test_a_limit_is_obeyed_and_not_spun_on(server: Server, client: GitHubClient, answer: Say, wait: float) -> None:
    server.say(answer)
    for _ in range(3):
        with pytest.raises(SourceUnavailable) as told:
            client.get("/repos/o/r", SHIP)
        assert told.value.retry_after == pytest.approx(wait)
    assert len(server.asked) == 1


def test_a_limit_of_a_moment_is_waited_for(server: Server, client: GitHubClient) -> None:
    server.say(Say(429, {"message": "rate limit"}, {"retry-after": "0"}), Say(body={"id": 1}))
    assert client.get("/repos/o/r", SHIP).data == {"id": 1}


def test_a_limited_write_says_how_long(server: Server, client: GitHubClient) -> None:
    server.say(Say(403, {"message": "You have exceeded a secondary rate limit"}, {"retry-after": "77"}))
    assert client.write("POST", "/repos/o/r/pulls").limited == 77
    assert client.write("POST", "/repos/o/r/pulls").limited == pytest.approx(77)
    assert len(server.asked) == 1


def test_audits_leave_the_reserve_to_shipping(server: Server) -> None:
    for reserve, limit, left, enough in (
        (500, 5000, 500, False),
        (500, 5000, 501, True),
        (500, 60, 7, True),
        (500, 60, 6, False),
    ):
        client = make_client(server.url, reserve=reserve)
        head = LIMIT | {"x-ratelimit-limit": str(limit), "x-ratelimit-remaining": str(left)}
        server.say(Say(body={}, headers=head))
        client.get("/repos/o/r", AUDIT)
        if enough:
            client.get("/repos/o/r", AUDIT)
        else:
            with pytest.raises(SourceUnavailable, match="kept for shipping") as told:
                client.get("/repos/o/r", AUDIT)
            assert told.value.retry_after == 900
        client.get("/repos/o/r", SHIP)
        client.close()


def _graph(data: Any = None, *errors: dict[str, str]) -> Say:
    return Say(body={"data": data} | ({"errors": list(errors)} if errors else {}))


@pytest.mark.parametrize(
    ("answer", "kind", "asked"),
    [
        (_graph(None, {"message": "Something went wrong"}), SourceUnavailable, 3),
        (_graph({"repository": None}, {"type": "NOT_FOUND", "message": "Could not resolve"}), Missing, 1),
        (_graph({"repository": None}, {"type": "FORBIDDEN", "message": "SAML"}), Denied, 1),
        (_graph(None, {"type": "RATE_LIMITED", "message": "API rate limit exceeded"}), SourceUnavailable, 1),
        (Say(body=[]), SourceUnavailable, 3),
        (Say(body={}), SourceUnavailable, 3),
    ],
    ids=["errors", "not-found", "forbidden", "rate-limited", "list", "empty"],
)
def test_a_graphql_failure_with_200_is_a_failure(
    server: Server, client: GitHubClient, answer: Say, kind: type[Exception], asked: int
) -> None:
    server.say(answer)
    with pytest.raises(kind):
        client.ask("query { x }", {}, SHIP)
    assert len(server.asked) == asked


def test_a_part_of_a_graphql_answer_says_what_is_wrong_with_it(server: Server, client: GitHubClient) -> None:
    server.say(_graph({"repository": {"a": 1}}, {"message": "timed out"}))
    assert client.ask("query { x }", {}, SHIP) == ({"repository": {"a": 1}}, "timed out")


def test_a_mutation_with_errors_is_refused(server: Server, client: GitHubClient) -> None:
    server.say(_graph({"x": None}, {"message": "is not mergeable"}))
    assert client.mutate("mutation { x }", {})[::2] == (422, "is not mergeable")


def test_a_log_comes_from_another_place_without_our_token(server: Server, client: GitHubClient) -> None:
    server.script = lambda asked: (
        Say(302, headers={"location": f"{server.url}/blob?sig=s3cret"})
        if "jobs" in asked.path
        else Say(body=b"x" * 50 + b"end")
    )
    assert client.tail("/repos/o/r/actions/jobs/1/logs", SHIP, 5) == "xxend"
    server.say(Say(302, headers={"location": "http://elsewhere.example/blob"}))
    with pytest.raises(SourceUnavailable, match="not safe"):
        client.tail("/repos/o/r/actions/jobs/1/logs", SHIP)


def test_nothing_that_is_said_holds_the_token(
    server: Server, client: GitHubClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that repeats the token in whatever it says."""
    caplog.set_level(logging.DEBUG)
    echo = {"message": f"Bad credentials {TOKEN}", "errors": [{"message": TOKEN}], "data": {"x": 1}}
    said = [repr(client), str(vars(client))]
    for answer in (Say(401, echo), Say(403, echo), Say(404, echo), Say(500, echo), Say(200, echo), Say(drop=True)):
        server.say(answer)
        for read in (
            lambda: client.get("/x", SHIP),
            lambda: client.tail("/x", SHIP),
            lambda: client.ask("q", {}, SHIP).problem,
        ):
            try:
                said.append(str(read()) if answer.status != 200 else "")
            except SourceUnavailable as error:
                said += traceback.format_exception(error)
        said += [client.write("PUT", "/x").detail, client.mutate("m", {}).detail]
    server.say(Say(200, echo))
    said.append(client.ask("q", {}, SHIP).problem)
    assert [text for text in (*said, caplog.text) if TOKEN in text] == []
    assert any("[redacted" in text for text in said)


def test_without_a_token_nothing_is_asked_and_the_sources_are_named(server: Server) -> None:
    client = make_client(server.url, TokenIdentity(Known()))
    with pytest.raises(
        SourceUnavailable, match=r"GITHUB_TOKEN was not found \(environment: not set; Doppler: not set up\)"
    ):
        client.get("/repos/o/r", SHIP)
    assert client.write("PUT", "/x").status == 0
    assert server.asked == []


@pytest.mark.parametrize("url", ["https://blob.example/log", "http://api.github.com/x", "https://api.github.com:444/x"])
def test_the_token_goes_to_the_apis_own_origin_only(url: str) -> None:
    sent: list[httpx.Headers] = []

    def hear(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(200)

    identity = TokenIdentity(Known(GITHUB_TOKEN=TOKEN))
    signed = SignedTransport(
        httpx.MockTransport(hear), read_address("https://api.github.com"), identity, lambda _: None
    )
    with httpx.Client(transport=signed) as client:
        client.get(url)
        client.get("https://api.github.com/x")
    assert ["authorization" in one for one in sent] == [False, True]
