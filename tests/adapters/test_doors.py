"""The way out of a room without a network: a door of ours, as a port inside."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.door import Listener
from ops_orchestrate.adapters.modelproxy import Upstream
from ops_orchestrate.adapters.modelproxy.proxy import ModelProxy
from ops_orchestrate.adapters.process import Finished, run
from ops_orchestrate.adapters.sandbox import SandboxSpec, confine, environment, interpreter, wrap
from ops_orchestrate.adapters.supervised import Watch, supervise
from ops_orchestrate.core.modelusage import Tokens
from tests.adapters.foreign import end_of, needs_sandbox, settings
from tests.adapters.modelproxy.model import KEY, Model, model
from tests.adapters.supervise_help import said

pytestmark = needs_sandbox


def echo(connection: socket.socket) -> None:
    while data := connection.recv(100):
        connection.sendall(data.upper())


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(echo, folder=tmp_path / "doors", port=4999)
    yield listener
    listener.close()


def inside(folder: Path, listener: Listener | Any, *argv: str, env: dict[str, str] | None = None) -> Finished:
    mine = folder / "mine"
    mine.mkdir(exist_ok=True)
    spec = SandboxSpec(mine, write=(mine,), doors=listener.doors, env=env or {})
    return run(wrap(argv, spec), cwd="/", env=environment(spec), timeout=30, keep=100_000)


def python(folder: Path, listener: Listener | Any, code: str, **more: Any) -> Finished:
    return inside(folder, listener, *interpreter(), "-c", code, **more)


TALK = """
import socket
with socket.create_connection(("127.0.0.1", 4999), 5) as one, socket.create_connection(("127.0.0.1", 4999), 5) as two:
    one.sendall(b"a"); two.sendall(b"b")
    one.shutdown(socket.SHUT_WR)
    print(one.recv(9), one.recv(9), two.recv(9))
"""


def test_the_port_inside_leads_to_the_door_and_nowhere_else(tmp_path: Path, door: Listener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code = (
            TALK + f"\ntry: socket.create_connection(('127.0.0.1', {port}), 2)\nexcept OSError as e: print(e.strerror)"
        )
        ended = python(tmp_path, door, code)
    assert ended.output == b"b'A' b'' b'B'\nConnection refused\n", ended.output_tail


def test_much_goes_through_both_ways(tmp_path: Path, door: Listener) -> None:
    code = """
import socket, threading
with socket.create_connection(("127.0.0.1", 4999), 10) as one:
    def send():
        one.sendall(b"x" * 5_000_000); one.shutdown(socket.SHUT_WR)
    threading.Thread(target=send).start()
    size = 0
    while data := one.recv(65536):
        size += len(data)
    print(size)
