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

from ops_orchestrate.core.states import TaskState
from tests.engine.rig import Rig, requested, standing, work

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

LOGIN = "ops:correct-horse"
SECRET = "s3cr3t-of-a-service"
#: Somebody opened an issue with this title.
TITLE = f"Mend <img src=x onerror=document.title='owned'> for {SECRET}"


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

    def attempt_jobs(self, run: str) -> dict[str, tuple[str, str]]:
        """Name to (state, arguments) of the jobs of a run's attempts."""
        tasks = self.get("/api/tasks?limit=500")
        return {
            one["name"]: (one["state"], one["args"])
            for one in tasks.values()
            if one["args"] and f"of run {run}" in one["args"]
        }


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flower]:
    """Server, workers and Flower for the file."""
    with standing(tmp_path_factory.mktemp("flower"), ("app",), A_SERVICE_TOKEN=SECRET) as rig:
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


def test_a_run_can_be_watched_and_a_page_shown(flower: Flower, tmp_path: Path) -> None:
    rig = flower.rig
    rig.play({"mend": [work("mend", seconds=4.0)]})
    task = requested("mend").model_copy(update={"title": TITLE})
    run = rig.submit([task])
    rig.until(lambda: flower.attempt_jobs(run).get("agent.implement", ("",))[0] == "STARTED", 60, "the agent's job")
    shown = flower.attempt_jobs(run)["agent.implement"][1]
    assert shown.startswith("mend: Mend <img")
    assert shown.endswith(f", attempt 1 of run {run}")
    rig.finish(run, 60)
    jobs = ("agent.implement", "audit.verify", "ship.land", "planner.settle")
    rig.until(lambda: {flower.attempt_jobs(run).get(job, ("",))[0] for job in jobs} == {"SUCCESS"}, 30, "all jobs")
    assert rig.task(run, "mend").state is TaskState.COMPLETED
    every = json.dumps(flower.get("/api/tasks?limit=500"))
    assert SECRET not in every
    queues = {one["name"]: one["messages"] for one in flower.get("/api/queues/length")["active_queues"]}
    pools = ("planner", "audit", "agent", "ship")
    assert queues == dict.fromkeys((*pools, *(f"{pool}@rig" for pool in pools)), 0)
    # Read only: stopping something is the ledger's, by our own verbs.
    assert flower.ask("/api/task/revoke/x", method="POST").status_code in (403, 405)
    _page(flower, tmp_path)


def _page(flower: Flower, folder: Path) -> None:
    """The page in a real browser; a picture of it stays in the test's folder."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("Flower's page was not looked at: there is no Chromium here (apt install chromium)")
    picture = folder / "flower.png"
    common = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    page = f"http://{LOGIN}@127.0.0.1:{flower.port}/tasks"
    waits = ["--virtual-time-budget=8000", "--window-size=1500,900"]
    for what in ([f"--screenshot={picture}"], ["--dump-dom"]):
        done = subprocess.run([*common, *waits, *what, page], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    assert picture.stat().st_size > 10_000
    assert "mend: Mend &lt;img" in done.stdout
    assert "agent.implement" in done.stdout
    assert "<title>owned</title>" not in done.stdout
    assert SECRET not in done.stdout
