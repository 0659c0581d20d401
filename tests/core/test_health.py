"""The daemon's health file: what blocks a run, and what is only shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.health import HEALTHY, STALE_AFTER, HealthReport, judge_health, parse_health


def _file(action: Any = None, **status: str) -> bytes:
    services = {name.replace("_", "-"): {"status": word, "last_error": None} for name, word in status.items()}
    return json.dumps({"timestamp": "t", "pid": 1, "services": services, "action_needed": action}).encode()


def _judge(data: bytes | None, *required: str, age: float | None = 1.0) -> HealthReport:
    return judge_health(data, age=age, required=required)


def test_a_dead_service_that_nobody_requires_is_only_shown() -> None:
    report = _judge(_file(whatsapp_bridge="dead", memory="running", cron="stopped"))
    assert report.blocking == ()
    assert report.warnings == ("Service whatsapp-bridge is dead.",)


@pytest.mark.parametrize("status", ["dead", "needs_reauth", "max_restarts_exceeded", "stopped", "what is this"])
def test_a_required_service_blocks_unless_it_is_healthy(status: str) -> None:
    assert _judge(_file(vault=status), "vault").blocking == (f"Required: Service vault is {status}.",)


@pytest.mark.parametrize("status", sorted(HEALTHY))
def test_healthy_words(status: str) -> None:
    assert _judge(_file(vault=status), "vault") == HealthReport()


def test_no_file_is_nothing_unless_a_service_is_required() -> None:
    assert _judge(None, age=None) == HealthReport()
    assert "not running" in _judge(None, "vault", age=None).blocking[0]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\x00", b"3"])
def test_a_damaged_file_is_shown_and_blocks_only_what_is_required(data: bytes) -> None:
    assert _judge(data).blocking == ()
    assert "cannot be read" in _judge(data).warnings[0]
    assert "not known" in _judge(data, "vault").blocking[0]


def test_an_old_file_vouches_for_nothing() -> None:
    fresh, old = STALE_AFTER - 1, STALE_AFTER + 1
    assert _judge(_file(vault="running"), "vault", age=fresh) == HealthReport()
    assert "old" in _judge(_file(vault="running"), "vault", age=old).blocking[0]
    assert _judge(_file(vault="running"), age=old).blocking == ()


def test_a_required_service_that_the_daemon_does_not_know_blocks() -> None:
    assert "does not know it" in _judge(_file(), "vault").blocking[0]


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        (None, None),
        ({"service": "mail", "action": "reauth"}, "mail – reauth"),
        ({"kind": "login", "service": "mail", "message": "log in"}, "mail – login – log in"),
        ("configure_homey", "configure_homey"),
        ({"odd": 1}, '{"odd": 1}'),
        (3, None),
    ],
)
def test_action_needed_in_all_its_shapes(action: Any, shown: str | None) -> None:
    warnings = _judge(_file(action)).warnings
    assert warnings == (() if shown is None else (f"The daemon asks for: {shown}.",))


def test_credential_and_rate_warnings_are_passed_on_as_one_line_each() -> None:
    document = {
        "services": {},
        "credential_warnings": ["old\nkey"],
        "rate_limit_warnings": ["github: 1/2", 3],
    }
    assert _judge(json.dumps(document).encode()).warnings == ("old key", "github: 1/2")


def test_the_last_error_is_shown_cut() -> None:
    document = {"services": {"a": {"status": "dead", "last_error": "x" * 900}, "b": "odd"}}
    (warning,) = _judge(json.dumps(document).encode()).warnings
    assert warning.startswith("Service a is dead (xxx") and len(warning) < 350


KEYS = ["services", "action_needed", "status", "credential_warnings"]
JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(KEYS), inner),
    max_leaves=8,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_law_a_health_file_never_makes_us_fail(data: bytes) -> None:
    parse_health(data)
    assert _judge(data).blocking == ()
    assert _judge(data, "vault").blocking
