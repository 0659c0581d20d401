"""The process beside an agent: it outlives the worker just long enough to leave nothing of the agent.

Started as a script of its own (`python -I -S supervisor.py`), in its own session, with the agent's variables:
a stopped or killed worker cannot stop its agent, so this does. The first line of its standard input says what
to run (JSON, see `Spec`); the next ones are `beat`, `interrupt`, `kill` and `message <json>`, and for a program
that is spoken to on its input `say <line>`, `eof` and `farewell <line>` (its own word for SIGINT, where that is known
only once it runs). The end of that pipe, no beat for too long, the time limit
or a resource limit all start the stop ladder: SIGINT (or the program's own word for it), SIGTERM, and SIGKILL of
every descendant. It is a subreaper: a daemon that forks twice becomes its child and is found.

It loads the standard library and a few small files beside it. It refuses to judge: it writes down how the
process ended (the exit record, atomically) once nothing of it is left.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # started with -I -S: find the package from here, and only after the standard library
    sys.path.append(str(Path(__file__).parents[2]))

from ops_orchestrate.adapters.cgroup import Group, Home
from ops_orchestrate.adapters.diskuse import DiskUse
from ops_orchestrate.adapters.inlet import Inlet
from ops_orchestrate.adapters.launch import Spec, start
from ops_orchestrate.adapters.proctree import Process, descendants, kill_all, send
from ops_orchestrate.adapters.supervisorlog import TAIL, Log

LADDER = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
KILL = len(LADDER) - 1
_TICK = 0.1
_WATCH_EVERY = 0.5
_GIVE_UP = 30.0  # a process in an uninterruptible sleep cannot be killed; say so instead of waiting for ever


class Supervisor:
    """One agent, from its start until nothing of it is left."""

    def __init__(self, spec: Spec, control: int, said: bytes = b"") -> None:
        self.spec = spec
        self.reason = ""
        self._control = control
        self._said = said
        self._log = Log(spec.log, spec.log_limit)
        self._status: int | None = None
        self._rung = -1
        self._climb_at = self._watch_at = 0.0
        self._left = 0
        self._open = {control}
        self._disk = DiskUse(spec.folders)
        self._inlet: Inlet | None = None
        self._group: Group | None = None

    def run(self) -> dict[str, Any]:
        """Start it, mind it, end it; the exit record."""
        started = self._started = now()
        self._beaten = min(started, self.spec.beaten_at or started)
        if started - self._beaten > self.spec.beat_seconds:
            self.reason = "no-beat"  # the owner stood still before it could tell us to start
            self._log.close()
            return self._record(0.0)
        problem = self._begin()
        if problem:
            self._close_group()
            return self._record(0.0, detail=problem)
        self._hear(b"")
        while self._status is None and not self._hopeless():
            for ready in select.select(self._open, self._inlet.waiting if self._inlet else [], [], _TICK)[0]:
                self._read(ready)
            if self._inlet:
                self._inlet.flush()
            self._reap()
            self._judge()
        self._end_group()
        self._left = kill_all(os.getpid(), self.spec.marker)
        self._drain(limit=None)
        self._log.close()
        self._reap()
        self._close_group()
        return self._record(now() - started)

    def _begin(self) -> str:
        """Start it, in a control group of its own where there can be one; why it could not be started."""
        source, problem = self._launch()
        if problem and self._group and self._group.gone():  # somebody tidied up; nothing has run yet
            os.close(self._output)
            if self.spec.talk:
                os.close(source)
            source, problem = self._launch()
        if not problem:
            self._open.add(self._output)
            if self.spec.talk:
                self._inlet = Inlet(source)
                self._inlet.say(Path(self.spec.stdin).read_bytes())
        return problem

    def _launch(self) -> tuple[int, str]:
        """(where to write to it, why it could not be started)."""
        if self.spec.groups:
            home = Home(self.spec.groups, tuple(self.spec.groups_hold))
            self._group = Group.make(home, self.spec.memory, self.spec.processes)
        self._pid, self._output, source, problem = start(self.spec, self._group.procs if self._group else "")
        return source, problem

    def ask(self, reason: str, rung: int = 0) -> None:
        """Begin to stop it, or go on to a higher rung; the first reason is the one that is recorded."""
        self.reason = self.reason or reason
        if rung > self._rung:
            self._climb(rung)

    def _read(self, ready: int) -> None:
        if ready == self._output:
            self._drain(limit=64)
            return
        data = os.read(ready, 65_536)
        if data:
            self._hear(data)
        else:
            self._open.discard(ready)
            self.ask("owner-gone")

    def _hear(self, data: bytes) -> None:
        *lines, self._said = (self._said + data).split(b"\n")
        for line in lines:
            word, _, rest = line.partition(b" ")
            if word == b"beat":
                self._beaten = max(self._beaten, min(now(), _moment(rest)))
            elif word == b"interrupt":
                self.ask("interrupted")
            elif word == b"kill":
                self.ask("killed", KILL)
            elif word == b"message" and self.spec.messages:
                with suppress(OSError), Path(self.spec.messages).open("ab") as channel:
                    channel.write(rest + b"\n")
            elif self._inlet:
                self._pass_on(word, rest, self._inlet)

    def _pass_on(self, word: bytes, rest: bytes, inlet: Inlet) -> None:
        """What is for a program that is spoken to."""
        if word == b"say":
            inlet.say(rest + b"\n")
        elif word == b"eof":
            inlet.close()
        elif word == b"farewell":
            self.spec = self.spec._replace(farewell=rest.decode(errors="replace"))

    def _drain(self, limit: int | None) -> None:
        """Read what is there, at most `limit` pieces: a flood must not keep us from our other duties."""
        while limit is None or limit > 0:
            limit = None if limit is None else limit - 1
            try:
                data = os.read(self._output, 65_536)
            except BlockingIOError:
                return
            if not data:
                self._open.discard(self._output)
                return
            self._log.write(data)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (gone := os.waitpid(-1, os.WNOHANG))[0]:
                if gone[0] == self._pid:
                    self._status = gone[1]

    def _judge(self) -> None:
        if self._rung < 0:
            if now() - self._started > self.spec.seconds:
                self.ask("time-limit")
            elif now() - self._beaten > self.spec.beat_seconds:
                self.ask("no-beat")
        elif now() >= self._climb_at:
            self._climb(min(self._rung + 1, KILL))
        if now() >= self._watch_at:
            self._watch_at = now() + _WATCH_EVERY
            self._watch()

    def _watch(self) -> None:
        """Limits of the whole tree: resource limits are per process, and do not hold for root."""
        tree = [process for _, process in descendants(os.getpid())]
        if self._group and (struck := self._group.struck()):
            self.ask(struck, KILL)
            return
        counted = self._group is not None and "memory" in self._group.holds  # exactly: pages that are shared once
        if self.spec.memory and not counted and sum(process.rss for process in tree) > self.spec.memory:
            self.ask("memory", KILL)
        elif self.spec.processes and len(tree) > self.spec.processes:
            self.ask("processes", KILL)
        elif self.spec.disk and self._disk.look(process.pid for process in tree) > self.spec.disk:
            self.ask("disk", KILL)

    def _climb(self, rung: int) -> None:
        if rung > self._rung and rung == KILL:
            self._kill_since = now()
        self._rung = rung
        self._climb_at = now() + self.spec.grace
        if rung == KILL:
            if self._group:
                self._group.kill()
            kill_all(os.getpid(), self.spec.marker, patience=1.0)
            return
        if rung == 0 and self._inlet and self._inlet.open and self.spec.farewell:
            self._inlet.say(self.spec.farewell.encode() + b"\n")
            self._inlet.close()
            return
        for process in self._heads() if rung == 0 else self._agents():
            send(process.pid, LADDER[rung])

    def _end_group(self) -> None:
        """What it says about the end, and nothing left in it."""
        if self._group:
            self.reason = self.reason or self._group.struck()
            self._group.kill()

    def _close_group(self) -> None:
        if self._group:
            self._group.close()

    def _agents(self) -> list[Process]:
        return [process for depth, process in descendants(os.getpid()) if depth > self.spec.wrapped]

    def _heads(self) -> list[Process]:
        """The agent and its process group, as Ctrl-C in a terminal would reach them."""
        agents = self._agents()
        first = min(agents, key=lambda process: (process.started, process.pid), default=None)  # a bridge comes after it
        return [process for process in agents if first and process.group == first.group]

    def _hopeless(self) -> bool:
        return self._rung == KILL and now() - self._kill_since > _GIVE_UP

    def _record(self, seconds: float, detail: str = "") -> dict[str, Any]:
        code = None if self._status is None else os.waitstatus_to_exitcode(self._status)
        return {
            "reason": "unstarted" if detail else self.reason or "exited",
            "exit_code": code if code is not None and code >= 0 else None,
            "signal": -code if code is not None and code < 0 else None,
            "seconds": round(seconds, 3),
            "log_bytes": self._log.seen,
            "log_cut": self._log.dropped > TAIL,
            "left": self._left,
            "detail": detail,
        }


def _moment(said: bytes) -> float:
    """The time that a beat names; now, where it names none."""
    return float(said) if said else now()


def now() -> float:
    """Seconds, those of a suspended machine included: a lease runs out while a lid is closed."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def write_record(path: str, record: dict[str, Any]) -> None:
    """The exit record, whole or not at all."""
    draft = Path(path + ".new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(record, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def main() -> int:
    """Read the first line, supervise, write the record."""
    said = b""
    while b"\n" not in said:
        data = os.read(0, 65_536)
        if not data:
            return errno.EPIPE  # the owner died before it had said what to do: nothing was started
        said += data
    line, _, rest = said.partition(b"\n")
    supervisor = Supervisor(Spec(**json.loads(line)), 0, rest)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.ask("interrupted"))
    write_record(supervisor.spec.record, supervisor.run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
