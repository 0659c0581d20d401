"""The project's own quality command, run in the sandbox in a clean checkout, and what its end means.

Even an honest gate runs code that an agent wrote, so it gets what an agent gets: no credentials, no network
unless the owner gave it, limits, and a supervisor. The command comes from the owner's registry alone; this
file never takes one from a repository, a task or an agent.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import time
from pathlib import Path
from uuid import uuid4

from ops_orchestrate.adapters import scratch
from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.adapters.proctree import MARK
from ops_orchestrate.adapters.sandbox import SandboxSpec, confine
from ops_orchestrate.adapters.supervised import Exit, Supervised, Watch, supervise
from ops_orchestrate.adapters.waysout import WaysOut
from ops_orchestrate.config import Settings
from ops_orchestrate.core.change import GateEnd, GateResult
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import SandboxUnavailable

_GATE_LIMIT = 100_000  # the kernel takes no longer argument
_KEPT_LOGS = 20
_LOOK_EVERY = 0.05
_BEAT_EVERY = 1.0
_NOTHING = re.compile(
    r"\bRan 0 tests\b|\bno tests ran\b|\bcollected 0 items\b|\bno tests? (?:were )?found\b"
    r"|\brunning 0 tests\b|\[no test files\]|\b0 passing\b|\b0 tests? executed\b",
    re.IGNORECASE,
)
_SOMETHING = re.compile(
    r"\bRan [1-9]\d* tests?\b|\b[1-9]\d* pass(?:ed|ing)\b|\brunning [1-9]\d* tests?\b|^ok\s+\S+", re.MULTILINE
)
_NO_OPERATION = re.compile(r"\s*(?:true|:|/bin/true|/usr/bin/true|exit(?:\s+0)?|#[^\n]*)?\s*;?\s*")
_MISSING = re.compile(r"(?:line \d+: |sh: \d+: )(.{1,200}?): (?:command )?not found")


class SandboxedGates:
    """Runs gates. Logs are kept in `STATE/gate-logs`, the newest few of each repository."""

    def __init__(self, settings: Settings, state_dir: Path | None = None) -> None:
        """`state_dir` elsewhere than the settings say only for a dry run."""
        self._settings = settings
        self._state = state_dir or settings.state_dir

    def run(self, repo: Repository, tree: Path, *, network: bool = False, stop: object | None = None) -> GateResult:
        """Run the gate of `repo` in `tree`. `stop`, a threading.Event, ends it early as UNAVAILABLE."""
        gate = (repo.gate or "").strip()
        if not gate:
            return GateResult(end=GateEnd.NO_GATE)
        if len(gate.encode()) > _GATE_LIMIT or "\0" in gate:
            return _unavailable("The gate is longer than 100 kB or holds a NUL: shorten it in the registry.")
        self._state.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="gate-", dir=self._state))
        try:
            return self._run(gate, repo, tree, folder, network=network or repo.gate_network, stop=stop)
        except SandboxUnavailable as error:
            return _unavailable(str(error))
        except OSError as error:
            return _unavailable(f"The gate could not be started: {error.strerror}.")
        finally:
            remove(folder)

    def _run(
        self, gate: str, repo: Repository, tree: Path, folder: Path, *, network: bool, stop: object | None
    ) -> GateResult:
        box = scratch.fresh(folder / "box", "home", "tmp")
        mark = f"gate-{uuid4().hex}"
        env = {"CI": "1", "HOME": str(box / "home"), "TMPDIR": str(box / "tmp"), MARK: mark}
        reads = git_folders(tree, self._state)
        ways = WaysOut(folder / "doors", self._settings, network=network, hosts=repo.gate_hosts)
        spec = SandboxSpec(tree, (tree, box), (*reads, *ways.reads), env | ways.env, network, ways.doors)
        watch = Watch(
            folder=folder / "watch",
            mark=mark,
            cwd=tree,
            seconds=min(repo.gate_seconds, self._settings.gate_timeout),
            beat_seconds=self._settings.lease * 2 / 3,
            grace=min(self._settings.grace, 2.0),
        )
        try:
            confined = confine([_shell(), "-c", gate], spec, self._settings)
            supervised = supervise(confined, watch, self._settings)
            ended = _wait(supervised, stop)
        finally:
            ways.close()
        tail = supervised.tail(16_000)
        end, words = judge(ended, tail, gate)
        return GateResult(
            end=end,
            exit_code=ended.exit_code,
            seconds=ended.seconds,
            log_tail="\n".join(filter(None, (words, tail[-8_000:]))),
            log_path=str(self._keep_log(supervised.log, repo)),
            unsandboxed=confined.unsandboxed,
            unlisted=ways.unlisted,
        )

    def _keep_log(self, log: Path, repo: Repository) -> Path | str:
        if not log.exists():
            return ""
        folder = self._state / "gate-logs" / repo.key
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{time.time_ns()}.log"
        log.replace(kept)
        for old in sorted(folder.glob("*.log"))[:-_KEPT_LOGS]:
            old.unlink(missing_ok=True)
        return kept


def _wait(supervised: Supervised, stop: object | None) -> Exit:
    """Beat until it has ended, in whatever way."""
    beat_at = 0.0
    try:
        while (ended := supervised.poll()) is None:
            if isinstance(stop, threading.Event) and stop.is_set():
                supervised.stop("kill")
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + _BEAT_EVERY
                supervised.beat()
            time.sleep(_LOOK_EVERY)
    except BaseException:  # a worker's shutdown passes through here: nothing of the gate outlives it
        supervised.stop("kill")
        raise
    return ended


def judge(ended: Exit, text: str, gate: str) -> tuple[GateEnd, str]:
    """What the end of a gate means, and a sentence where its own output does not say it."""
    if ended.reason == "time-limit":
        return GateEnd.TIMED_OUT, "The gate was over its time limit."
    if ended.reason != "exited":
        return _refused(ended)
    if ended.exit_code in (126, 127):
        missing = _MISSING.search(text)
        what = missing.group(1) if missing else gate.splitlines()[0][:200]
        return GateEnd.UNAVAILABLE, f"The gate's command cannot be run here: {what}"
    if ended.exit_code == 0 and _NO_OPERATION.fullmatch(gate):
        return GateEnd.NO_TESTS, "The gate is a command that does nothing."
    ran_nothing = _NOTHING.search(text) is not None and _SOMETHING.search(text) is None
    if ended.exit_code in (0, 5) and ran_nothing:  # 5: pytest's and unittest's own code for it
        return GateEnd.NO_TESTS, "The gate says itself that it ran no tests."
    return (GateEnd.PASSED if ended.exit_code == 0 else GateEnd.FAILED), ""


def _refused(ended: Exit) -> tuple[GateEnd, str]:
    """It did not come to an end of its own."""
    if ended.reason == "memory":
        return GateEnd.FAILED, "The gate used more memory than OPS_SANDBOX_MEMORY_MB allows."
    if ended.reason == "processes":
        return GateEnd.FAILED, "The gate started more processes than OPS_SANDBOX_PROCESSES allows."
    if ended.reason == "disk":
        return GateEnd.FAILED, "The gate filled its folders with more than OPS_SANDBOX_DISK_MB allows."
    if ended.reason in ("interrupted", "killed"):
        return GateEnd.UNAVAILABLE, "The gate was stopped before it had ended."
    return GateEnd.UNAVAILABLE, f"The gate could not be run: {ended.reason}. {ended.detail}".strip()


def git_folders(tree: Path, state_dir: Path) -> tuple[Path, ...]:
    """The git folder that a worktree belongs to, to be readable for the gate; only if it is ours."""
    try:
        text = (tree / ".git").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # no repository, or a folder of its own inside the tree
        return ()
    folder = Path(text.removeprefix("gitdir:").strip())
    common = folder.parent.parent if folder.parent.name == "worktrees" else folder
    inside = common.is_absolute() and common.resolve().is_relative_to(state_dir.resolve())
    return (common,) if inside else ()


def _shell() -> str:
    return shutil.which("bash", path="/usr/bin:/bin") or "/bin/sh"


def _unavailable(words: str) -> GateResult:
    return GateResult(end=GateEnd.UNAVAILABLE, log_tail=words)
