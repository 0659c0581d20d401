"""Whatever of the embedded stack is killed, what is left of it ends or goes on as it should."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from ops_orchestrate.adapters.stack import Stack, WorkerSpec
from ops_orchestrate.adapters.worker_process import LONGEST_PAUSE, Pauses
from ops_orchestrate.ledger import connect
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

pytestmark = needs_proc


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


def test_a_worker_that_dies_again_and_again_is_told_with_its_last_words(data: Path) -> None:
    dies = WorkerSpec(name="flower", argv=(sys.executable, "-c", "raise SystemExit('error: the port is taken')"))
    with Stack.open(settings_for(data), workers=[dies]) as stack:
        problem = until(stack.problem, 60)
        assert problem.startswith("flower ends again and again: error: the port is taken (more in ")
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


def test_a_terminated_keeper_stops_everything_and_is_replaced(data: Path, notes: Path) -> None:
    with Stack.open(settings_for(data), workers=[stand_in(notes)]) as stack:
        until(lambda: born(notes))
        os.kill(keepers(data / "orchestrate")[0], signal.SIGTERM)
        until(lambda: not servers(data / "orchestrate"))
        stack.ensure()
        assert answers(stack.urls.ledger)
    assert nothing_left(data)


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
