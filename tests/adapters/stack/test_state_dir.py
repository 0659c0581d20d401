"""The folder of the embedded stack: what is refused before anything starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.errors import OpsError


def test_a_socket_folder_that_somebody_else_could_write_is_refused(tmp_path: Path) -> None:
    state = StateDir.at(tmp_path / ("x" * 100))
    state.prepare()
    folder = state.socket().parent
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    try:
        with pytest.raises(OpsError, match=rf"{folder}.* not a private folder"):
            state.socket_folder()
        folder.rmdir()
        folder.symlink_to(tmp_path)
        with pytest.raises(OpsError, match=rf"{folder}.* not a private folder"):
            state.socket_folder()
    finally:
        folder.unlink() if folder.is_symlink() else folder.rmdir()


def test_a_full_disk_is_refused_before_anything_starts(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops_orchestrate.adapters.state_dir.LEAST_FREE", 1 << 60)
    with pytest.raises(OpsError, match=rf"disk that holds {state.root} is full"):
        state.prepare()


def test_a_path_that_is_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="not valid UTF-8"):
        StateDir.at(Path(os.fsdecode(bytes(tmp_path) + b"/\xff"))).prepare()
