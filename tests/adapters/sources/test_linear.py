"""Linear: the current cycle's tickets, whose they are, what blocks them, every page, and moving one to done."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import parse, validate

from ops_orchestrate.adapters.linear.queries import ALL
from ops_orchestrate.adapters.linear.source import LinearSource
from ops_orchestrate.adapters.linear.tracker import LinearTracker
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.errors import SourceUnavailable, UsageError
from tests.adapters.sources.conftest import settings_for, tokens
from tests.builders import make_portfolio, make_project, make_repository, make_request
from tests.standins.linear import LinearStandIn, schema
from tests.standins.loopback import Answer
from tests.standins.schemas import absent, published

APP = make_project("app", linear_team="eng")


def asked(linear: LinearStandIn, *projects: Any, **portfolio: Any) -> AuditPart:
    """What the source brings for these projects."""
    request = make_request(portfolio=make_portfolio(*(projects or (APP,)), **portfolio))
    return LinearSource(settings_for(linear), tokens()).findings(request.portfolio.projects, request)


def tickets(part: AuditPart) -> dict[str, Finding]:
    """The tickets among the findings, by identifier."""
    found = [one for one in part.findings if one.kind is FindingKind.TICKET]
    return {one.names[0].removeprefix("linear:"): one for one in found}


@pytest.mark.parametrize("query", ALL)
def test_every_query_is_one_of_the_published_schema(query: str) -> None:
    if published("linear.graphql") is None:
        pytest.skip(absent("linear.graphql"))
    assert validate(schema(), parse(query)) == []


def test_a_ticket_becomes_a_finding(linear: LinearStandIn) -> None:
    linear.add(
        "ENG-12",
        state="started",
        title="Login\x07 fails",
        description="It does.",
        priority=2,
        previous=["OPS-3"],
        assignee="Ann",
        links=["https://github.com/acme/app/issues/7", "https://acme.sentry.io/issues/4711/"],
    )
    app = make_project("app", linear_team="ENG", repositories=(make_repository("app", slug="acme/app"),))
    finding = tickets(asked(linear, app))["ENG-12"]
    assert (finding.title, finding.priority, finding.hold) == ("Login fails", "P1", "")
    assert set(finding.names) == {"linear:ENG-12", "linear:OPS-3", "github:acme/app#7", "sentry:4711"}
    assert finding.closes == ("linear:ENG-12",)
    assert (
        finding.detail == "Linear: ENG-12 https://linear.app/acme/issue/ENG-12/x (Started, assigned to Ann)\n\nIt does."
    )
    assert finding.actionable
    assert finding.cause


def test_only_the_current_cycle_and_only_what_is_started_or_to_be(linear: LinearStandIn) -> None:
    for number, state in enumerate(("triage", "backlog", "unstarted", "started", "completed", "canceled")):
        linear.add(f"ENG-{number}", state=state)
    linear.add("ENG-9", cycle=False)
    assert set(tickets(asked(linear))) == {"ENG-2", "ENG-3"}


@pytest.mark.parametrize(
    ("linears", "ours"), [(0, None), (1, "P0"), (2, "P1"), (3, "P2"), (4, "P3"), (5, None), (2.5, None), (-1, None)]
)
def test_priorities(linear: LinearStandIn, linears: float, ours: str | None) -> None:
    linear.add("ENG-1", priority=linears)
    assert tickets(asked(linear))["ENG-1"].priority == ours


def test_what_blocks_a_ticket_is_named_until_it_is_over(linear: LinearStandIn) -> None:
    linear.teams["API"] = False
    for name, state in (("ENG-1", "started"), ("API-2", "backlog"), ("API-3", "completed"), ("ENG-4", "unstarted")):
        linear.add(name, state=state)
    linear.relations = [
        ("ENG-1", "blocks", "ENG-4"),
        ("API-2", "blocks", "ENG-4"),
        ("API-3", "blocks", "ENG-4"),
        ("ENG-1", "related", "ENG-4"),
        ("ENG-1", "sings about", "ENG-4"),
    ]
    found = tickets(asked(linear))
    assert found["ENG-4"].blocked_by == ("linear:ENG-1", "linear:API-2")
    assert found["ENG-1"].blocked_by == ()


def test_a_parent_waits_for_its_sub_issues_that_are_not_over(linear: LinearStandIn) -> None:
    linear.largest = 3
    linear.add("ENG-1", project="Checkout\x07 rewrite")
    for number, state in enumerate(("started", "unstarted", "backlog", "completed", "canceled", "triage"), start=2):
        linear.add(f"ENG-{number}", state=state, parent="ENG-1")
    linear.relations = [("ENG-2", "blocks", "ENG-1")]
    found = tickets(asked(linear))
    assert found["ENG-1"].blocked_by == ("linear:ENG-2", "linear:ENG-3", "linear:ENG-4", "linear:ENG-7")
    assert found["ENG-2"].blocked_by == ()
    assert "\nProject: Checkout rewrite" in found["ENG-1"].detail
    assert "Project:" not in found["ENG-2"].detail


def test_a_duplicate_has_the_name_of_what_it_repeats(linear: LinearStandIn) -> None:
    linear.add("ENG-1")
    linear.add("ENG-2")
    linear.relations = [("ENG-2", "duplicate", "ENG-1")]
    assert "linear:ENG-1" in tickets(asked(linear))["ENG-2"].names


@pytest.mark.parametrize(
    "links",
    [
        ["https://github.com/acme/app/issues/7", "https://github.com/acme/app/issues/8"],
        ["https://github.com/acme/app/pull/7"],
        ["https://evil.example/acme/app/issues/7"],
    ],
)
def test_a_collection_and_a_pull_request_are_no_names_of_it(linear: LinearStandIn, links: list[str]) -> None:
    linear.add("ENG-1", links=links)
    app = make_project("app", linear_team="ENG", repositories=(make_repository("app", slug="acme/app"),))
    assert tickets(asked(linear, app))["ENG-1"].names == ("linear:ENG-1",)


def test_what_somebody_outside_the_workspace_made_waits_for_a_person(linear: LinearStandIn) -> None:
    linear.add("ENG-1", outsider="Eve\x00", links=["https://acme.sentry.io/issues/4711/"])
    finding = tickets(asked(linear))["ENG-1"]
    assert finding.hold == "ENG-1 was made by Eve, who is not of the workspace"
    assert finding.names == ("linear:ENG-1",), "a stranger's links tie it to nothing"


def test_an_enterprise_servers_links_are_links_to_github(linear: LinearStandIn) -> None:
    linear.add("ENG-1", links=["https://git.acme.example/acme/app/issues/7"])
    app = make_project("app", linear_team="ENG", repositories=(make_repository("app", slug="acme/app"),))
    request = make_request(portfolio=make_portfolio(app))
    settings = settings_for(linear, github_api_url="https://git.acme.example/api/v3")
    part = LinearSource(settings, tokens()).findings((app,), request)
    assert "github:acme/app#7" in tickets(part)["ENG-1"].names


def test_every_page_is_read_also_of_the_lists_of_a_ticket(linear: LinearStandIn) -> None:
    linear.largest = 3
    for number in range(1, 11):
        linear.add(f"ENG-{number}")
    linear.relations = [(f"ENG-{number}", "blocks", "ENG-10") for number in range(1, 10)]
    found = tickets(asked(linear))
    assert len(found) == 10
    assert len(found["ENG-10"].blocked_by) == 9


def test_a_ticket_keeps_its_fingerprint_when_its_text_changes(linear: LinearStandIn) -> None:
    ticket = linear.add("ENG-1")
    before = tickets(asked(linear))["ENG-1"]
    ticket.description = "now with details"
    after = tickets(asked(linear))["ENG-1"]
    assert before.fingerprint == after.fingerprint
    assert before.cause != after.cause


def test_a_team_without_a_cycle_and_one_that_is_not_there_are_said(linear: LinearStandIn) -> None:
    linear.teams["ENG"] = False
    linear.add("ENG-1")
    part = asked(linear, APP, make_project("web", linear_team="GONE"))
    assert ["no current cycle" in one.title for one in part.findings] == [True]
    assert [(one.name, "GONE" in one.reason) for one in part.unknown] == [("linear/GONE", True)]


SHARED = (
    make_project("billing-api", linear_team="ENG", repositories=(make_repository("billing-api", slug="acme/billing"),)),
    make_project("web", linear_team="ENG", repositories=(make_repository("web"), make_repository("web-admin"))),
)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"labels": ["billing-api"]}, "billing-api"),
        ({"labels": ["Bug", "repo:web-admin"]}, "web-admin"),
        ({"links": ["https://github.com/acme/billing/pull/3"]}, "billing-api"),
        ({"title": "Crash in billing-api on Monday"}, "billing-api"),
        ({"title": "[web] header", "labels": ["web-admin"]}, "web-admin"),
        ({"description": "see acme/billing"}, "billing-api"),
        ({"description": "repo: web-admin\nplease"}, "web-admin"),
        ({"title": "The web is broken"}, None),
        ({"labels": ["web"], "title": "header"}, None),
        ({"title": "billing-api and web-admin disagree"}, None),
        ({"labels": ["billing-api", "web-admin"]}, None),
        ({"links": ["https://github.com/acme/elsewhere/issues/1"], "title": "Crash in billing-api"}, None),
        ({"links": ["https://github.com/psf/requests/issues/1"], "labels": ["billing-api"]}, "billing-api"),
        ({}, None),
    ],
)
def test_whose_a_ticket_of_a_shared_team_is(linear: LinearStandIn, said: dict[str, Any], place: str | None) -> None:
    linear.add("ENG-1", **said)
    part = asked(linear, *SHARED)
    assert [one.repo for one in tickets(part).values()] == ([place] if place else [])
    notices = [one.title for one in part.findings if one.kind is FindingKind.NOTICE]
    assert len(notices) == (0 if place else 1)
    assert all("ENG-1" in one and "label each with the project's alias" in one for one in notices)


def test_thirty_tickets_that_say_nothing_are_one_line(linear: LinearStandIn) -> None:
    for number in range(1, 31):
        linear.add(f"ENG-{number}")
    (notice,) = asked(linear, *SHARED).findings
    assert "and 20 more" in notice.title
    assert '"linear_team": "ENG"' in notice.title


def test_an_entry_that_only_names_a_team_serves_nobody_in_particular(linear: LinearStandIn) -> None:
    linear.add("ENG-1", labels=["app"])
    linear.add("ENG-2")
    part = asked(linear, make_project("app"), issue_sources=({"alias": "eng-team", "linear_team": "ENG"},))
    assert set(tickets(part)) == {"ENG-1"}


def test_a_scoped_run_takes_nothing_of_a_project_that_shares_the_team(linear: LinearStandIn) -> None:
    linear.add("ENG-1", labels=["app"])
    linear.add("ENG-2")
    part = asked(linear, APP, scope="scoped", elsewhere=({"alias": "web", "linear_team": "Eng"},))
    assert set(tickets(part)) == {"ENG-1"}
    assert len(part.findings) == 1, "the other one may well be web's: nothing to be said here"
    assert set(tickets(asked(linear, APP, scope="scoped"))) == {"ENG-1", "ENG-2"}


def test_a_scoped_run_takes_what_names_its_project_of_a_team_that_serves_all(linear: LinearStandIn) -> None:
    linear.add("ENG-1", labels=["app"])
    linear.add("ENG-2", labels=["web"])
    entry = {"alias": "eng-team", "linear_team": "ENG"}
    part = asked(linear, make_project("app"), scope="scoped", issue_sources=(entry,))
    assert set(tickets(part)) == {"ENG-1"}
    assert len(part.findings) == 1


def test_half_an_answer_is_none(linear: LinearStandIn) -> None:
    body = {"data": {"teams": {"nodes": [{"key": "ENG", "activeCycle": None}]}}, "errors": [{"message": "timed out"}]}
    linear.faults.append(Answer(200, body))
    part = asked(linear)
    assert "timed out" in part.unknown[0].reason
    assert part.findings == ()


def test_the_rate_limit_that_comes_as_a_400_is_named(linear: LinearStandIn) -> None:
    error = {"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED"}}
    linear.faults.append(Answer(400, {"errors": [error]}))
    assert "RATELIMITED" in asked(linear).unknown[0].reason


def test_a_ticket_is_moved_only_when_told_to_and_once(linear: LinearStandIn) -> None:
    ticket = linear.add("ENG-1", state="started")
    asked(linear)
    assert ticket.state == "started"
    tracker = LinearTracker(settings_for(linear), tokens())
    assert tracker.close("linear:ENG-1") is True
    assert ticket.state == "completed"
    assert tracker.close("linear:ENG-1") is False


def test_a_ticket_in_a_state_nobody_knows_is_left_where_it_is(linear: LinearStandIn) -> None:
    ticket = linear.add("ENG-1", state="paused")
    with pytest.raises(SourceUnavailable, match="ENG-1 is in a state of a kind"):
        LinearTracker(settings_for(linear), tokens()).close("linear:ENG-1")
    assert ticket.state == "paused"


@pytest.mark.parametrize("name", ["sentry:1", "linear:x", "ENG-1", 'linear:ENG-1"'])
def test_what_is_no_ticket_is_refused(linear: LinearStandIn, name: str) -> None:
    with pytest.raises(UsageError):
        LinearTracker(settings_for(linear), tokens()).close(name)
    assert linear.requests == []


def test_a_ticket_that_is_not_there_is_unavailable(linear: LinearStandIn) -> None:
    with pytest.raises(SourceUnavailable, match="Entity not found"):
        LinearTracker(settings_for(linear), tokens()).close("linear:ENG-404")
