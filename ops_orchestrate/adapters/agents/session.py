"""One running agent of the kinds that are plain processes: its start, its signs of life, its end.

It judges how the process ended, never the work: that is for the diff and the gate.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ops_orchestrate.adapters.agents.model import allowed
from ops_orchestrate.adapters.agents.report import ReportError, read_answer, read_report
from ops_orchestrate.adapters.agents.surroundings import environment, filled, mark
from ops_orchestrate.adapters.agents.vitals import TreeWatch, vitals
from ops_orchestrate.adapters.sandbox import Confined, SandboxSpec, confine
from ops_orchestrate.adapters.scratch import fresh
from ops_orchestrate.adapters.supervised import Exit, Supervised, Watch, supervise
from ops_orchestrate.adapters.waysout import ModelAccess, WaysOut
from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import (
    AgentEnd,
    AgentEvent,
    AgentEventKind,
    AgentJob,
    AgentReport,
    AgentResult,
    AgentVitals,
)
from ops_orchestrate.core.modelusage import ModelUsage
from ops_orchestrate.errors import AgentUnavailable

_EVENT_TEXT = 2_000
_LOOK_EVERY = 0.05
_ENDS = {
    "unstarted": AgentEnd.UNSTARTED,
    "interrupted": AgentEnd.STOPPED,
    "killed": AgentEnd.STOPPED,
    "owner-gone": AgentEnd.STOPPED,
    "no-beat": AgentEnd.STOPPED,
    "time-limit": AgentEnd.TIMED_OUT,
    "memory": AgentEnd.CRASHED,
    "processes": AgentEnd.CRASHED,
    "disk": AgentEnd.CRASHED,
    "supervisor-lost": AgentEnd.CRASHED,
}
_WHY = {
    "interrupted": "It was interrupted.",
    "killed": "It was killed.",
    "owner-gone": "Its worker died.",
    "no-beat": "Its worker stopped renewing the lease.",
    "time-limit": "It was over its time limit.",
    "memory": "It used more memory than OPS_SANDBOX_MEMORY_MB allows.",
    "processes": "It started more processes than OPS_SANDBOX_PROCESSES allows.",
    "disk": "It filled its folders with more than OPS_SANDBOX_DISK_MB allows.",
    "supervisor-lost": "Its supervisor died.",
}


@dataclass(frozen=True, slots=True)
class Program:
    """What an agent is, once its settings are understood."""

    argv: tuple[str, ...]
    reads: tuple[Path, ...] = ()
    env: Mapping[str, str] | None = None
    """`{OPS_MODEL_URL}` in a value stands for what that variable holds."""
    mailbox: bool = False
    """Whether it reads the file OPS_MAILBOX, to which messages are appended."""
    model: ModelAccess | None = None
    """The model's API that it reaches without holding the key."""
    opening: str = ""
    """What a program is told first that is spoken to on its input; empty: its input is the brief, and ends."""
    farewell: str = ""
    """With `opening`: the line that asks it to stop, in place of SIGINT."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What its own folder holds when it starts, by path."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A program that runs."""

    supervised: Supervised
    box: Path
    """Its own folder: report, home, temporary files."""
    confined: Confined
    ways: WaysOut
    """Open until its session closes them."""


class ProcessSession:
    """An agent's session over a supervised process."""

    def __init__(self, launched: Launched, job: AgentJob) -> None:
        self._supervised = launched.supervised
        self._task = job.key.task
        self._asked = bool(job.purpose)
        self._outbox = launched.box
        self._confined = launched.confined
        self._ways = launched.ways
        self._files = TreeWatch(Path(job.tree))
        self._result: AgentResult | None = None

    def events(self, timeout: float) -> Sequence[AgentEvent]:
        """What it printed since the last call, waiting up to `timeout` seconds for something."""
        deadline = time.monotonic() + timeout
        while True:
            ended = self._supervised.poll() is not None
            grew, text = self._supervised.output()
            if grew or text:
                return (AgentEvent(kind=AgentEventKind.OUTPUT, text=_end_of(text)),)
            if ended or time.monotonic() >= deadline:
                return ()
            self._supervised.doze(_LOOK_EVERY)

    def message(self, text: str) -> bool | None:
        """Say something to it; False where it has ended, None where its kind can be told nothing."""
        return self._supervised.message(text) if self._supervised.listens else None

    def release(self) -> None:
        """A program that reads its mailbox ends when it wants to."""

    def beat(self, at: float | None = None) -> None:
        """The lease was renewed."""
        self._supervised.beat(at)

    def stop(self, how: Literal["interrupt", "kill"]) -> None:
        """Ask it to end, or kill all of it at once."""
        self._supervised.stop(how)

    def vitals(self) -> AgentVitals:
        """Its processes and files from outside; costs a walk over both."""
        return vitals(self._files, self._supervised.pid, self._confined.wrappers, self._confined.helpers)

    def result(self) -> AgentResult | None:
        """How it ended; None while it runs."""
        if self._result is None and (ended := self._supervised.poll()) is not None:
            self._result = self._read(ended).model_copy(update={"unlisted": self._ways.unlisted})
        return self._result

    def _read(self, ended: Exit) -> AgentResult:
        usage = self._ways.close()
        if usage is None and self._asked and self._ways.nowhere:
            usage = ModelUsage()  # it has no report to say so in
        report, problem = self._report()
        end, detail = judge(ended, report, problem)
        return AgentResult(
            end=end,
            exit_code=ended.exit_code,
            detail=detail + left_behind(ended),
            report=report,
            answer=read_answer(self._outbox) if self._asked else "",
            log_tail=self._supervised.tail(),
            unsandboxed=self._confined.unsandboxed,
            usage=usage,
        )

    def _report(self) -> tuple[AgentReport | None, str]:
        """Its report, or what is wrong with it; who is asked something writes none."""
        if self._asked:
            return None, ""
        try:
            return read_report(self._outbox, self._task), ""
        except ReportError as error:
            return None, str(error)


