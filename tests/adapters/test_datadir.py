"""Preferences and daemon health in the data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_orchestrate.adapters.health import read_health
from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.core.health import HealthReport
from ops_orchestrate.core.preferences import Preferences
from ops_orchestrate.errors import UsageError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


def test_without_a_file_the_defaults_hold(settings: Settings) -> None:
    assert load_preferences(settings) == Preferences()
    assert read_health(settings, 0.0) == HealthReport()


def test_preferences_are_read(settings: Settings) -> None:
    (settings.data_dir / "preferences.json").write_text('{"owner": "Ada", "timezone": "Europe/Berlin"}')
    assert load_preferences(settings).timezone == "Europe/Berlin"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe"])
def test_an_unknown_time_zone_is_utc_with_a_warning(settings: Settings, zone: str) -> None:
    (settings.data_dir / "preferences.json").write_text(f'{{"timezone": "{zone}"}}')
    found = load_preferences(settings)
    assert found.timezone == "UTC"
    assert zone in found.warnings[0]


def test_damaged_preferences_name_the_file(settings: Settings) -> None:
    path = settings.data_dir / "preferences.json"
    path.write_text("{")
    with pytest.raises(UsageError, match=str(path)):
        load_preferences(settings)


def test_the_age_of_the_health_file_counts(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, required_services=("vault",))
    path = tmp_path / "daemon-health.json"
    path.write_text('{"services": {"vault": {"status": "running"}}}')
    os.utime(path, (1000, 1000))
    assert read_health(settings, 1100.0) == HealthReport()
    assert "old" in read_health(settings, 1200.0).blocking[0]


def test_a_health_file_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "daemon-health.json").mkdir()
    settings = load_settings(data_dir=tmp_path, required_services=("vault",))
    assert "not known" in read_health(settings, 0.0).blocking[0]
