"""Sentry: which errors become work and what of them, pages to the end, the window after a deployment, resolving."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.sentry.aftermath import SentryAftermath
from ops_orchestrate.adapters.sentry.answers import issue_of, next_cursor
from ops_orchestrate.adapters.sentry.source import SentrySource
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.severity import ErrorCount
from ops_orchestrate.errors import SourceUnavailable, UsageError
from tests.adapters.sources.conftest import chain, settings_for, tokens
from tests.builders import make_portfolio, make_project, make_repository, make_request
from tests.standins.schemas import absent, published
from tests.standins.sentry import TOKEN, SentryStandIn
from tests.standins.sentry import sentry as serving

SHOP = make_project("app", sentry_project="shop")


def asked(sentry: SentryStandIn, *projects: Any, **portfolio: Any) -> AuditPart:
    """What the source brings for these projects."""
    request = make_request(portfolio=make_portfolio(*(projects or (SHOP,)), **portfolio))
    return SentrySource(settings_for(sentry), tokens()).findings(request.portfolio.projects, request)


def work(part: AuditPart) -> list[Finding]:
    return [one for one in part.findings if one.kind is FindingKind.ERROR]


def test_the_stand_in_is_held_against_the_published_schema() -> None:
    if published("sentry-openapi.json") is None:
        pytest.skip(absent("sentry-openapi.json"))
    with pytest.raises(AssertionError, match="does not answer as Sentry"), serving() as standin:
        standin.add(1, 500, level="catastrophe")
        asked(standin)


@pytest.mark.parametrize(
    ("trusted", "starts"), [("", False), ("other", False), ("Shop", True), ("other, shop", True), ("*", True)]
)
def test_an_error_starts_an_agent_by_itself_only_where_the_owner_trusts_the_project(
    sentry: SentryStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trusted: str, starts: bool
) -> None:
    monkeypatch.setenv("OPS_SENTRY_TRUSTED", trusted)
    sentry.add(1, 5000, level="fatal")
    request = make_request(portfolio=make_portfolio(make_project("app", sentry_project="shop")))
    settings = load_settings(data_dir=tmp_path, sentry_url=sentry.url, sentry_org="acme")
    part = SentrySource(settings, tokens()).findings(request.portfolio.projects, request)
    (finding,) = work(part)
    assert (finding.hold == "") is starts
    assert starts or "OPS_SENTRY_TRUSTED" in finding.hold


@pytest.mark.parametrize("page", [100, 2])
def test_sentrys_own_command_can_use_the_stand_in(sentry: SentryStandIn, tmp_path: Path, page: int) -> None:
    command = shutil.which("sentry-cli")
    if command is None:
        pytest.skip("sentry-cli is not on PATH (npm's @sentry/cli brings it)")
    sentry.page = page
    for number in range(1, 6):
        sentry.add(number, 5, title=f"Error {number}")
    env = {"SENTRY_URL": sentry.url, "SENTRY_AUTH_TOKEN": TOKEN, "HOME": str(tmp_path), "PATH": ""}
    argv = [command, "issues", "list", "-o", "acme", "-p", "shop", "--status", "unresolved"]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"SHOP-{number}" in done.stdout for number in range(1, 6))


def test_an_error_becomes_a_finding_with_its_names_and_what_is_known_of_it(sentry: SentryStandIn) -> None:
    link = {"displayName": "acme/app#7", "url": "https://github.com/acme/app/issues/7"}
    sentry.add(1, 150, 3, title="ValueError: no\x1b[31m basket", annotations=[link])
    (finding,) = work(asked(sentry))
    assert finding.title == "fix: ValueError: no [31m basket"
    assert finding.names == ("sentry:SHOP-1", "sentry:4001", "github:acme/app#7")
    assert (finding.closes, finding.priority, finding.cause) == (("sentry:4001",), "P1", "")
    assert finding.paths == ()
    for fact in (
        "SHOP-1 https://acme.sentry.io/issues/4001/",
        "24h: 150 events, 3 users",
        "shop.views in checkout",
        "a.py",
    ):
        assert fact in finding.detail


def test_what_is_urgent_is_work_and_the_rest_is_counted(sentry: SentryStandIn) -> None:
    sentry.add(1, 1200)
    sentry.add(2, 150)
    sentry.add(3, 20, 12)
    sentry.add(4, 1, level="fatal")
    sentry.add(5, 5)
    sentry.add(6, 5000, level="warning")
    sentry.add(7, 5000, level="error", category="feedback")
    sentry.add(8, 5000, status="resolved")
    sentry.add(9, 5000, ago=3 * 86_400)
    part = asked(sentry)
    assert {one.names[0]: str(one.priority) for one in work(part)} == {
        "sentry:SHOP-1": "P0",
        "sentry:SHOP-2": "P1",
        "sentry:SHOP-3": "P1",
        "sentry:SHOP-4": "P1",
    }
    (note,) = [one for one in part.findings if one not in work(part)]
    assert note.kind is FindingKind.NOTICE
    assert "2 more unresolved errors within 24h" in note.title


def test_an_error_that_came_back_is_due_again_and_growing_is_no_news(sentry: SentryStandIn) -> None:
    issue = sentry.add(1, 150)
    (first,) = work(asked(sentry))
    issue.events *= 2
    (grown,) = work(asked(sentry))
    issue.substatus = "regressed"
    (back,) = work(asked(sentry))
    assert first.fingerprint == grown.fingerprint == back.fingerprint
    assert (first.cause, grown.cause, back.cause) == ("", "", "regressed")


def test_every_page_is_read_and_only_the_cursor_of_the_next_one_is_taken(sentry: SentryStandIn) -> None:
    sentry.page = 7
    for number in range(30):
        sentry.add(number, 150)
    assert len(work(asked(sentry))) == 30
    assert len(sentry.requests) == 5
    assert len({dict(one.query).get("cursor", "") for one in sentry.requests}) == 5


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        ('<https://x/?cursor=0:0:1>; rel="previous"; results="true"; cursor="0:0:1"', ""),
        ('<https://x>; rel="next"; results="false"; cursor="0:100:0"', ""),
        ('<https://x>; rel="next"; results="true"; cursor="0:100:0"', "0:100:0"),
        ('<https://x>; rel="next"; results="true"; cursor="0&project=-1"', ""),
        ("", ""),
    ],
)
def test_the_cursor_of_the_next_page(link: str, cursor: str) -> None:
    assert next_cursor(link) == cursor


def test_levels_and_states_that_are_not_known_are_never_work() -> None:
    issue = issue_of({"id": "1", "shortId": "A-1", "level": "doom", "status": "odd", "count": "7"})
    assert (issue.level, issue.status, issue.count) == ("unknown", "unknown", 7)


@pytest.mark.parametrize(
    "body",
    [{"id": "../1"}, {"id": "1", "shortId": "A 1", "count": "7"}, {"id": "1", "shortId": "A-1", "count": "many"}, 7],
)
def test_what_cannot_be_understood_is_unavailable(body: object) -> None:
    with pytest.raises(SourceUnavailable, match="not understood"):
        issue_of(body)


TWO = make_project("app", sentry_project="shop", repositories=(make_repository("api"), make_repository("ui")))


@pytest.mark.parametrize(
    ("projects", "portfolio", "hint"),
    [
        ((TWO,), {}, "app/api, app/ui; give its repository an entry of its own"),
        ((SHOP, make_project("web", sentry_project="shop")), {}, "app, web; give its repository"),
        ((make_project("app"),), {"issue_sources": ({"alias": "errors", "sentry_project": "shop"},)}, '"shop"'),
        ((SHOP,), {"scope": "scoped", "elsewhere": ({"alias": "web", "sentry_project": "shop"},)}, "app; give"),
    ],
)
def test_where_it_belongs_is_said_in_the_registry_and_never_guessed(
    sentry: SentryStandIn, projects: Any, portfolio: Any, hint: str
) -> None:
    sentry.add(1, 150)
    (notice,) = asked(sentry, *projects, **portfolio).findings
    assert (notice.kind, notice.actionable) == (FindingKind.NOTICE, False)
    assert "1 error to work on" in notice.title
    assert hint in notice.title


def test_a_scoped_run_says_nothing_of_errors_that_may_be_anothers(sentry: SentryStandIn) -> None:
    sentry.add(1, 150)
    entry = {"alias": "errors", "sentry_project": "shop"}
    part = asked(sentry, make_project("app"), scope="scoped", issue_sources=(entry,))
    assert (part.findings, part.unknown) == ((), ())
    named = asked(sentry, make_project("shop"), scope="scoped", issue_sources=(entry,))
    assert [one.project for one in work(named)] == ["shop"]


def test_among_several_repositories_it_is_the_one_that_is_called_like_it(sentry: SentryStandIn) -> None:
    sentry.add(1, 150)
    named = make_project("app", sentry_project="shop", repositories=(make_repository("api"), make_repository("shop")))
    assert [one.repo for one in work(asked(sentry, named))] == ["shop"]


def test_without_an_organization_it_is_skipped(sentry: SentryStandIn) -> None:
    request = make_request(portfolio=make_portfolio(SHOP))
    part = SentrySource(settings_for(sentry, sentry_org=None), tokens()).findings((SHOP,), request)
    assert "OPS_SENTRY_ORG" in part.skipped[0].reason


def test_a_slug_that_is_none_is_unknown_and_never_asked_for(sentry: SentryStandIn) -> None:
    part = asked(sentry, make_project("app", sentry_project="shop&project=-1"))
    assert "is no slug" in part.unknown[0].reason
    assert sentry.requests == []


def aftermath(sentry: SentryStandIn, **kw: Any) -> SentryAftermath:
    return SentryAftermath(settings_for(sentry, **kw), tokens())


def test_the_errors_of_a_window_and_which_of_them_are_new(sentry: SentryStandIn) -> None:
    old = sentry.add(1, 40, ago=5000)
    old.events += [(sentry.now - 100, "u1", "2.0")] * 3
    sentry.add(2, 4, ago=200, release="2.0")
    sentry.add(3, 9, ago=200, level="warning")
    sentry.add(4, 2, ago=150, status="resolved")
    count = aftermath(sentry).count
    now = sentry.now
    assert count("shop", since=now - 600, until=now) == ErrorCount(
        events=9, issues=3, new=("sentry:SHOP-2", "sentry:SHOP-4")
    )
    assert count("shop", since=now - 600, until=now, release="2.0").events == 7
    assert count("shop", since=now - 9000, until=now - 4000).events == 40
    assert count("shop", since=now + 1, until=now + 9) == ErrorCount()


def test_what_is_not_known_after_a_deployment_is_never_none(sentry: SentryStandIn) -> None:
    with pytest.raises(SourceUnavailable, match="does not show this"):
        aftermath(sentry).count("other", since=0, until=1)
    with pytest.raises(SourceUnavailable, match="SENTRY_AUTH_TOKEN was not found"):
        SentryAftermath(settings_for(sentry), chain()).count("shop", since=0, until=1)
    with pytest.raises(UsageError):
        aftermath(sentry).count("shop", since=0, until=1, release='1" is:resolved')


def test_an_issue_is_resolved_only_when_told_to_and_once(sentry: SentryStandIn) -> None:
    issue = sentry.add(1, 500)
    asked(sentry)
    assert issue.status == "unresolved"
    assert aftermath(sentry).close("sentry:4001") is True
    assert issue.status == "resolved"
    assert aftermath(sentry).close("sentry:4001") is False
    assert [one.method for one in sentry.requests].count("PUT") == 1


def test_a_write_that_was_not_answered_is_not_repeated(sentry: SentryStandIn) -> None:
    sentry.add(1, 1)
    original = sentry.reply

    def dying(request: Any) -> Any:
        sentry.faults.append("500")
        return original(request)

    sentry.reply = dying  # type: ignore[method-assign]
    with pytest.raises(SourceUnavailable, match="is in trouble"):
        aftermath(sentry).close("sentry:4001")
    assert [one.method for one in sentry.requests] == ["GET", "PUT"]


@pytest.mark.parametrize("name", ["linear:ENG-1", "sentry:SHOP-1", "sentry:../1", "4001"])
def test_what_is_no_number_of_an_issue_is_refused(sentry: SentryStandIn, name: str) -> None:
    with pytest.raises(UsageError):
        aftermath(sentry).close(name)
    assert sentry.requests == []
