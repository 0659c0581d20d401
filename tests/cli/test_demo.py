"""`make demo` from outside: what the README promises is in the report, the story holds together, nothing is left."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.cli.demo import _settings
from ops_orchestrate.core.event import Event
from ops_orchestrate.report.check import violations
from tests.repos import git, read

pytestmark = [pytest.mark.real, pytest.mark.timeout(450)]


class Demo:
    """One demo that has ended."""

    def __init__(self, folder: Path, *flags: str) -> None:
        command = [sys.executable, "-m", "ops_orchestrate", "demo", "--folder", str(folder), "--json", *flags]
        env = {**os.environ, "OPS_RECONCILE_EVERY": "0.4"}  # as a person sees it, but that nothing due waits for a tick
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env, timeout=400, check=False
        )
        self.folder = folder
        self.code, self.err = done.returncode, done.stderr
        *lines, last = [line for line in done.stdout.splitlines() if line.startswith("{")]
        self.events = [Event.model_validate_json(line) for line in lines]
        self.report: dict[str, Any] = json.loads(last)
        self.tasks: dict[str, Any] = {task["id"]: task for task in self.report["tasks"]}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Run once."""
    yield Demo(tmp_path_factory.mktemp("demo") / "it")


def test_it_ends_well_and_its_story_holds_together(demo: Demo) -> None:
    assert demo.code == 0, demo.err
    assert violations(demo.events) == []
    assert (demo.report["state"], demo.report["reason"]) == ("halted", "3 wait for you")
    assert demo.report["totals"]["completed"] == demo.report["totals"]["promoted"] == 6


def test_work_is_handed_over_from_one_repository_to_another(demo: Demo) -> None:
    handed = {given["from"]: given["text"] for given in demo.tasks["web-total-with-tax"]["hand_overs"]}
    assert handed["api-total-with-tax"] == "shop.pricing.total_with_tax(items, percent) returns whole cents"
    assert set(handed) == set(demo.tasks["web-total-with-tax"]["blocked_by"])
    assert demo.tasks["api-total-with-tax"]["repo"] != demo.tasks["web-total-with-tax"]["repo"]


def test_an_attempt_that_fails_its_gate_is_tried_again_with_another_brief(demo: Demo) -> None:
    first, second = demo.tasks["jobs-retry-cap"]["attempts"]
    assert (first["outcome"], second["outcome"]) == ("rejected", "merged")
    assert first["brief_digest"] != second["brief_digest"]


def test_a_guard_refuses_and_a_person_is_asked(demo: Demo) -> None:
    assert [refusal["by"] for refusal in demo.tasks["jobs-database-url"]["refusals"]] == ["secret-files"]
    held = demo.tasks["api-session-length"]
    assert [review["verdict"] for review in held["reviews"]] == ["approve"]
    assert (held["state"], held["ask"]) == ("blocked", "approve-change")
    assert held["command"] == f"ops-orchestrate answer {demo.report['run']} api-session-length yes"


def test_a_red_baseline_and_a_phase_of_a_roadmap_are_found_and_done(demo: Demo) -> None:
    found = {re.sub(r"-[0-9a-f]{6}$", "", name): task["state"] for name, task in demo.tasks.items()}
    assert found["handbook-red-baseline"] == "completed"
    assert [task["title"] for task in demo.tasks.values() if task["human"]] == ["Phase 3: Sign-off"]


def test_the_merges_are_what_git_says_they_are(demo: Demo) -> None:
    for task in demo.tasks.values():
        if not task["merge"]:
            continue
        name = next(p.stem for p in (demo.folder / "forge").iterdir() if task["project"] == p.stem)
        bare = demo.folder / "forge" / f"{name}.git"
        git("merge-base", "--is-ancestor", task["merge"], "dev", cwd=bare)
        verdict = [verdict for verdict in task["verdicts"] if verdict["kind"] == "verified"][-1]
        assert git("rev-parse", f"{task['merge']}^{{tree}}", cwd=bare) == verdict["tree"]
        assert f"Ops-Task: {task['id']}" in git("log", "-1", "--format=%B", task["merge"], cwd=bare)
    jobs = demo.folder / "forge" / "jobs.git"
    assert read(jobs, "main", ".env") is None
    assert "LONGEST" in str(read(jobs, "main", "jobs/retry.py"))


def test_no_process_is_left(demo: Demo) -> None:
    left = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                known = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(demo.folder).encode() in known:
                left.append(entry.name)
    assert left == []


def test_its_folder_is_not_reused(demo: Demo) -> None:
    again = subprocess.run(
        [sys.executable, "-m", "ops_orchestrate", "demo", "--folder", str(demo.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 2
    assert again.stderr == f"error: {demo.folder} exists already; the demo builds a new folder and removes none.\n"


def test_the_demo_never_works_on_a_server_of_the_owners(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPS_DATA_DIR", "OPS_AGENT", "OPS_PLAYBOOK", "OPS_GRACE", "OPS_UNSANDBOXED_OK", "OPS_CONFIG"):
        monkeypatch.setenv(name, "1")  # the demo sets these for its workers; they are given back with the rest
    for name in ("OPS_REDIS_URL", "OPS_BROKER_URL", "OPS_RESULTS_URL", "OPS_LEDGER_URL"):
        monkeypatch.setenv(name, "redis://theirs:6379/0")
    assert _settings(tmp_path).urls is None
