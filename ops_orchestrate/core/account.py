"""Whose quota an agent uses up: a name that two hosts agree on, and that is no secret."""

from __future__ import annotations

from urllib.parse import urlsplit

#: Agents that reach no model of ours, whatever the settings name.
_UNMETERED = frozenset({"scripted"})
#: Agents that reach one only where the settings name it.
_BY_URL = frozenset({"command"})


def account_of(agent: str, *, model_url: str | None, model_key: str) -> str:
    """The account that an agent works with: the agent, the name of its key (never the key), its provider's host.

    `claude/ANTHROPIC_API_KEY`, `command/OPENAI_API_KEY@api.openai.com`, `scripted`.
    """
    if not is_metered(agent, model_url=model_url):
        return agent
    host = _host(model_url)
    return f"{agent}/{model_key}" + (f"@{host}" if host else "")


def agent_of_account(account: str) -> str:
    """The agent of an account."""
    return account.partition("/")[0]


def is_metered(agent: str, *, model_url: str | None) -> bool:
    """Whether it is our proxy that counts what the agent uses."""
    return agent not in _UNMETERED and (agent not in _BY_URL or model_url is not None)


def _host(url: str | None) -> str:
    try:
        return urlsplit(url or "").hostname or ""
    except ValueError:
        return ""
