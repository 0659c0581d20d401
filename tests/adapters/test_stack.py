"""The embedded stack lives exactly as long as somebody uses it, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from ops_orchestrate.adapters.stack import Stack, WorkerSpec, throwaway
from ops_orchestrate.adapters.worker_process import LONGEST_PAUSE, Pauses
from ops_orchestrate.config import Settings
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ledger import connect
from tests.adapters.stack_help import (
    HERE,
    User,
    alive,
    born,
    call,
    journal,
    keepers,
    servers,
    until,
    users,
    workers,
)

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
Start = Callable[..., User]


@pytest.fixture
def start() -> Iterator[Start]:
    with users() as starter:
        yield starter


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def settings_for(data: Path) -> Settings:
    return Settings(data_dir=data, grace=0.5, lease=3, heartbeat=1)


def stand_in(notes: Path, manner: str = "good", **more: object) -> WorkerSpec:
    argv = (sys.executable, str(HERE / "stack_worker.py"), str(notes), manner)
    return WorkerSpec.model_validate({"name": "stand-in", "argv": argv, **more})


def nothing_left(data: Path) -> bool:
    state = data / "orchestrate"
    return not (keepers(state) or servers(state) or workers(state))


def test_two_users_share_one_server_and_the_last_one_stops_it(start: Start, data: Path, notes: Path) -> None:
    began = time.monotonic()
    first = start(data, notes)
    assert "error" not in first.found
    print(f"a stack was there after {time.monotonic() - began:.2f} s")
    second = start(data, notes)
    assert second.found["server"] == first.found["server"]
    until(lambda: born(notes))

    began = time.monotonic()
    first.leave()
    print(f"a user that was not the last left in {time.monotonic() - began:.2f} s")
    assert call(second.found["ledger"], "PING")
    assert alive(born(notes)[0])

    second.leave()  # returns when everything has ended
    assert nothing_left(data)
    assert journal(notes)[-1][1] == "stopped with server", "workers end before the server"


def test_a_killed_user_counts_as_gone(start: Start, data: Path, notes: Path) -> None:
    user = start(data, notes)
    assert user.found["server"]
    until(lambda: born(notes))
    user.kill()
    until(lambda: nothing_left(data))
    assert journal(notes)[-1][1] == "stopped with server"


def test_after_a_killed_keeper_the_workers_go_and_the_next_user_adopts_the_server(
    start: Start, data: Path, notes: Path
) -> None:
    user = start(data, notes)
    call(user.found["ledger"], "SET", "kept", "yes")
    until(lambda: born(notes))
    os.kill(user.found["keeper"], signal.SIGKILL)
    user.kill()
    until(lambda: not workers(data / "orchestrate"))
    assert servers(data / "orchestrate") == [user.found["server"]]

    second = start(data, notes)
    assert second.found["server"] == user.found["server"]
    assert call(second.found["ledger"], "GET", "kept") == "yes"
    until(lambda: len(born(notes)) == 2)
    second.leave()
    assert nothing_left(data)


def test_a_user_that_stays_restarts_a_killed_keeper(data: Path, notes: Path) -> None:
    with Stack.open(settings_for(data), workers=[stand_in(notes)]) as stack:
        first = until(lambda: born(notes))[0]
        (keeper,) = keepers(data / "orchestrate")
        os.kill(keeper, signal.SIGKILL)
        until(lambda: not stack.alive())
        stack.ensure()
        assert stack.alive()
        assert keepers(data / "orchestrate") != [keeper]
        until(lambda: len(born(notes)) == 2)
        assert not alive(first), "the earlier keeper's worker ends before the next one starts"
    assert nothing_left(data)


def test_workers_that_outlive_a_killed_keeper_are_stopped_by_the_next(data: Path, notes: Path) -> None:
    with Stack.open(settings_for(data), workers=[stand_in(notes, "deaf")]) as stack:
        (first,) = until(lambda: born(notes))
        os.kill(keepers(data / "orchestrate")[0], signal.SIGKILL)
        until(lambda: not stack.alive())
        assert alive(first)
        stack.ensure()
        until(lambda: len(born(notes)) == 2)
        assert not alive(first)


def test_a_killed_server_comes_back_with_its_data(start: Start, data: Path, notes: Path) -> None:
    user = start(data, notes)
    call(user.found["ledger"], "SET", "kept", "yes")
    until(lambda: born(notes))
    os.kill(user.found["server"], signal.SIGKILL)
    (server,) = until(lambda: [pid for pid in servers(data / "orchestrate") if pid != user.found["server"]])
    until(lambda: answers(user.found["ledger"]))
    assert call(user.found["ledger"], "GET", "kept") == "yes"
    assert server != user.found["server"]
    assert alive(born(notes)[0]), "the workers live on"
    user.leave()
    assert nothing_left(data)


def answers(url: str) -> bool:
    try:
        return bool(call(url, "PING"))
    except redis.RedisError:
        return False


def test_a_killed_worker_is_started_again_and_its_children_go(start: Start, data: Path, notes: Path) -> None:
    user = start(data, notes, "child")
    assert user.found["server"]
    first = until(lambda: born(notes))[0]
    child = next(int(what.split()[1]) for _, what in journal(notes) if what.startswith("child"))
    assert alive(child)
    os.kill(first, signal.SIGKILL)
    until(lambda: len(born(notes)) == 2)
    assert not alive(child)
    user.leave()
    assert nothing_left(data)


def test_a_worker_that_ignores_the_request_to_end_is_killed(data: Path, notes: Path) -> None:
    with Stack.open(settings_for(data), workers=[stand_in(notes, "stubborn")]):
        until(lambda: born(notes))
    assert nothing_left(data)


@pytest.mark.parametrize("race", range(5))
def test_users_at_the_same_instant_get_one_keeper_and_one_server(
    race: int, start: Start, data: Path, notes: Path
) -> None:
    racers = [start(data, notes) for _ in range(3 if race % 2 else 2)]
    assert len({(user.found["keeper"], user.found["server"]) for user in racers}) == 1
    assert len(keepers(data / "orchestrate")) == len(servers(data / "orchestrate")) == 1
    for user in racers:
        assert user.process.stdin
        user.process.stdin.close()
    assert [user.process.wait(20) for user in racers] == [0] * len(racers)
    assert nothing_left(data)


def test_a_user_that_arrives_while_the_stack_stops_gets_a_new_one(start: Start, data: Path, notes: Path) -> None:
    first = start(data, notes, "stubborn")  # takes its whole grace to stop
    call(first.found["ledger"], "SET", "kept", "yes")
    until(lambda: born(notes))
    first.kill()
    until(lambda: "stopping" in (data / "orchestrate/run/status.json").read_text())
    second = start(data, notes)
    assert second.found["server"] != first.found["server"]
    assert call(second.found["ledger"], "GET", "kept") == "yes"
    second.leave()
    assert nothing_left(data)


def test_a_terminated_keeper_stops_everything_and_is_replaced(data: Path, notes: Path) -> None:
    with Stack.open(settings_for(data), workers=[stand_in(notes)]) as stack:
        until(lambda: born(notes))
        os.kill(keepers(data / "orchestrate")[0], signal.SIGTERM)
        until(lambda: not servers(data / "orchestrate"))
        stack.ensure()
        assert answers(stack.urls.ledger)
    assert nothing_left(data)


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


def test_nothing_is_left_of_a_throwaway_stack(tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    data = tmp_path / "never-made"
    with throwaway(settings_for(data), workers=[stand_in(notes)]) as stack:
        call(stack.urls.ledger, "SET", "a", "b")
        until(lambda: born(notes))
        socket = Path(stack.server.socket)
        assert list(temporary.iterdir())
    assert not list(temporary.iterdir())
    assert not socket.parent.exists()
    assert not data.exists()


def test_a_throwaway_stack_goes_with_its_killed_user(
    start: Start, tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    user = start(tmp_path / "never-made", notes, "good", "throwaway")
    assert answers(user.found["ledger"])
    (state,) = temporary.iterdir()
    until(lambda: born(notes))
    user.kill()
    until(lambda: not state.exists() and not keepers(state))
    assert not servers(state)
    assert not workers(state)


def test_pauses_double_up_to_the_longest_and_start_anew_after_a_long_life() -> None:
    pauses, now = Pauses(), 100.0
    seen = [pauses.after_death(now, now) for _ in range(8)]
    assert seen == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert pauses.due == now + 10
    assert pauses.after_death(now, now + LONGEST_PAUSE + 1) == 0.2


def test_after_a_clean_start_admission_begins_at_once(data: Path) -> None:
    with Stack.open(settings_for(data), workers=[]) as stack, closing(connect(stack.urls.ledger)) as ledger:
        assert ledger.board.look(5).quiet_until <= ledger.now()


def test_while_something_of_an_earlier_stack_lives_admission_waits_for_a_lease(data: Path) -> None:
    mark = {**os.environ, "OPS_STACK": str(data / "orchestrate")}
    with subprocess.Popen(["sleep", "100"], env=mark) as earlier:
        try:
            with (
                Stack.open(settings_for(data), workers=[]) as stack,
                closing(connect(stack.urls.ledger)) as ledger,
            ):
                assert ledger.board.look(5).quiet_until > ledger.now() + 1
        finally:
            earlier.kill()
