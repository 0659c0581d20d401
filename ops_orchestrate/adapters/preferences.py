"""Reads `preferences.json` from the data folder. Writes nothing: the plugin's setup owns that file."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ops_orchestrate.adapters.textfile import read_if_there
from ops_orchestrate.config import Settings
from ops_orchestrate.core.preferences import LIMIT, Preferences, parse_preferences
from ops_orchestrate.errors import UsageError


def load_preferences(settings: Settings) -> Preferences:
    """The owner's preferences; the defaults where there is no file.

    Raises UsageError, naming the file and the field: see core/preferences.py.
    """
    path = settings.data_dir / "preferences.json"
    data = read_if_there(path, LIMIT, UsageError)
    if data is None:
        return Preferences()
    found = parse_preferences(data, origin=str(path))
    if _is_zone(found.timezone):
        return found
    warning = f"{path}: `timezone` is not known here ({found.timezone}); UTC is used."
    return found.model_copy(update={"timezone": "UTC", "warnings": (*found.warnings, warning)})


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the database is an OSError
        return False
    return True
