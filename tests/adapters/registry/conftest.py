"""A home and settings of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_orchestrate.config import Settings, load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, and none of the user's settings."""
    for name in [name for name in os.environ if name.startswith(("OPS_", "CLAUDE_", "XDG_", "GIT_"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "data").mkdir()
    return load_settings(data_dir=tmp_path / "data")
