"""Addresses in GitHub's answers are text from outside: what is none, or is another host's, is never asked."""

from __future__ import annotations

import pytest

from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.errors import SourceUnavailable
from tests.adapters.github.scripted import Say, Server

PLACES = pytest.mark.parametrize(
    "place", ["http://[::1", "{here}/\x7fx", "{here}@evil.example/x", "{here}.evil.example/x"]
)
READ, LISTED, LOG = "/repos/o/r", "/repos/o/r/x", "/repos/o/r/actions/jobs/1/logs"


@PLACES
def test_a_read_is_not_led_there(server: Server, client: GitHubClient, place: str) -> None:
    server.say(Say(301, headers={"location": place.format(here=server.url)}))
    with pytest.raises(SourceUnavailable):
        client.get(READ, Purpose.SHIP)
    assert {asked.path for asked in server.asked} == {READ}


@PLACES
def test_a_list_is_not_led_there(server: Server, client: GitHubClient, place: str) -> None:
    server.say(Say(body=[1], headers={"link": f'<{place.format(here=server.url)}>; rel="next"'}))
    with pytest.raises(SourceUnavailable):
        list(client.pages(LISTED, Purpose.SHIP))
    assert {asked.path for asked in server.asked} == {f"{LISTED}?per_page=100"}


@PLACES
def test_a_log_is_not_led_there(server: Server, client: GitHubClient, place: str) -> None:
    server.say(Say(302, headers={"location": place.format(here=server.url)}))
    with pytest.raises(SourceUnavailable, match="not safe" if "@" in place else None):
        client.tail(LOG, Purpose.SHIP)
    assert {asked.path for asked in server.asked} == {LOG}
