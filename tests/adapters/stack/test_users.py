"""The embedded stack lives exactly as long as somebody uses it, and its users share one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ops_orchestrate.adapters.stack import throwaway
from tests.adapters.stack_help import (
    Start,
    alive,
    answers,
    born,
    call,
    journal,
    keepers,
    needs_proc,
    nothing_left,
    servers,
    settings_for,
    stand_in,
    until,
    workers,
)
from tests.laws import examples

pytestmark = needs_proc


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


@pytest.mark.parametrize("race", range(examples(2)))
def test_users_at_the_same_instant_get_one_keeper_and_one_server(
    race: int, start: Start, data: Path, notes: Path
) -> None:
    racers = [start(data, notes) for _ in range(3 if race % 2 else 2)]
    assert len({(user.found["keeper"], user.found["server"]) for user in racers}) == 1
    # A keeper that came too late may still be on its way out; it never has a server.
    until(lambda: len(keepers(data / "orchestrate")) == 1)
    assert len(servers(data / "orchestrate")) == 1
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
