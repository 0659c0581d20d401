"""What every source keeps to, whatever it asks: unknown is never "nothing found", and no secret comes out.

A fault is put before the stand-in's own answers, over real HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from ops_orchestrate.adapters.linear.source import LinearSource
from ops_orchestrate.adapters.sentry.source import SentrySource
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.errors import SourceUnavailable
from ops_orchestrate.ports import Secrets, Source
from tests.adapters.sources.conftest import chain, settings_for, tokens
from tests.builders import make_portfolio, make_project, make_request
from tests.standins import linear as linears
from tests.standins import sentry as sentries
from tests.standins.loopback import Answer, Loopback


class Case(NamedTuple):
    """A source, its stand-in with one finding in each of two places, and the secret between them."""

    standin: Loopback
    make: Callable[..., Source]
    secret: str
    variable: str
    request: RunRequest

    def ask(self, secrets: Secrets | None = None) -> AuditPart:
        """What it finds."""
        return self.make(secrets or tokens()).findings(self.request.portfolio.projects, self.request)


@pytest.fixture(params=["sentry", "linear"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    projects = (
        make_project("app", sentry_project="shop", linear_team="ENG"),
        make_project("web", sentry_project="site", linear_team="WEB"),
    )
    asked = make_request(portfolio=make_portfolio(*projects))
    if request.param == "sentry":
        with sentries.sentry() as sentry:
            sentry.projects.add("site")
            sentry.add(1, 500)
            sentry.add(2, 500, project="site")

            def source(secrets: Secrets, seconds: float = 15) -> Source:
                return SentrySource(settings_for(sentry, source_timeout=seconds), secrets)

            yield Case(sentry, source, sentries.TOKEN, "SENTRY_AUTH_TOKEN", asked)
    else:
        with linears.linear() as linear:
            linear.teams["WEB"] = True
            linear.add("ENG-1")
            linear.add("WEB-1")

            def tracker(secrets: Secrets, seconds: float = 15) -> Source:
                return LinearSource(settings_for(linear, source_timeout=seconds), secrets)

            yield Case(linear, tracker, linears.KEY, "LINEAR_API_KEY", asked)


def test_it_finds_what_is_there(case: Case) -> None:
    part = case.ask()
    assert [(one.project, one.source, one.actionable) for one in part.findings] == [
        ("app", case.make(tokens()).name, True),
        ("web", case.make(tokens()).name, True),
    ]
    assert (part.unknown, part.skipped) == ((), ())
    assert all(one.names and one.closes for one in part.findings)


def test_the_same_answers_give_the_same_findings(case: Case) -> None:
    assert case.ask() == case.ask()


@pytest.mark.parametrize("fault", ["401", "429 later", "500", "502", "html", "not json", "cut"])
def test_what_does_not_answer_is_unavailable(case: Case, fault: str) -> None:
    case.standin.faults.extend([fault] * 3)
    with pytest.raises(SourceUnavailable) as caught:
        case.ask()
    assert case.secret not in str(caught.value)
    assert len(str(caught.value)) > 20


@pytest.mark.parametrize("fault", ["403", "404", "moved", "wrong shape"])
def test_what_one_place_does_not_tell_is_unknown_and_the_others_are_found(case: Case, fault: str) -> None:
    case.standin.faults.append(fault)
    part = case.ask()
    (unknown,) = part.unknown
    assert unknown.name.endswith(("/shop", "/ENG"))
    assert [one.project for one in part.findings] == ["web"]


@pytest.mark.parametrize("fault", ["429 soon", "500", "502", "html", "cut"])
def test_a_read_is_tried_again(case: Case, fault: str) -> None:
    case.standin.faults.extend([fault] * 2)
    assert len(case.ask().findings) == 2
    assert len(case.standin.requests) == 4


def test_who_keeps_silent_is_not_waited_for(case: Case) -> None:
    case.standin.faults.extend(["hang"] * 3)
    with pytest.raises(SourceUnavailable, match="did not answer"):
        case.make(tokens(), 0.05).findings(case.request.portfolio.projects, case.request)


def test_no_answer_at_all_is_unavailable(case: Case) -> None:
    case.standin.faults.extend([Answer(200, b"", {"transfer-encoding": "chunked"}, cut=True)] * 3)
    with pytest.raises(SourceUnavailable):
        case.ask()


@pytest.mark.parametrize("depth", [600, 900, 100_000])
def test_an_answer_that_is_nested_without_end_breaks_nothing(case: Case, depth: int) -> None:
    case.standin.faults.extend([Answer(200, b"[" * depth + b"]" * depth)] * 3)
    with suppress(SourceUnavailable):
        assert case.ask().unknown


def test_once_nobody_answers_the_rest_is_unknown_without_being_asked(case: Case) -> None:
    projects = tuple(
        make_project(f"p{n}", sentry_project="shop" if not n else f"s{n}", linear_team="ENG" if not n else f"T{n}")
        for n in range(9)
    )
    first = make_request(portfolio=make_portfolio(*projects))
    original = case.standin.reply

    def dying(request: Any) -> Answer:
        case.standin.faults.extend(["500"] * 50)
        return original(request)

    case.standin.reply = dying  # type: ignore[method-assign]
    part = case.make(tokens()).findings(projects, first)
    assert [one.project for one in part.findings] == ["p0"]
    (unknown,) = part.unknown
    assert "500" in unknown.reason
    assert "from" in unknown.reason
    assert len(case.standin.requests) == 4


def test_how_long_it_wants_to_be_left_alone_is_passed_on(case: Case) -> None:
    case.standin.faults.append("429 later")
    with pytest.raises(SourceUnavailable) as caught:
        case.ask()
    assert caught.value.retry_after == 3600
    assert len(case.standin.requests) == 1, "an hour is not waited for here"


def test_without_the_secret_it_is_skipped_and_says_where_it_looked(case: Case) -> None:
    part = case.ask(chain())
    (skipped,) = part.skipped
    assert case.variable in skipped.reason
    assert "environment: not set" in skipped.reason
    assert "password manager" in skipped.reason
    assert (part.findings, part.unknown, case.standin.requests) == ((), (), [])


@pytest.mark.parametrize("value", ["two\nlines", "a b", "gehärtet"])
def test_what_cannot_be_a_token_is_not_sent_and_not_shown(case: Case, value: str) -> None:
    part = case.ask(chain(**{case.variable: value}))
    assert case.variable in part.skipped[0].reason
    assert value not in part.skipped[0].reason
    assert case.standin.requests == []


def test_a_wrong_secret_is_unavailable_and_stays_out_of_everything(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "wr0ng-but-s3cret-4711"
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceUnavailable) as caught:
        case.ask(chain(**{case.variable: secret}))
    assert "does not accept" in str(caught.value) or "Authentication" in str(caught.value)
    texts = [str(caught.value), repr(caught.value.__cause__), *(record.getMessage() for record in caplog.records)]
    assert not any(secret in text for text in texts)


def test_a_secret_that_comes_back_in_an_answer_goes_no_further(case: Case) -> None:
    case.standin.faults.append(Answer(403, {"detail": f"bad token {case.secret}"}))
    part = case.ask()
    assert case.secret not in part.model_dump_json()
    assert "[redacted]" in part.unknown[0].reason


def test_a_secret_in_what_is_found_goes_no_further(case: Case) -> None:
    """Somebody pasted it into a ticket, or an error has it in its words."""
    for one in [*getattr(case.standin, "issues", {}).values(), *getattr(case.standin, "tickets", {}).values()]:
        one.title = f"It fails with {case.secret}"
    part = case.ask()
    assert len(part.findings) == 2
    assert case.secret not in part.model_dump_json()
    assert "[redacted]" in part.findings[0].title


def test_where_nobody_names_it_nobody_is_asked(case: Case) -> None:
    plain = make_request()
    part = case.make(tokens()).findings(plain.portfolio.projects, plain)
    assert (part.findings, part.unknown, part.skipped, case.standin.requests) == ((), (), (), [])
