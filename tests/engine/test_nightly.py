"""A night on real workers: one run whatever beats do, one digest to a real endpoint, also of a night without work."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.notify import tell
from ops_orchestrate.celery import app
from ops_orchestrate.core.night import last_night, read_time, run_of
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.states import RUN_OPEN, RunState
from ops_orchestrate.core.task import Mode
from tests.engine.rig import GATE, Rig, standing, work
from tests.repos import read
from workers.night import look

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


class Ear(ThreadingHTTPServer):
    """A messenger's endpoint: keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.down = 0
        """So many messages it does not take."""
        told, ear = self.told, self

        class Listen(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                ear.down -= 1
                if ear.down < 0:
                    told.append(said)
                self.send_response(503 if ear.down >= 0 else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        super().__init__(("127.0.0.1", 0), Listen)

    @property
    def address(self) -> str:
        """As apprise reads it; the path stands for a messenger's token."""
        return f"json://127.0.0.1:{self.server_port}/s3cr3t-path"


@pytest.fixture
def ear() -> Iterator[Ear]:
    with Ear() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(60)


@contextmanager
def night(home: Path, ear: Ear, flags: str, **env: str) -> Iterator[Rig]:
    """An installation whose night began a minute ago."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    more = {"OPS_NIGHTLY": f"{began:%H:%M}", "OPS_NIGHTLY_FLAGS": flags, "OPS_NOTIFY": ear.address, **env}
    with standing(home, ("app",), **more) as rig:
        entry = {"alias": "app", "paths": [str(rig.upstream.checkout)], "ops": {"gate": GATE, "promote": False}}
        (home / "data").mkdir(exist_ok=True)
        (home / "data" / "registry.json").write_text(json.dumps({"projects": [entry]}))
        yield rig


def beats(times: int) -> None:
    """What so many beats send in the same minute, as each of them does."""
    for _ in range(times):
        app.send_task("planner.nightly", queue="planner", expires=60)


def test_one_night_one_run_one_digest(tmp_path: Path, ear: Ear) -> None:
    tasks = tmp_path / "tasks.json"
    tasks.write_text(json.dumps({"tasks": [{"id": "mend", "project": "app", "title": "Mend it"}]}))
    with night(tmp_path, ear, f"--subagents --force --tasks {tasks}", OPS_PLANNER_HELP="attended") as rig:
        rig.play({"mend": [work("mend")]})
        rig.start()
        rig.start_host("second", "planner", OPS_DATA_DIR=rig.env["OPS_DATA_DIR"])
        beats(8)
        rig.until(lambda: len(rig.ledger.runs.list()) > 0, 30, "the night to begin")
        (run,) = rig.ledger.runs.list()
        assert (run.request.night, run.request.requested_by, run.request.force) == (
            run.id.removeprefix("night-"),
            "nightly",
            True,
        )
        assert not run.request.planner_help, "nobody is attending a night"
        rig.finish(run.id, 90)
        beats(8)
        rig.until(lambda: len(ear.told) > 0, 30, "the digest")
        beats(4)
        rig.until(rig.settled_messages, 30, "the last beats to be heard")
        assert [one.id for one in rig.ledger.runs.list()] == [run.id]
        assert read(rig.upstream.bare, "dev", "src/mend.txt") == "mend"
        (told,) = ear.told
        assert told["title"] == "ops-orchestrate: 1 task done, 0 waiting for you"
        for part in ("- mend: Mend it", "Cost: ", f"report {run.id}"):
            assert part in told["message"]
        logs = "".join(path.read_text() for path in rig.home.glob("*.log"))
        assert "s3cr3t-path" not in logs


def test_a_night_that_found_nothing_says_so(tmp_path: Path, ear: Ear) -> None:
    with night(tmp_path, ear, "") as rig:
        rig.start("planner", "audit")
        beats(1)
        rig.until(lambda: any(run.state not in RUN_OPEN for run in rig.ledger.runs.list()), 60, "the night to end")
        assert [run.state for run in rig.ledger.runs.list()] == [RunState.DONE]
        beats(1)
        rig.until(lambda: len(ear.told) > 0, 30, "the digest")
        (told,) = ear.told
        assert told["title"] == "ops-orchestrate: nothing to do, 0 waiting for you"
        assert "The audit of 1 project found no work." in told["message"]


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # apprise's own import
def test_a_night_that_nobody_was_there_for_is_told_once_after_one_that_ran(tmp_path: Path, ear: Ear) -> None:
    """The machine slept from before it began until seven hours later."""
    began = datetime.now(UTC) - timedelta(hours=7)
    with night(tmp_path, ear, "--subagents --no-main", OPS_NIGHTLY=f"{began:%H:%M}") as rig:
        assert look(rig.tools) == "nothing due", "it may have been set up today"
        before = f"{began - timedelta(days=1):%Y-%m-%d}"
        request = RunRequest(portfolio=rig.portfolio("app"), mode=Mode.SUBAGENTS, agent="scripted", night=before)
        rig.ledger.runs.begin(run_of(before), request, host="rig", parts=[])
        rig.ledger.runs.finish(run_of(before), RunState.DONE, "nothing to do")
        missed = f"missed night-{began:%Y-%m-%d}"
        assert [look(rig.tools) for _ in range(3)] == [missed] * 3
        of_before, told = ear.told
        assert of_before["title"].startswith("ops-orchestrate: nothing to do")
        assert told["title"] == "ops-orchestrate: the nightly did not run"
        assert told["message"].endswith("$ ops-orchestrate run --subagents --no-main")


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
def test_two_missed_nights_in_a_row_are_told_where_one_ran_within_a_week(tmp_path: Path, ear: Ear) -> None:
    began = datetime.now(UTC) - timedelta(hours=7)
    with night(tmp_path, ear, "", OPS_NIGHTLY=f"{began:%H:%M}") as rig:
        for back, said in ((8, "nothing due"), (2, f"missed night-{began:%Y-%m-%d}")):
            ran = f"{began - timedelta(days=back):%Y-%m-%d}"
            request = RunRequest(portfolio=rig.portfolio("app"), mode=Mode.SUBAGENTS, agent="scripted", night=ran)
            rig.ledger.runs.begin(run_of(ran), request, host="rig", parts=[])
            rig.ledger.runs.finish(run_of(ran), RunState.DONE, "nothing to do")
            assert look(rig.tools) == said, f"the last night that ran was {back} days before"
        (told,) = ear.told
        assert told["title"] == "ops-orchestrate: the nightly did not run"


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
def test_what_strangers_wrote_is_text_also_to_whom_html_is_sent(ear: Ear) -> None:
    """Mail is, unless its address says otherwise: a task's title could bring a link, or a picture that calls home."""
    tell([f"{ear.address}?format=html"], title="done", body='<a href="http://evil.test">Mend it</a>')
    (told,) = ear.told
    assert "&lt;a" in told["message"] and "<a" not in told["message"]


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
def test_who_was_not_reached_is_told_later_and_nobody_is_told_twice(tmp_path: Path, ear: Ear) -> None:
    """One messenger is down for two messages, one takes them all, one address is wrong for good."""
    with Ear() as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.05,))
        thread.start()
        whom = f"{other.address} nonsense {ear.address}"
        ear.down = 2
        with night(tmp_path, ear, "--hybrid --teams", OPS_NOTIFY=whom, OPS_LEASE="0.2", OPS_HEARTBEAT="0.05") as rig:
            rig.until(lambda: look(rig.tools) == "not begun" and len(ear.told) == 1, 30, "the third message")
            tried = rig.ledger.locks
            newest, _ = last_night(read_time(rig.env["OPS_NIGHTLY"]), UTC, rig.ledger.now())
            marks = [f"told:{run_of(newest)}:not-begun:2:{number}" for number in range(1, 5)]
            rig.until(lambda: look(rig.tools) == "not begun" and all(map(tried.holder, marks)), 30, "the last try")
            assert [look(rig.tools) for _ in range(3)] == ["not begun"] * 3
        other.shutdown()
        thread.join()
    assert (len(ear.told), len(other.told)) == (1, 1)


def test_a_night_that_cannot_begin_is_told_once(tmp_path: Path, ear: Ear) -> None:
    with night(tmp_path, ear, "--hybrid --teams") as rig:
        rig.start("planner")
        beats(3)
        rig.until(lambda: len(ear.told) > 0 and rig.settled_messages(), 30, "the words")
        (told,) = ear.told
        assert told["title"] == "ops-orchestrate: the nightly did not begin"
        assert "contradict each other" in told["message"]
        assert rig.ledger.runs.list() == []
