"""`preferences.json` of the plugin, as far as it concerns orchestration.

The file has no schema and other tools write it: what is odd is left at its default, with a warning. The one
exception is `merge_authors`: it narrows what may be merged, so a broken list is an error, never "everybody".
"""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.strict_json import load_json
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import UsageError

LIMIT = 4_000_000


class Preferences(Value):
    """What the owner prefers."""

    owner: str = ""
    timezone: str = "UTC"
    """By which times are shown, nights begin and a day's money is counted."""
    yolo_enabled: bool = False
    """Approves low-risk questions. Never stands for `--force`, never lifts a guard."""
    merge_authors: tuple[str, ...] = ()
    """Logins whose changes may be merged; empty: everybody's."""
    secrets_manager: str = ""
    """`doppler`, `none`, or empty where nothing is said."""
    doppler_project: str = ""
    doppler_config: str = ""
    password_manager: str = ""
    query_command: str = ""
    """The password manager's command line, with `{{name}}` where the secret's name goes."""
    warnings: tuple[str, ...] = ()


def parse_preferences(data: bytes, *, origin: str) -> Preferences:
    """Read the file. Raises UsageError: it is no JSON object, or `merge_authors` is no list of logins."""
    raw = load_json(data, origin=origin, error=UsageError, limit=LIMIT)
    if not isinstance(raw, dict):
        raise UsageError(f"{origin} must hold a JSON object.")
    doppler, manager = _dict(raw.get("doppler")), _dict(raw.get("password_manager_config"))
    texts = {
        "owner": raw.get("owner"),
        "timezone": raw.get("timezone"),
        "secrets_manager": raw.get("secrets_manager"),
        "doppler_project": doppler.get("project"),
        "doppler_config": doppler.get("config"),
        "password_manager": raw.get("password_manager"),
        "query_command": manager.get("query_cmd"),
    }
    kept = {name: one_line(text, 1000) for name, text in texts.items() if isinstance(text, str) and text.strip()}
    odd = [name for name, text in texts.items() if text is not None and not isinstance(text, str)]
    if not isinstance(raw.get("yolo_enabled", False), bool):
        odd.append("yolo_enabled")
    return Preferences(
        **kept,
        yolo_enabled=raw.get("yolo_enabled") is True,
        merge_authors=_authors(raw.get("merge_authors"), origin),
        warnings=tuple(f"{origin}: `{name}` is not what it should be, and is not used." for name in odd),
    )


def _authors(value: Any, origin: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise UsageError(f"{origin}: `merge_authors` must be a list of GitHub logins.")
    return tuple(dict.fromkeys(one_line(one, 100) for one in value))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
