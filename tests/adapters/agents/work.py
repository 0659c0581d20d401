"""Agents at work on a real repository: what the tests of both kinds share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ops_orchestrate.adapters.agents import CommandAgent, ScriptedAgent, player
from ops_orchestrate.adapters.process import kill_marked
from ops_orchestrate.adapters.proctree import MARK
from ops_orchestrate.core.agent import AgentJob, AgentResult
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.ports import Agent, AgentSession
from tests.adapters.foreign import eventually, git, gone, settings

BRIEF = "Fix the parser.\nIt drops the last line: «ünïcode».\n"


def job(folder: Path, **more: Any) -> AgentJob:
    """A job in a fresh repository with one commit."""
    tree = folder / "tree"
    if not tree.exists():
        tree.mkdir(parents=True)
        git(tree, "init", "-q", ".")
        (tree / "a.txt").write_text("one\n")
        git(tree, "add", "a.txt")
        git(tree, "commit", "-qm", "first")
    attempt = more.pop("attempt", 1)
    fields = {
        "key": StageKey(run="r1", task="web-fix-parser", attempt=attempt, fence=abs(hash(str(folder))) + attempt),
        "brief": BRIEF,
        "tree": str(tree),
        "scratch": str(folder / "scratch"),
        "branch": "ops/r1/web-fix-parser",
        "seconds": 60.0,
        "beat_seconds": 30.0,
        "grace_seconds": 0.3,
    }
    return AgentJob(**(fields | more))


def agent(kind: str, folder: Path, steps: list[Any], **more: Any) -> Agent:
    """An agent that does these steps: the scripted one from a playbook, the command as a script of its own."""
    if kind == "scripted":
        playbook = folder / "playbook.json"
        playbook.write_text(json.dumps({"*": [steps]}))
        return ScriptedAgent(settings(folder, playbook=playbook, **more))
    normal = [{step: {}} if isinstance(step, str) else step for step in steps]
    script = folder / "agent.py"
    source = Path(player.__file__).read_text().rpartition('if __name__ == "__main__"')[0]
    script.write_text(f"{source}\nSCRIPT = {normal!r}\nPlayer(sys.stdin.buffer.read().decode()).play(SCRIPT)\n")
    return CommandAgent(settings(folder, agent_command=(sys.executable, "-I", "-S", str(script)), **more))


def finish(session: AgentSession, seconds: float = 15) -> AgentResult:
    """Wait for its end, beating."""

    def ended() -> AgentResult | None:
        session.beat()
        return session.result()

    found = eventually(ended, seconds)
    assert isinstance(found, AgentResult)
    return found


def mark(job: AgentJob) -> str:
    return f"{job.key.run}.{job.key.task}.{job.key.attempt}.{job.key.fence}"


@contextmanager
def leaving_nothing(folder: Path) -> Iterator[None]:
    """What is started on jobs in this folder has ended by the end, or is ended then, and the test fails."""
    begun = mark(job(folder))
    try:
        yield
        assert eventually(partial(gone, begun))
    finally:
        kill_marked(f"{MARK}={begun}")
