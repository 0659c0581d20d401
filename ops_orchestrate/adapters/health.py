"""Reads `daemon-health.json` and its age. The rules are in core/health.py."""

from __future__ import annotations

from ops_orchestrate.adapters.textfile import read_if_there
from ops_orchestrate.config import Settings
from ops_orchestrate.core.health import LIMIT, HealthReport, judge_health
from ops_orchestrate.errors import OpsError


def read_health(settings: Settings, now: float) -> HealthReport:
    """What blocks a run and what is only shown. `now` is in seconds since the epoch."""
    path = settings.data_dir / "daemon-health.json"
    try:
        data = read_if_there(path, LIMIT, OpsError)
        age = now - path.stat().st_mtime if data is not None else None
    except (OpsError, OSError):
        data, age = b"", None
    return judge_health(data, age=age, required=settings.required_services)
