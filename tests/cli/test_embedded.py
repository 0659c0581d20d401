"""The real command with its own server and workers: what it withstands, and that nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ops_orchestrate.core.event import EventKind
from tests.adapters.stack_help import keepers, servers
from tests.cli.machine import Command, Machine
from tests.engine.nemesis import marked, outcomes, twice, unfinished_attempt, watching
from tests.engine.rig import work
from tests.laws import some

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine.build(tmp_path)
    yield made
    made.close()


def test_two_commands_share_one_server_and_both_finish(machine: Machine) -> None:
    began = time.monotonic()
    machine.play({name: [work(name, seconds=0.5)] for name in ("a", "b", "c", "d")})
    found: set[int] = set()
    with watching(machine.home) as sight:
        first = machine.run([{"id": "a"}, {"id": "b", "blocked_by": ["a"]}], "first")
        second = machine.run([{"id": "c"}, {"id": "d", "blocked_by": ["c"]}], "second")
        while first.process.poll() is None or second.process.poll() is None:
            found |= set(servers(machine.state))
            time.sleep(0.1)
            assert time.monotonic() - began < 150, machine.story()
    print(f"two runs took {time.monotonic() - began:.1f} s")
    assert len(found) == 1
    runs = {machine.sound(command)[0].run for command in (first, second)}
    assert len(runs) == 2
    assert sight.most == 1  # both write to the one repository


def interrupt(_machine: Machine, command: Command) -> None:
    """Ctrl-C."""
    command.process.send_signal(signal.SIGINT)
    assert command.wait(20) == 130, command.story()


def interrupt_twice(_machine: Machine, command: Command) -> None:
    """Ctrl-C, and again: no salvage, but the agents are killed and the board is right."""
    command.process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    command.process.send_signal(signal.SIGINT)
    assert command.wait(20) == 130, command.story()


def kill_the_command(_machine: Machine, command: Command) -> None:
    """SIGKILL: the keeper sees it, and ends everything in order."""
    command.process.kill()


def kill_everything(machine: Machine, command: Command) -> None:
    """As a power cut would, but for the disk: command, keeper, server, workers, supervisors and agents."""
    command.process.kill()
    for pid in {pid for pids in machine.left().values() for pid in pids}:
        with suppress(ProcessLookupError):  # one may have died with another
            os.kill(pid, signal.SIGKILL)


#: How a command may end before its run does, and how the attempt that it interrupts then ends.
EVERY_END: tuple[tuple[Callable[[Machine, Command], None], str], ...] = (
    (interrupt, "interrupted"),
    (kill_everything, "lost"),
    (interrupt_twice, "interrupted"),
    (kill_the_command, "interrupted"),
)
ENDS = some(EVERY_END, 2)


def test_however_a_command_ends_nothing_is_left_and_resume_goes_on(machine: Machine) -> None:
    """One task whose agent is at work each time, and a task behind it that must not start early."""
    machine.play({"long": [*[unfinished_attempt("long")] * len(ENDS), work("long")], "after": [work("after")]})
    command = machine.run([{"id": "long"}, {"id": "after", "blocked_by": ["long"]}])
    for number, (end, _) in enumerate(ENDS, 1):
        machine.half_done("long", number)
        asked = time.monotonic()
        end(machine, command)
        machine.until(lambda: machine.left() == {}, 15, f"everything to have ended after: {end.__doc__}")
        ended = time.monotonic()
        command = machine.command("resume", *(["last"] if number % 2 else []), "--json")
        print(f"{end.__name__}: all had ended after {ended - asked:.1f} s")
    events = machine.sound(command)
    print(f"resumed and done in {time.monotonic() - ended:.1f} s, the lease and `events` included")
    assert outcomes(events, "long") == [outcome for _, outcome in ENDS] + ["succeeded"]
    assert machine.salvaged("long", "src/long.draft") == ["draft"] * len(ENDS)


def test_a_killed_keeper_and_a_killed_server_are_replaced(machine: Machine) -> None:
    """The keeper's workers end with it, their agent too. The server's absence is not even noticed by an agent."""
    machine.play({"kept": twice("kept"), "served": [work("served", seconds=3)]})
    command = machine.run([{"id": "kept"}, {"id": "served", "blocked_by": ["kept"]}])
    machine.half_done("kept")
    with watching(machine.home) as sight:
        (keeper,) = keepers(machine.state)
        os.kill(keeper, signal.SIGKILL)
        killed = time.monotonic()
        machine.until(lambda: "served" in command.started(), 40, "the second task to start")
        # Before it is born, a claim whose answer goes down with the server is nobody's: it is lost.
        machine.until(lambda: any(".served." in mark for mark in marked(machine.home).values()), 20, "its agent")
        print(f"the first task was done {time.monotonic() - killed:.1f} s after the keeper was killed")
        (server,) = servers(machine.state)
        os.kill(server, signal.SIGKILL)
        killed = time.monotonic()
        events = machine.sound(command)
    print(f"all was done {time.monotonic() - killed:.1f} s after the server was killed")
    assert sight.most == 1
    assert outcomes(events, "kept")[-1] == "succeeded"
    assert outcomes(events, "served") == ["succeeded"]
    assert machine.salvaged("kept", "src/kept.draft") == ["draft"]
    assert [event.kind for event in events if event.task == "served"].count(EventKind.ATTEMPT_STARTED) == 1
