"""Messages to agents at work, on real workers: said into a session, or an interruption that costs no attempt."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.core.task import Mode
from ops_orchestrate.engine.send import send
from ops_orchestrate.errors import OpsError, UsageError
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, requested, standing, work
from tests.repos import found, read

pytestmark = pytest.mark.real

#: Works until it finds the message in its brief; cannot be told anything while it runs.
SCRIPT = """\
#!/bin/sh
if grep -q "Use V2" "$OPS_BRIEF"; then
    grep "source: message" "$OPS_BRIEF" > src/told.txt
else
    echo begun > src/begun.txt; git add -A; git commit -qm "Begin"; echo more > src/more.txt
    while :; do sleep 0.1; done
fi
git add -A; git commit -qm "Go on"
echo '{"status": "done", "summary": "told"}' > "$OPS_REPORT"
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    home = tmp_path_factory.mktemp("steering")
    script = home / "deaf.sh"
    script.write_text(SCRIPT)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    with standing(home, OPS_AGENT_COMMAND=str(script)) as rig:
        rig.start()
        yield rig


@pytest.fixture(autouse=True)
def _own(house: Rig, request: pytest.FixtureRequest) -> None:
    house.repository(request.node.originalname.replace("_", "-")[5:35].strip("-"))


def running(house: Rig, run: str, task: str) -> None:
    """Its agent has its brief: what is sent from now on is said to it."""
    house.until(lambda: bool(told(house.events(run), EventKind.EVIDENCE, task)), 20, f"{task} to start")


def told(events: list[Event], kind: EventKind, task: str) -> list[dict[str, object]]:
    return [event.data for event in events if event.kind is kind and event.task == task]


def test_a_running_agent_is_told_at_once(house: Rig) -> None:
    listens = [{"copy_mail": {"field": "hand_over", "seconds": 30}}]
    house.play({"hears": [[*listens, *work("hears")[:-1], {"report": {"summary": "heard"}}]]})
    run = house.submit([requested("hears", house.newest)])
    running(house, run, "hears")
    sent = send(run, "hears", "Schema changed: use V2 <!-- or else -->", by="ana", tools=house.tools)
    assert (sent.number, sent.running) == (1, True)
    events = house.finish(run)
    assert told(events, EventKind.MESSAGE_DELIVERED, "hears") == [{"number": 1, "how": "session"}]
    heard = house.ledger.attempts.outcome_of(run, "hears", 1, Stage.IMPLEMENT)
    assert heard is not None
    assert "message 1, person from ana" in heard.hand_over
    assert "Schema changed: use V2 [a hidden comment was left out]" in heard.hand_over
    assert house.task(run, "hears").attempt == 1
    assert violations(events) == []
    with pytest.raises(OpsError, match="its work is merged"):
        send(run, "hears", "late", by="ana", tools=house.tools)


def test_a_deaf_agent_is_interrupted_and_goes_on(house: Rig) -> None:
    run = house.submit([requested("deaf", house.newest)], agent="command")
    running(house, run, "deaf")
    house.until(lambda: bool(found(house.home / "data", "more.txt")), 20, "its second file")
    send(run, "deaf", "Use V2.", by="ana", tools=house.tools)
    events = house.finish(run)
    task = house.task(run, "deaf")
    assert (task.state, task.attempt, task.spent) == (TaskState.COMPLETED, 2, 1)
    ends = told(events, EventKind.ATTEMPT_ENDED, "deaf")
    assert [end["outcome"] for end in ends] == ["redirected", "succeeded"]
    assert told(events, EventKind.MESSAGE_DELIVERED, "deaf") == [{"number": 1, "how": "brief"}]
    bare = house.upstream.bare
    assert read(bare, "dev", "src/begun.txt") == "begun"
    assert read(bare, "dev", "src/more.txt") == "more"
    assert "message 1, person from ana" in read(bare, "dev", "src/told.txt")
    assert violations(events) == []


def test_a_task_that_waits_finds_it_in_its_brief(house: Rig) -> None:
    waits = [{"copy_brief": {"field": "hand_over"}}, *work("waits")[:-1], {"report": {"summary": "read"}}]
    house.play({"first": [work("first", seconds=1)], "waits": [waits]})
    tasks = [requested("first", house.newest), requested("waits", house.newest, blocked_by=["first"])]
    run = house.submit(tasks)
    running(house, run, "first")
    sent = send(run, "waits", "Mind the header.", by="ana", tools=house.tools)
    assert (sent.running, "stands in its next brief" in sent.text) == (False, True)
    events = house.finish(run)
    heard = house.ledger.attempts.outcome_of(run, "waits", 1, Stage.IMPLEMENT)
    assert heard is not None
    assert told(events, EventKind.MESSAGE_DELIVERED, "waits") == [{"number": 1, "how": "brief"}]
    assert violations(events) == []


def test_what_cannot_be_sent_is_said(house: Rig, tmp_path: Path) -> None:
    house.play({"quick": [work("quick", seconds=1)]})
    run = house.submit([requested("quick", house.newest)])
    running(house, run, "quick")
    with pytest.raises(UsageError, match="empty"):
        send(run, "quick", " \x07 ", by="ana", tools=house.tools)
    with pytest.raises(UsageError, match="at most"):
        send(run, "quick", "x" * 5_000, by="ana", tools=house.tools)
    house.finish(run)


def test_a_silent_member_is_asked_whether_it_is_stuck_and_a_subagent_is_stopped(tmp_path: Path) -> None:
    """The seed's stall protocol, by the mode: both hang until they are told something."""
    hangs = [{"copy_mail": {"field": "hand_over", "seconds": 60}}]
    limits = {"OPS_STALL_AFTER": "2", "OPS_NUDGE_WAIT": "20", "OPS_START_LIMIT": "2", "OPS_MAX_ATTEMPTS": "1"}
    with standing(tmp_path, ("one", "two"), **limits) as rig:
        rig.play({"*": [[{"say": {"text": "begun"}}, *hangs, *work("any")]]})
        rig.start()
        member = rig.submit([requested("m", "one")], mode=Mode.TEAMS)
        subagent = rig.submit([requested("s", "two")], mode=Mode.SUBAGENTS)
        asked, stopped = rig.finish(member), rig.finish(subagent)
        assert rig.task(member, "m").state is TaskState.COMPLETED, "it answered"
    (check,) = told(asked, EventKind.MESSAGE_DELIVERED, "m")
    assert (check["how"], check["topic"]) == ("session", "status-check")
    assert str(check["text"]).startswith("Status check — are you stuck?")
    assert told(stopped, EventKind.MESSAGE_DELIVERED, "s") == []
    (end,) = told(stopped, EventKind.ATTEMPT_ENDED, "s")
    assert end["outcome"] == "stalled"
