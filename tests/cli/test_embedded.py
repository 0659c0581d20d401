"""The real command with its own server and workers: what it withstands, and that nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_orchestrate.core.event import Event, EventKind
from tests.adapters.stack_help import keepers, servers
from tests.cli.machine import Command, Machine
from tests.engine.nemesis import outcomes, twice, watching
from tests.engine.rig import work

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("embedded")]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine.build(tmp_path)
    yield made
    made.close()


def begin(machine: Machine, task: str) -> Command:
    """A run whose first attempt is half done and will never end by itself, with a task that waits behind it."""
    machine.play({task: twice(task), "after": [work("after")]})
    command = machine.run([{"id": task}, {"id": "after", "blocked_by": [task]}])
    machine.half_done(task)
    return command


def since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"


def kinds(events: list[Event]) -> list[EventKind]:
    return [event.kind for event in events]


def test_two_commands_share_one_server_and_both_finish(machine: Machine) -> None:
    began = time.monotonic()
    machine.play({name: [work(name, seconds=0.5)] for name in ("a", "b", "c", "d")})
    with watching(machine.home) as sight:
        first = machine.run([{"id": "a"}, {"id": "b", "blocked_by": ["a"]}], "first")
        second = machine.run([{"id": "c"}, {"id": "d", "blocked_by": ["c"]}], "second")
        machine.until(lambda: servers(machine.state), 20, "a server")
        found = set(servers(machine.state))
        while first.process.poll() is None or second.process.poll() is None:
            found |= set(servers(machine.state))
            time.sleep(0.1)
            assert time.monotonic() - began < 60, machine.story()
    assert len(found) == 1
    runs = {machine.sound(command)[0].run for command in (first, second)}
    print(f"two runs took {since(began)}")
    assert len(runs) == 2
    assert sight.most == 1  # both write to the one repository


def test_an_interrupt_keeps_the_work_and_resume_goes_on(machine: Machine) -> None:
    command = begin(machine, "asked")
    command.process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    assert command.wait(15) == 130, command.story()
    print(f"ended {since(asked)} after Ctrl-C")
    assert machine.left() == {}
    assert machine.salvaged("asked", "src/asked.draft") == {"draft"}
    resumed = time.monotonic()
    events = machine.sound(machine.command("resume", "last", "--json"))
    print(f"resumed and done in {since(resumed)}")
    assert outcomes(events, "asked") == ["interrupted", "succeeded"]


def test_a_second_interrupt_skips_the_salvage_and_the_next_command_does_it(machine: Machine) -> None:
    command = begin(machine, "twice")
    command.process.send_signal(signal.SIGINT)
    command.process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    assert command.wait(15) == 130, command.story()
    print(f"ended {since(asked)} after the second Ctrl-C")
    assert machine.left() == {}
    resumed = time.monotonic()
    events = machine.sound(machine.command("resume", "last", "--json"))
    print(f"resumed and done in {since(resumed)}")
    assert outcomes(events, "twice") == ["interrupted", "succeeded"]
    assert machine.salvaged("twice", "src/twice.draft") == {"draft"}


def test_a_killed_command_leaves_nothing_running_and_is_resumed(machine: Machine) -> None:
    command = begin(machine, "orphan")
    command.process.kill()
    killed = time.monotonic()
    command.process.wait()
    machine.until(lambda: machine.left() == {}, 15, "everything to have ended")
    print(f"everything had ended {since(killed)} after the command was killed")
    resumed = time.monotonic()
    events = machine.sound(machine.command("resume", "--json"))
    print(f"resumed and done in {since(resumed)}")
    assert outcomes(events, "orphan") == ["interrupted", "succeeded"]
    assert machine.salvaged("orphan", "src/orphan.draft") == {"draft"}


def test_a_killed_keeper_is_replaced(machine: Machine) -> None:
    command = begin(machine, "kept")
    (keeper,) = keepers(machine.state)
    with watching(machine.home) as sight:
        os.kill(keeper, signal.SIGKILL)
        killed = time.monotonic()
        events = machine.sound(command)
    print(f"done {since(killed)} after the keeper was killed")
    assert sight.doubled == set()
    assert outcomes(events, "kept")[-1] == "succeeded"
    assert machine.salvaged("kept", "src/kept.draft") == {"draft"}


def test_a_killed_server_comes_back_with_everything(machine: Machine) -> None:
    """The agent is at work all the while and goes on: its lease outlives the server's absence."""
    machine.play({"served": [work("served", seconds=3)], "after": [work("after")]})
    command = machine.run([{"id": "served"}, {"id": "after", "blocked_by": ["served"]}])
    machine.until(lambda: EventKind.ATTEMPT_STARTED in kinds(command.events()), 40, "an attempt to start")
    (server,) = servers(machine.state)
    with watching(machine.home) as sight:
        os.kill(server, signal.SIGKILL)
        killed = time.monotonic()
        events = machine.sound(command)
    print(f"done {since(killed)} after the server was killed")
    assert sight.most == 1
    assert outcomes(events, "served") == ["succeeded"]


def test_everything_killed_at_once_is_resumed(machine: Machine) -> None:
    """As a power cut would, but for the disk: command, keeper, server, workers and supervisors."""
    command = begin(machine, "cut")
    command.process.kill()
    for pid in {pid for pids in machine.left().values() for pid in pids}:
        os.kill(pid, signal.SIGKILL)
    command.process.wait()
    machine.until(lambda: machine.left() == {}, 5, "everything to be dead")
    resumed = time.monotonic()
    events = machine.sound(machine.command("resume", "--json"))
    print(f"resumed and done in {since(resumed)}")
    assert outcomes(events, "cut") == ["lost", "succeeded"]
    assert machine.salvaged("cut", "src/cut.draft") == {"draft"}