def _end_of(text: str) -> str:
    """The end of what it printed; a piece that is cut begins at the end of a line, never within one."""
    if len(text) <= _EVENT_TEXT:
        return text
    _, end, whole = text[-_EVENT_TEXT:].partition("\n")
    return end + whole


def left_behind(ended: Exit) -> str:
    """A sentence about what outlived it, for the end of another one."""
    return f" {ended.left} of its processes could not be killed." if ended.left else ""


def not_by_itself(ended: Exit) -> tuple[AgentEnd, str] | None:
    """How it ended where it did not end by itself, and a sentence about it."""
    if ended.reason not in _ENDS:
        return None
    return _ENDS[ended.reason], " ".join(filter(None, (_WHY.get(ended.reason, ""), ended.detail)))


def judge(ended: Exit, report: AgentReport | None, problem: str) -> tuple[AgentEnd, str]:
    """How the process ended, and a sentence about it."""
    if (stopped := not_by_itself(ended)) is not None:
        return stopped
    code = ended.exit_code or 0
    number = ended.signal or (code - 128 if 128 < code < 160 else 0)
    if number:  # bubblewrap, like a shell, turns a signal into 128 + n
        return AgentEnd.CRASHED, f"It was ended by signal {number}."
    if problem:
        return AgentEnd.CRASHED, f"It exited with {code}, but {problem}."
    if code:
        return AgentEnd.FAILED, f"It exited with {code}."
    if report is not None and report.status == "failed":
        return AgentEnd.FAILED, "It reports failure."
    return AgentEnd.DONE, ""


def unstarted(job: AgentJob, error: OSError) -> AgentUnavailable:
    """Why an agent could not be started where it was to work, with the file that is in the way."""
    why = ": ".join(filter(None, (str(error.filename or ""), error.strerror or str(error))))
    return AgentUnavailable(f"The agent could not be started in {job.scratch}: {why}.")


def open_session(program: Program, job: AgentJob, settings: Settings) -> ProcessSession:
    """Start `program` on `job`, in the sandbox, under a supervisor. Raises SandboxUnavailable, AgentUnavailable."""
    return ProcessSession(launch(program, job, settings), job)


def launch(program: Program, job: AgentJob, settings: Settings) -> Launched:
    """Start it; what kind of session it is, is for the caller. Raises SandboxUnavailable, AgentUnavailable."""
    ours = Path(job.scratch)
    try:
        box = fresh(ours / "agent", "home", "tmp")
        for name, data in program.files.items():
            (box / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (box / name).write_bytes(data)
        (ours / "brief.md").write_text(job.brief, encoding="utf-8")
        (ours / "mailbox").write_bytes(b"")
        (ours / "opening").write_text(program.opening, encoding="utf-8")
        ways = WaysOut(
            ours / "doors",
            settings,
            network=settings.agent_network,
            hosts=settings.agent_hosts,
            model=program.model and allowed(program.model, job, settings),
        )
        try:
            confined = confine(program.argv, _spec(program, job, settings, box, ways), settings)
            supervised = supervise(confined, _watch(program, job), settings)
        except BaseException:
            ways.close()
            raise
    except OSError as error:
        raise unstarted(job, error) from error
    return Launched(supervised, box, confined, ways)


def _spec(program: Program, job: AgentJob, settings: Settings, box: Path, ways: WaysOut) -> SandboxSpec:
    """Writable: the box, and the tree but for who is asked something. Brief, mailbox and the supervisor's are ours."""
    ours, tree = Path(job.scratch), Path(job.tree)
    mailbox = [ours / "mailbox"] if program.mailbox else []
    return SandboxSpec(
        cwd=tree,
        write=(box,) if job.purpose else (tree, box),
        read=(
            *([tree] if job.purpose else []),
            *(ours / "brief.md", *mailbox, *map(Path, job.reads), *program.reads, *ways.reads),
        ),
        env=filled(environment(program, job, settings, box), ways.env) | ways.env,
        network=settings.agent_network,
        doors=ways.doors,
    )


def _watch(program: Program, job: AgentJob) -> Watch:
    ours = Path(job.scratch)
    return Watch(
        folder=ours / "watch",
        mark=mark(job),
        cwd=Path(job.tree),
        seconds=job.seconds,
        beat_seconds=job.beat_seconds,
        grace=job.grace_seconds,
        stdin=ours / ("opening" if program.opening else "brief.md"),
        talk=bool(program.opening),
        farewell=program.farewell,
        messages=ours / "mailbox" if program.mailbox else None,
        beaten_at=job.renewed_at,
    )
