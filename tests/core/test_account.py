"""Accounts: one name for one quota on every host, and never a secret in it."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.account import account_of, agent_of_account, is_metered


@pytest.mark.parametrize(
    ("agent", "url", "account", "metered"),
    [
        ("claude", None, "claude/THE_KEY", True),
        ("claude", "https://api.example.com/v1", "claude/THE_KEY@api.example.com", True),
        ("claude", "https://user:secret@api.example.com:8443/v1?key=secret", "claude/THE_KEY@api.example.com", True),
        ("claude", "https://[", "claude/THE_KEY", True),
        ("command", "https://api.openai.com/v1", "command/THE_KEY@api.openai.com", True),
        ("command", None, "command", False),
        ("scripted", "https://api.openai.com/v1", "scripted", False),
        ("some-new-one", None, "some-new-one/THE_KEY", True),
    ],
)
def test_the_account_of_an_agent(agent: str, url: str | None, account: str, metered: bool) -> None:
    found = account_of(agent, model_url=url, model_key="THE_KEY")
    assert found == account
    assert agent_of_account(found) == agent
    assert is_metered(agent, model_url=url) is metered
