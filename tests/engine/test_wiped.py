"""The server loses all it has while an agent is at work: no second one beside it, nothing merged twice or lost."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import redis

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.errors import UnknownRun
from tests.engine.rig import Rig, requested, work
from tests.repos import found, git

pytestmark = pytest.mark.real

HALF_DONE = [{"write": {"path": "half.txt", "text": "half\n"}}, {"sleep": {"seconds": 600}}]


def begun(rig: Rig, run: str) -> bool:
    return EventKind.SLOT_TAKEN in [event.kind for event in rig.events(run)]


def test_an_agent_of_a_forgotten_run_ends_before_another_begins(tmp_path: Path, server_url: str) -> None:
    rig = Rig.build(tmp_path, server_url, OPS_LEASE="15")
    rig.play({"one": [HALF_DONE], "*": [work("any")]})
    try:
        rig.start()
        first = rig.submit([requested("one")])
        rig.until(lambda: bool(found(tmp_path, "half.txt")), 60, "the agent to write")
        (tree,) = (path.parent for path in found(tmp_path, "half.txt"))
        old = set(rig.agents())
        rig.start_host("other", "agent")
        rig.kill("agent", signal.SIGSTOP)  # it cannot notice, and not end its agent
        redis.Redis.from_url(server_url).flushall()
        rig.play({"*": [work("one", path="whole.txt")]})
        second = rig.submit([requested("one")])
        rig.until(lambda: begun(rig, second), 60, "the second agent to be admitted")
        assert not old & set(rig.agents()), "two agents in one repository"
        rig.kill("agent")
        rig.finish(second)
    finally:
        rig.close()
    assert rig.task(second, "one").state is TaskState.COMPLETED, rig.story()
    with pytest.raises(UnknownRun):
        rig.ledger.runs.get(first)
    subjects = git("log", "--format=%s", "dev", cwd=rig.upstream.bare)
    assert subjects.count("Do one") == 1
    assert (tree / "half.txt").read_text() == "half\n", "what it left is on the disk for whoever looks"
