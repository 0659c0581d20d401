"""A name that is nearly a setting's is told; what other programs call theirs is not."""

from __future__ import annotations

import pytest

from ops_orchestrate.config import Settings
from ops_orchestrate.config.mistyped import mistyped


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OPS_MAX_AGENT", "OPS_MAX_AGENTS"),
        ("OPS_MAX_DAYS_USD", "OPS_MAX_DAY_USD"),
        ("OPS_MAX_DAY_DOLLARS_", None),
        ("ops_max_attempt", "OPS_MAX_ATTEMPTS"),
        ("OPS_MAX_AGENTS", None),
        ("OPS_TASK", None),
        ("OPS_REPORT", None),
        ("OPS_", None),
        ("OPSGENIE_HOST", None),
        ("PATH", None),
    ],
)
def test_which_names_are_told(name: str, meant: str | None) -> None:
    assert mistyped([name], Settings.model_fields) == ([(name, meant)] if meant else [])


def test_what_we_give_to_agents_ourselves_is_no_mistake() -> None:
    """Commands of ours may be run by an agent or a gate."""
    ours = [
        "OPS_ATTEMPT",
        "OPS_BRANCH",
        "OPS_BRIEF",
        "OPS_MAILBOX",
        "OPS_PURPOSE",
        "OPS_REPORT",
        "OPS_STACK",
        "OPS_TASK",
    ]
    ours += ["OPS_KEYS", "OPS_GITHUB_READ_TOKEN", "OPS_LIFELINE_FD", "OPS_KEEPER_LOCK_FD", "OPS_KEPT_SERVER"]
    assert mistyped(ours, Settings.model_fields) == []
