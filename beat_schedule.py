"""What runs on a clock; data only. Read by `celery -A ops_orchestrate beat` through the app's settings.

Two beats or a late one do no harm: every entry's job is idempotent and decides by the ledger.
"""

from __future__ import annotations

from typing import Any

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "reconcile": {
        "task": "planner.reconcile",
        "schedule": 15.0,
        "options": {"queue": "planner", "expires": 15},
    },
    # Asked every minute, not once a night: whether tonight's run is due is decided by a rule and begun once by the
    # ledger. So a beat that was down at that minute, was late, or stands beside another one makes exactly one run.
    "nightly": {
        "task": "planner.nightly",
        "schedule": 60.0,
        "options": {"queue": "planner", "expires": 60},
    },
    "upkeep": {
        "task": "planner.upkeep",
        "schedule": 3600.0,
        "options": {"queue": "planner", "expires": 3600},
    },
}
