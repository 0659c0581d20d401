"""The start of foreign code: a fork, limits, a session of its own, and then another program.

Standard library only, because the supervisor script loads it too. `os.fork` is safe there: that process has
one thread. What is started dies with the process that started it (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from ops_orchestrate.adapters.proctree import STACK

_PDEATHSIG, _SUBREAPER = 1, 36  # prctl's numbers


class Spec(NamedTuple):
    """What the first line says."""

    argv: list[str]
    cwd: str
    log: str
    log_limit: int
    record: str
    marker: str
    """`NAME=value` as it stands in the environment of the agent's processes."""
    seconds: float
    beat_seconds: float
    grace: float
    stdin: str = os.devnull
    messages: str = ""
    wrapped: int = 0
    """How many processes of the sandbox stand between us and the agent; only SIGKILL goes to them."""
    memory: int = 0
    processes: int = 0
    file_size: int = 0
    open_files: int = 0
    disk: int = 0
    """Bytes that `folders` may hold together; 0: any."""
    folders: tuple[str, ...] = ()
    beaten_at: float = 0.0
    """CLOCK_BOOTTIME of the first beat; 0: the start."""
    talk: bool = False
    """Its input is a pipe that begins with what is in `stdin` and stays open."""
    groups: str = ""
    """Where control groups can be made; empty: nowhere."""
    groups_hold: tuple[str, ...] = ()
    farewell: str = ""
    """With `talk`: the line that asks it to stop, said in place of SIGINT."""


class Started(NamedTuple):
    """What has been started: its pid, the pipe of its output, its input (-1: a file), why it could not be started."""

    pid: int
    output: int
    input: int
    problem: str


def start(spec: Spec, join: str = "") -> Started:
    """Fork and execute the agent. `join`: the list of a control group's processes that it goes into first."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    in_read, in_write = os.pipe() if spec.talk else (-1, -1)
    ours = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(spec, libc, ours, (in_read, out_write, err_write), join)
    for end in (out_write, err_write, *([in_read] if spec.talk else [])):
        os.close(end)
    os.set_blocking(out_read, False)
    with os.fdopen(err_read, "rb") as channel:
        problem = channel.read().decode(errors="replace")
    return Started(pid, out_read, in_write, problem)


def _become(spec: Spec, libc: ctypes.CDLL, parent: int, pipes: tuple[int, int, int], join: str) -> NoReturn:
    """In the child: limits, files, a session of its own, then the agent's program. Never returns."""
    source, output, problem = pipes
    try:
        os.setsid()
        libc.prctl(_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)  # the parent died between the fork and the line above
        if join:
            Path(join).write_text("0")
        _limit(spec, counted=bool(join) and "pids" in spec.groups_hold)
        os.dup2(source if spec.talk else os.open(spec.stdin, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python ignores some, and what is ignored is inherited
        os.environ.pop(STACK, None)  # ours alone: it names the state directory
        os.chdir(spec.cwd)
        os.execvp(spec.argv[0], spec.argv)  # noqa: S606 - an argument list, never a shell
    except OSError as error:
        os.write(problem, f"{error.filename or spec.argv[0]}: {error.strerror}".encode())
    finally:
        os._exit(127)


def _limit(spec: Spec, *, counted: bool) -> None:
    """Limits of one process, inherited by all below it. `counted`: its control group counts the processes.

    RLIMIT_NPROC counts the processes of a *user*, and root is exempt: the supervisor's count holds for both.
    RLIMIT_AS is not used: programs with a just-in-time compiler reserve far more address space than memory.
    """
    wanted = [(resource.RLIMIT_CORE, 0)]
    if spec.file_size:
        wanted.append((resource.RLIMIT_FSIZE, spec.file_size))
    if spec.open_files:
        wanted.append((resource.RLIMIT_NOFILE, spec.open_files))
    if spec.processes and os.getuid() != 0 and not counted:
        wanted.append((resource.RLIMIT_NPROC, spec.processes))
    for kind, value in wanted:
        hard = resource.getrlimit(kind)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (limit, limit))
    with suppress(OSError):  # the kernel's out-of-memory killer takes the agent before the worker
        Path("/proc/self/oom_score_adj").write_text("500")
