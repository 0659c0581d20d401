"""Where the embedded stack may live, what its workers see, and what is said when it cannot be started."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ops_orchestrate.adapters.stack import Stack, WorkerSpec
from ops_orchestrate.errors import OpsError
from tests.adapters.stack_help import (
    call,
    needs_proc,
    nothing_left,
    settings_for,
    until,
)

pytestmark = needs_proc


def test_what_a_worker_sees(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "secret")
    monkeypatch.setenv("A_PLAIN_ONE", "inherited")
    said = tmp_path / "environment"
    show = f"import json, os, time; open({str(said)!r}, 'w').write(json.dumps(dict(os.environ))); time.sleep(60)"
    spec = WorkerSpec(name="looks", argv=(sys.executable, "-c", show), env={"OWN": "1"}, drop=("A_TOKEN",))
    with Stack.open(settings_for(data), workers=[spec]) as stack:
        seen = json.loads(until(lambda: said.exists() and said.read_text()))
        assert (seen["OPS_BROKER_URL"], seen["OPS_RESULTS_URL"], seen["OPS_LEDGER_URL"]) == stack.urls
    assert seen["OPS_STACK"] == str(data / "orchestrate")
    assert seen["OWN"] == "1"
    assert seen["A_PLAIN_ONE"] == "inherited"
    assert "A_TOKEN" not in seen
    assert "OPS_KEEPER_LOCK_FD" not in seen


@pytest.mark.parametrize("folder", ["d" * 100, "with space ? # %41"])
def test_a_data_directory_with_a_long_or_odd_path(tmp_path: Path, folder: str) -> None:
    data = tmp_path / folder
    with Stack.open(settings_for(data), workers=[]) as stack:
        socket = Path(stack.server.socket)
        assert len(str(socket)) < 90
        assert socket.stat().st_mode & 0o777 == 0o600
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        assert call(stack.urls.ledger, "CONFIG", "GET", "dir")["dir"] == str(data / "orchestrate" / "server")
        assert str(socket) in stack.describe()
    assert not socket.parent.exists()


def test_a_data_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    for data in (Path("/proc/nothing-of-ours"), tmp_path / "a-file"):
        with pytest.raises(OpsError, match=rf"{data}.* cannot be written: .*OPS_DATA_DIR"):
            Stack.open(settings_for(data), workers=[])


def test_a_server_that_cannot_start_is_explained(data: Path) -> None:
    with Stack.open(settings_for(data), workers=[]) as stack:
        call(stack.urls.ledger, "SET", "a", "b")
    kept = data / "orchestrate" / "server" / "appendonlydir"
    (kept / "appendonly.aof.manifest").write_text("not a manifest\n")
    with pytest.raises(OpsError, match=rf"append-only file in {kept} is damaged. .*valkey-check-aof"):
        Stack.open(settings_for(data), workers=[])
    assert nothing_left(data)


def test_a_keeper_that_cannot_run_is_shown_with_its_last_words(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho this interpreter is broken\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(OpsError, match=r"keeper\.log ends with:\nthis interpreter is broken"):
        Stack.open(settings_for(data), workers=[])
