"""`python -m workers POOL` started by hand or by a Procfile, with everybody's secrets around it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.adapters.stack_help import needs_proc, until
from workers.pools import POOLS

ROOT = Path(__file__).resolve().parents[1]


@needs_proc
def test_a_pools_worker_puts_away_what_is_not_its_own(tmp_path: Path) -> None:
    """The very process, by its number: it has started itself again without them."""
    given = {"GITHUB_TOKEN": "merges", "ANTHROPIC_API_KEY": "thinks", "OPS_REDIS_URL": "redis://127.0.0.1:1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "workers", "agent"],
        cwd=ROOT,
        env={**os.environ, **given, "OPS_DATA_DIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        held = until(lambda: "OPS_POOL" in (found := _environment(child.pid)) and found)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(60)
    assert held["OPS_POOL"] == "agent"
    assert held["ANTHROPIC_API_KEY"] == "thinks"
    assert "GITHUB_TOKEN" not in held


def test_an_agents_worker_reads_the_next_message_while_the_last_job_ends_where_that_is_never_one_agent_too_many() -> (
    None
):
    """Any machine may read a message of the shared queue: five are the most over all, fewer only on this one."""
    places = {most: POOLS["agent"].options("here", most)["concurrency"] for most in (1, 4, 5)}
    assert places == {1: 1, 4: 4, 5: 6}


def test_an_unknown_pool_is_a_usage_error() -> None:
    done = subprocess.run([sys.executable, "-m", "workers", "nonsense"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"planner" in done.stderr


def _environment(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)
