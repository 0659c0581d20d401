"""Ship alone holds what merges; an agent's worker holds nothing that a forge, a source or a messenger would take."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.duty import HOLDERS, READ_TOKEN, Duty, duty_of

MERGES = ("GITHUB_TOKEN", "GITHUB_APP_KEY")
SOURCES = ("SENTRY_AUTH_TOKEN", "LINEAR_API_KEY")


@pytest.mark.parametrize(
    ("pool", "read_token", "held"),
    [
        ("planner", True, {"OPS_NOTIFY"}),
        ("planner", False, {"OPS_NOTIFY"}),
        ("agent", True, {READ_TOKEN}),
        ("agent", False, {READ_TOKEN}),
        ("audit", True, {READ_TOKEN, *SOURCES}),
        ("audit", False, {READ_TOKEN, *SOURCES, *MERGES}),  # said by `doctor`
        ("ship", True, {*MERGES, *SOURCES}),
        ("ship", False, {*MERGES, *SOURCES}),
        ("", False, set(HOLDERS)),  # one plain worker for every queue is one trust domain
    ],
)
def test_who_may_hold_what(pool: str, read_token: bool, held: set[str]) -> None:
    duty = Duty(pool=pool, read_token=read_token)
    assert {name for name in HOLDERS if duty.may_hold(name)} == held
    assert set(duty.withheld()) == set(HOLDERS) - held


def test_what_is_no_secret_of_ours_is_nobodys_business() -> None:
    assert Duty(pool="agent").may_hold("ANTHROPIC_API_KEY")


def test_a_token_that_reads_is_seen_among_the_variables() -> None:
    assert duty_of("audit", {READ_TOKEN: "x"}) == Duty(pool="audit", read_token=True)
    assert duty_of("audit", {"GITHUB_TOKEN": "x", READ_TOKEN: ""}) == Duty(pool="audit")
