"""The one server of a data directory: started, or adopted when it has outlived its keeper; and stopped.

"One" is the kernel's word, not ours: the server inherits the descriptor that holds STATE/server.lock, so
the lock is free exactly when no server (and no child of one that rewrites the file) works on that data. A
second server is never started while it is held. Refuses to adopt a server whose working directory is not
ours.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import time
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops_orchestrate.adapters.process import Child, spawn
from ops_orchestrate.adapters.process_id import ProcessId
from ops_orchestrate.adapters.server import configuration, find_server, origin_of
from ops_orchestrate.adapters.stack_files import ServerInfo, read_server, write_server
from ops_orchestrate.adapters.stack_lock import StackLock
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.errors import OpsError

START_LIMIT = 10.0
"""Seconds until a started server answers; reading a long append-only file does not count."""
LOAD_LIMIT = 300.0
"""Seconds for reading that file."""
ADOPT_LIMIT = 3.0
"""Seconds without an answer after which a server of an earlier keeper is ended."""
STOP_LIMIT = 5.0
"""Seconds between SIGTERM and SIGKILL."""
_LOG = logging.getLogger(__name__)

_CAUSES = (
    (
        r"No space left on device|Disk quota exceeded",
        "The disk that holds {dir} is full. Free some space and start again.",
    ),
    (
        r"Read-only file system|Permission denied|Operation not permitted",
        "{dir} cannot be written. Make it writable, or set OPS_DATA_DIR to another folder.",
    ),
    (
        r"Can't handle RDB format|file format version",
        "{dir} was written by a newer server than {binary}. Use that one again: see `which valkey-server`.",
    ),
    (
        r"Bad file format|Invalid AOF manifest|Unable to obtain the AOF|AOF loading aborted",
        (
            "The append-only file in {dir}/appendonlydir is damaged. Repair it with `valkey-check-aof --fix` "
            "or move that folder aside: the ledger then starts empty, and the next audit finds earlier "
            "changes by their names."
        ),
    ),
)


class ServerProcess:
    """A server that answers."""

    def __init__(self, state: StateDir, info: ServerInfo, child: Child | None) -> None:
        self._state = state
        self._child = child
        self.info = info

    @property
    def adopted(self) -> bool:
        """Whether it was there before this process."""
        return self._child is None

    @classmethod
    def start_or_adopt(cls, state: StateDir) -> ServerProcess:
        """The data directory's server. Raises OpsError naming the path and the remedy."""
        lock = state.lock(state.server_lock)
        try:
            if not lock.exclusive():
                adopted = _adopt(state)
                if adopted:
                    return cls(state, adopted, None)
                _end_the_silent_one(state, lock)
            return cls(state, *_start(state, lock))
        finally:
            lock.close()

    def running(self) -> bool:
        """Whether it still runs."""
        if self._child is not None:
            return self._child.poll() is None
        return self.info.process is not None and self.info.process.alive()

    def stop(self) -> None:
        """Stop it: it writes what it has, then ends; killed if that takes too long."""
        process = self.info.process
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            process.signal(number)
            if _until(lambda: not self.running(), STOP_LIMIT):
                return


def _start(state: StateDir, lock: StackLock) -> tuple[ServerInfo, Child]:
    found = find_server()
    socket = state.socket_folder() / "s.sock"
    conf = state.run / "server.conf"
    state.write(conf, configuration(socket))
    seen = state.log_size("server")
    child = spawn(
        [found.binary, str(conf)],
        cwd=state.server,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        log=state.log("server"),
        pass_fds=(lock.fd,),
    )
    try:
        info = found.model_copy(update={"socket": str(socket), "process": ProcessId.of(child.pid)})
        write_server(state, info)
        _wait_for_answer(state, info, child, seen)
    except BaseException:
        child.terminate(1)
        raise
    return info, child


def _wait_for_answer(state: StateDir, info: ServerInfo, child: Child, seen: int) -> None:
    started = time.monotonic()
    while True:
        answer = ask(info.socket)
        if isinstance(answer, dict):
            return
        if child.poll() is not None:
            raise OpsError(why_it_failed(state.tail("server", after=seen), state, info.binary))
        limit = LOAD_LIMIT if answer == "loading" else START_LIMIT
        if time.monotonic() - started > limit:
            raise OpsError(f"The server {info.binary} does not answer after {limit:g} s; see {state.log('server')}.")
        time.sleep(0.01)


def _adopt(state: StateDir) -> ServerInfo | None:
    """The server that holds the lock, if it answers and its data are ours."""
    socket = str(state.socket())
    answer: dict[str, Any] | str = ""

    def answered() -> bool:
        nonlocal answer
        answer = ask(socket)
        return isinstance(answer, dict)

    _until(answered, ADOPT_LIMIT)
    if answer == "loading":
        _until(answered, LOAD_LIMIT)
    if not isinstance(answer, dict) or answer["dir"] != str(state.server):
        return None
    valkey = answer.get("server_name") == "valkey"
    binary = answer.get("executable", "")
    return ServerInfo(
        binary=binary,
        product="Valkey" if valkey else "Redis",
        version=answer["valkey_version" if valkey else "redis_version"],
        origin=origin_of(binary),
        socket=socket,
        process=ProcessId.of(int(answer["process_id"])),
    )


def _end_the_silent_one(state: StateDir, lock: StackLock) -> None:
    """A server holds the data but does not answer: end it, if it is the one that we started."""
    last = read_server(state)
    process = last.process if last else None
    _LOG.warning("the server of an earlier keeper does not answer and is ended")
    for numbers in ((signal.SIGTERM, signal.SIGCONT), (signal.SIGKILL,)):
        for number in numbers:
            if process is not None:
                process.signal(number)
        if _until(lock.exclusive, STOP_LIMIT / 2):
            return
    raise OpsError(
        f"A server that does not answer holds {state.server_lock}. "
        f"End it (`fuser {state.server_lock}` names it) and start again."
    )


def ask(socket: str) -> dict[str, Any] | str:
    """INFO's server section and `dir`, or why not: `loading`, or `` for no answer."""
    client = redis.Redis(unix_socket_path=socket, socket_timeout=1, retry=Retry(NoBackoff(), 0))
    try:
        client.ping()  # INFO and CONFIG are answered while the file is being read; this one is refused
        info: dict[str, Any] = dict(client.info("server"))
        info["dir"] = client.config_get("dir").get("dir")
        return info
    except redis.BusyLoadingError:
        return "loading"
    except (redis.RedisError, OSError):
        return ""
    finally:
        client.close()


def why_it_failed(said: str, state: StateDir, binary: str) -> str:
    """The server's last words, as one sentence with a remedy."""
    for pattern, text in _CAUSES:
        if re.search(pattern, said):
            return text.format(dir=state.server, binary=binary)
    last = said.strip().splitlines()[-1:] or ["it said nothing"]
    return f"The server {binary} did not start: {last[0]}. Its log is {state.log('server')}."


def _until(happens: Any, limit: float) -> bool:
    deadline = time.monotonic() + limit
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