"""
    assert python(tmp_path, door, code).output == b"5000000\n"


def test_a_door_that_is_closed_answers_nothing(tmp_path: Path) -> None:
    listener = Listener(echo, folder=tmp_path / "doors", port=4999)
    doors = listener.doors
    (tmp_path / "mine").mkdir()
    spec = SandboxSpec(tmp_path / "mine", write=(tmp_path / "mine",), doors=doors)
    wait = "import sys, time\nprint('up', flush=True)\nwhile not __import__('os').path.exists('go'): time.sleep(0.02)\n"
    argv = [
        *interpreter(),
        "-c",
        wait + "import socket; print(socket.create_connection(('127.0.0.1', 4999), 5).recv(9))",
    ]
    confined = confine(argv, spec, settings(tmp_path))
    running = supervise(confined, Watch(tmp_path / "watch", "door-test", tmp_path, 60, 30, 0.3), settings(tmp_path))
    assert said(running)
    listener.close()
    (tmp_path / "mine" / "go").touch()
    assert end_of(running).exit_code == 0
    assert "b''" in running.tail()


@pytest.mark.parametrize("code", [0, 1, 77])
def test_the_program_is_what_is_started(tmp_path: Path, door: Listener, code: int) -> None:
    """Its exit code, no child that it does not know, its own standard input, and default signals."""
    words = (
        "import os, signal, sys\n"
        "try: os.waitpid(-1, os.WNOHANG); print('a child')\nexcept ChildProcessError: print('alone')\n"
        "print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)\n"
        f"raise SystemExit({code})"
    )
    ended = python(tmp_path, door, words)
    assert (ended.exit_code, ended.output) == (code, b"alone\nTrue\n")
    shell = inside(tmp_path, door, "/bin/sh", "-c", "yes | head -1; echo ${PIPESTATUS:-}")
    assert shell.output == b"y\n\n"


def test_a_program_that_is_missing_is_said_as_a_shell_says_it(tmp_path: Path, door: Listener) -> None:
    ended = inside(tmp_path, door, "/no/such/agent")
    assert (ended.exit_code, ended.output_tail.strip()) == (127, "/no/such/agent: No such file or directory")


@pytest.mark.parametrize("how", ["interrupt", "kill"])
def test_an_interrupt_reaches_the_program_first_and_the_way_out_stays(tmp_path: Path, door: Listener, how: str) -> None:
    """The last call of an agent that is asked to end still goes through; nothing of the bridge outlives it."""
    code = (
        "import signal, socket, sys, time\n"
        "def last(*_):\n"
        "    one = socket.create_connection(('127.0.0.1', 4999), 5); one.sendall(b'bye')\n"
        "    print(one.recv(9), flush=True)\n"
        "    sys.exit(3)\n"
        "signal.signal(signal.SIGINT, last); signal.signal(signal.SIGTERM, last)\n"
        "print('up', flush=True)\ntime.sleep(60)"
    )
    (tmp_path / "mine").mkdir()
    spec = SandboxSpec(tmp_path / "mine", write=(tmp_path / "mine",), doors=door.doors)
    used = settings(tmp_path)
    confined = confine([*interpreter(), "-c", code], spec, used)
    running = supervise(confined, Watch(tmp_path / "watch", "door-int", tmp_path, 60, 30, 5.0), used)
    assert said(running)
    running.stop("interrupt" if how == "interrupt" else "kill")
    ended = end_of(running)
    assert ended.left == 0
    assert ("b'BYE'" in running.tail()) is (how == "interrupt")
    assert ended.exit_code == (3 if how == "interrupt" else None) or ended.signal == signal.SIGKILL


@pytest.fixture
def api() -> Iterator[Model]:
    with model() as made:
        yield made


def test_an_agent_without_network_and_without_key_talks_to_the_model(tmp_path: Path, api: Model) -> None:
    proxy = ModelProxy(Upstream(api.url), lambda: KEY, folder=tmp_path / "doors")
    code = """
import json, os, urllib.request
ask = urllib.request.Request(os.environ["BASE"] + "/v1/messages", json.dumps({"model": "m", "messages": []}).encode(),
                             {"x-api-key": os.environ["KEY"], "content-type": "application/json"})
print(urllib.request.urlopen(ask, timeout=10).read().decode().count("event:"), flush=True)
"""
    env = {"BASE": proxy.base_url, "KEY": proxy.placeholder}
    ended = python(tmp_path, proxy, code + "\nos.system('cat /proc/*/environ /proc/*/cmdline')", env=env)
    proxy.close()
    assert ended.output.startswith(b"4\n"), ended.output_tail
    assert api.asked[0][2]["x-api-key"] == KEY
    assert KEY.encode() not in ended.output
    assert proxy.usage().tokens == {"m": Tokens(10, 5)}


def test_the_interpreter_of_the_bridge_is_ours(tmp_path: Path, door: Listener) -> None:
    """Nothing on a PATH of the agent's decides what runs in front of it."""
    argv = wrap(["/bin/true"], SandboxSpec(tmp_path, doors=door.doors))
    assert argv[argv.index("--") + 1 :][:4] == [sys.executable, "-I", "-S", "/run/ops/bridge.py"]
