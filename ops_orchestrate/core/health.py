"""`daemon-health.json`: what the plugin's daemon says about its services, and what of it concerns a run.

Most services in that file have nothing to do with code, and most users have no daemon at all: only the
services named in the settings block a run. Everything else is shown. A required service that nobody can vouch
for (no file, an old one, a damaged one) blocks: unknown is never healthy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.strict_json import load_json
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import OpsError

LIMIT = 4_000_000
STALE_AFTER = 120.0
"""Seconds; the daemon writes every thirty."""

HEALTHY = frozenset({"running", "polling", "scheduled", "starting", "delegated"})
NEUTRAL = frozenset({"stopped"})


class Health(Value):
    """What the file says."""

    services: dict[str, str]
    """Status by service; other words than the daemon's own come from the services themselves."""
    errors: dict[str, str]
    """Last error by service."""
    action_needed: str = ""
    warnings: tuple[str, ...] = ()
    """Of credentials and rate limits."""


class HealthReport(Value):
    """What a run makes of it."""

    blocking: tuple[str, ...] = ()
    """Sentences; nothing is dispatched while there is one."""
    warnings: tuple[str, ...] = ()


def parse_health(data: bytes) -> Health | None:
    """Read the file, as far as it makes sense; None where it is no JSON object. Never raises."""
    try:
        raw = load_json(data, origin="daemon-health.json", error=OpsError, limit=LIMIT)
    except OpsError:
        return None
    if not isinstance(raw, dict):
        return None
    services = {name: body for name, body in _dict(raw.get("services")).items() if isinstance(body, dict)}
    return Health(
        services={one_line(name, 80): _text(body.get("status")) or "unknown" for name, body in services.items()},
        errors={one_line(name, 80): text for name, body in services.items() if (text := _text(body.get("last_error")))},
        action_needed=_action(raw.get("action_needed")),
        warnings=tuple(_texts(raw.get("credential_warnings")) + _texts(raw.get("rate_limit_warnings"))),
    )


def judge_health(data: bytes | None, *, age: float | None, required: Sequence[str]) -> HealthReport:
    """What blocks a run and what is only shown. `age` is that of the file, in seconds.

    `data` is None where there is no file.
    """
    health = parse_health(data) if data is not None else None
    doubt = _doubt(data, health, age)
    if health is None:
        missing = tuple(f"Required service {name}: its health is not known ({doubt})." for name in required)
        return HealthReport(blocking=missing, warnings=(f"Daemon health: {doubt}.",) if data is not None else ())
    blocking = [sentence for name in required if (sentence := _required(name, health, doubt))]
    shown = [f"Daemon health: {doubt}."] if doubt else []
    shown += [_described(name, health) for name in health.services if name not in required and not _fine(name, health)]
    if health.action_needed:
        shown.append(f"The daemon asks for: {health.action_needed}.")
    return HealthReport(blocking=tuple(blocking), warnings=(*shown, *health.warnings))


def _doubt(data: bytes | None, health: Health | None, age: float | None) -> str:
    if data is None:
        return "there is no daemon-health.json; the daemon is not running"
    if health is None:
        return "daemon-health.json cannot be read"
    if age is None or age > STALE_AFTER:
        return "daemon-health.json is old; the daemon has stopped writing it"
    return ""


def _required(name: str, health: Health, doubt: str) -> str:
    """Why a required service blocks; empty where it does not. It has to be healthy, not merely stopped."""
    if doubt:
        return f"Required service {name}: its health is not known ({doubt})."
    if name not in health.services:
        return f"Required service {name}: the daemon does not know it."
    return "" if health.services[name] in HEALTHY else f"Required: {_described(name, health)}"


def _fine(name: str, health: Health) -> bool:
    return health.services[name] in HEALTHY | NEUTRAL


def _described(name: str, health: Health) -> str:
    error = health.errors.get(name)
    return f"Service {name} is {health.services[name]}{f' ({error})' if error else ''}."


def _action(value: Any) -> str:
    """`action_needed` in each of the shapes it has been seen in."""
    if isinstance(value, dict):
        words = [_text(value.get(key)) for key in ("service", "action", "kind", "message")]
        return " – ".join(word for word in words if word) or one_line(json.dumps(value), 200)
    return _text(value)


def _text(value: Any) -> str:
    return one_line(value, 300) if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [text for one in value if (text := _text(one))] if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
