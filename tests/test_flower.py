"""The real Flower beside a run: behind its password, on loopback, and its pages say something to a person."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import pytest

from ops_orchestrate.celery import app
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.engine.send import send
from tests.engine.rig import UNHURRIED, Rig, requested, standing, work

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

LOGIN = "ops:correct-horse"
SECRET = "s3cr3t-of-a-service"
#: Somebody opened an issue with this title.
TITLE = f"Mend <img src=x onerror=document.title='owned'> for {SECRET}"
#: What its agent says.
SAID = f"reading <img src=x onerror=document.title='owned'> with {SECRET}"


class Row(NamedTuple):
    """What Flower shows of one job."""

    id: str
    state: str
    args: str
    result: str


class Flower(NamedTuple):
    """A Flower that runs, and the installation that it watches."""

    rig: Rig
    port: int
    pid: int

    def ask(self, path: str, login: str = LOGIN, method: str = "GET") -> httpx.Response:
        """What it answers to this user."""
        user, _, password = login.partition(":")
        auth = (user, password) if login else None
        return httpx.request(method, f"http://127.0.0.1:{self.port}{path}", auth=auth, timeout=20, trust_env=False)

    def get(self, path: str) -> Any:
        """The JSON of a page."""
        answer = self.ask(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def attempt_jobs(self, run: str) -> dict[str, Row]:
        """Name to row of the jobs of a run's attempts."""
        tasks = self.get("/api/tasks?limit=500")
        return {
            one["name"]: Row(id, one["state"], one["args"], one["result"] or "")
            for id, one in tasks.items()
            if one["args"] and f"of run {run}" in one["args"]
        }

    def state(self, run: str, job: str) -> str:
        """The state that it shows for a job of a run's attempt; empty as long as it has not heard of one."""
        row = self.attempt_jobs(run).get(job)
        return row.state if row else ""


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flower]:
    """Server, workers and Flower for the file."""
    with standing(tmp_path_factory.mktemp("flower"), ("app",), A_SERVICE_TOKEN=SECRET, **UNHURRIED) as rig:
        rig.start()
        argv = [sys.executable, "-m", "workers", "flower"]
        process = rig._spawn("flower", argv, OPS_FLOWER_PORT="0", OPS_FLOWER_AUTH=LOGIN)
        rig.workers["flower"] = process
        log = rig.home / "flower.log"
        rig.until(lambda: "Visit me at" in log.read_text(), 40, "Flower to start")
        found = re.search(r"Visit me at http://127\.0\.0\.1:(\d+)", log.read_text())
        assert found, log.read_text()
        yield Flower(rig, int(found[1]), process.pid)


@pytest.mark.parametrize("login", ["", "ops:wrong-password"])
@pytest.mark.parametrize("path", ["/", "/tasks", "/workers", "/api/tasks", "/api/workers"])
def test_nobody_looks_without_the_password(flower: Flower, path: str, login: str) -> None:
    assert flower.ask(path, login).status_code == 401


def test_it_listens_on_loopback_alone_and_its_password_is_in_no_argument(flower: Flower) -> None:
    process = psutil.Process(flower.pid)
    listening = {one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    assert LOGIN.split(":")[1] not in " ".join(process.cmdline())


def test_where_it_cannot_listen_it_says_so_and_what_to_do(flower: Flower) -> None:
    argv = [sys.executable, "-m", "workers", "flower"]
    env = {**flower.rig.env, "OPS_FLOWER_PORT": str(flower.port), "OPS_FLOWER_AUTH": LOGIN}
    done = subprocess.run(argv, env=env, cwd=flower.rig.home, capture_output=True, text=True, timeout=90, check=False)
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, last.partition(":")[0]) == (1, "error")
    assert f"127.0.0.1:{flower.port}: Address already in use" in last and "set OPS_FLOWER_PORT" in last


def test_a_run_can_be_watched_while_its_agent_works(flower: Flower, tmp_path: Path) -> None:
    rig = flower.rig
    says = [{"say": {"text": SAID}}, {"copy_mail": {"field": "hand_over", "seconds": 150}}]
    rig.play({"mend": [[*says, *work("mend")[:-1], {"report": {"summary": "did mend"}}]]})
    run = rig.submit([requested("mend").model_copy(update={"title": TITLE})])
    rig.until(lambda: flower.state(run, "agent.implement") == "WORKING", 60, "the agent to work")
    rig.until(lambda: "reading" in flower.attempt_jobs(run)["agent.implement"].result, 30, "what the agent does now")
    row = flower.attempt_jobs(run)["agent.implement"]
    assert row.args.startswith("mend: Mend <img") and row.args.endswith(f", attempt 1 of run {run}")
    assert row.result.startswith("the agent works: reading <img")
    assert app.backend.get_task_meta(row.id)["status"] == "WORKING"
    assert app.backend.get_task_meta(row.id)["result"] == {"phase": "working", "now": row.result, "about": row.args}
    _page(flower, tmp_path, row)

    send(run, "mend", "Go on.", by="ana", tools=rig.tools)
    rig.finish(run, 90)
    jobs = ("agent.implement", "audit.verify", "ship.land", "planner.settle")
    rig.until(lambda: {flower.state(run, job) for job in jobs} == {"SUCCESS"}, 60, "all jobs")
    assert rig.task(run, "mend").state is TaskState.COMPLETED
    rows = flower.attempt_jobs(run)
    assert all("mend: Mend <img" in one.args for one in rows.values())
    assert (
        rows["audit.verify"].result.startswith("'verified: did mend") and "completed" in rows["planner.settle"].result
    )
    assert SECRET not in json.dumps(flower.get("/api/tasks?limit=500"))
    rig.until(lambda: app.backend.get_task_meta(row.id)["status"] == "PENDING", 30, "its state to be taken back")
    queues = {one["name"]: one["messages"] for one in flower.get("/api/queues/length")["active_queues"]}
    pools = ("planner", "audit", "agent", "ship")
    assert queues == dict.fromkeys((*pools, *(f"{pool}@rig" for pool in pools)), 0)
    # Read only: stopping something is the ledger's, by our own verbs.
    assert flower.ask("/api/task/revoke/x", method="POST").status_code in (403, 405)


def _page(flower: Flower, folder: Path, row: Row) -> None:
    """Its board and the page of one job in a real browser, while the agent works."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("Flower's page was not looked at: there is no Chromium here (apt install chromium)")
    common = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    for path in ("/tasks", f"/task/{row.id}"):
        page = f"http://{LOGIN}@127.0.0.1:{flower.port}{path}"
        argv = [*common, "--virtual-time-budget=8000", "--window-size=1500,900", "--dump-dom", page]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        for shown in ("agent.implement", "mend: Mend &lt;img", "WORKING", "the agent works: reading &lt;img"):
            assert shown in done.stdout, path
        assert "<title>owned</title>" not in done.stdout
        assert SECRET not in done.stdout
