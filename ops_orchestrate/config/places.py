"""Where things are by default: the data directory, the plugin's folder, the settings file, a server's databases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from ops_orchestrate.config.sentinel import is_sentinel, with_database


def default_data_dir() -> Path:
    """Where the registry and our own state live: the plugin's folder if it is there, else the XDG one."""
    plugin = os.environ.get("CLAUDE_PLUGIN_DATA_DIR")
    if plugin:
        return Path(plugin).expanduser()
    seed = Path("~/.claude/plugins/data/ops-ops-marketplace").expanduser()
    if seed.is_dir():
        return seed
    xdg = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(xdg).expanduser() / "ops-orchestrate"


#: Broker 0, results 1, ledger 2.
LEDGER_DATABASE = 2


class Urls(NamedTuple):
    """Three databases of one server. They may hold a password: never print them."""

    broker: str
    results: str
    ledger: str


def default_plugin_root() -> Path | None:
    """The plugin's own folder, which older installs keep their registry in."""
    plugin = os.environ.get("CLAUDE_PLUGIN_ROOT")
    return Path(plugin).expanduser() if plugin else None


#: The seed's feature flag for agent teams, which is Claude Code's own.
TEAMS_FLAG = "CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS"


def teams_flag() -> bool:
    """Whether that flag is set."""
    return os.environ.get(TEAMS_FLAG, "0") == "1"


def database_url(server: str, number: int) -> str:
    """The URL of database `number` on `server`: 0 and 1 in the form that kombu and Celery read, 2 in redis-py's.

    They agree on every form but that of a unix socket.
    """
    if is_sentinel(server):
        return with_database(server, number)
    parts = urlsplit(server)
    if parts.scheme != "unix":
        return urlunsplit(parts._replace(path=f"/{number}"))
    if number == LEDGER_DATABASE:
        return f"unix://{parts.path}?db={number}"
    return f"redis+socket://{parts.path}?virtual_host={number}"


def toml_file() -> Path:
    """The settings file that is read."""
    named = os.environ.get("OPS_CONFIG")
    if named:
        return Path(named).expanduser()
    data = os.environ.get("OPS_DATA_DIR")
    return (Path(data).expanduser() if data else default_data_dir()) / "orchestrate.toml"
