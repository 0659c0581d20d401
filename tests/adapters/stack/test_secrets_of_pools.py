"""The embedded stack's workers as the kernel shows them: each with its own pool's secrets, and no other.

Their memory is searched: a worker that is forked has what its parent had, whatever its environment says.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from ops_orchestrate.adapters.stack import Stack
from ops_orchestrate.adapters.stack_files import read_workers
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.celery import POOLS
from ops_orchestrate.cli.connect import worker_specs
from ops_orchestrate.core.duty import READ_TOKEN
from tests.adapters.stack_help import needs_proc, settings_for, until

pytestmark = needs_proc

SECRETS = ("GITHUB_TOKEN", READ_TOKEN, "SENTRY_AUTH_TOKEN", "LINEAR_API_KEY", "OPS_NOTIFY", "ANTHROPIC_API_KEY")

HELD = {
    "planner": {"OPS_NOTIFY", "ANTHROPIC_API_KEY"},
    "audit": {READ_TOKEN, "SENTRY_AUTH_TOKEN", "LINEAR_API_KEY", "ANTHROPIC_API_KEY"},
    "agent": {READ_TOKEN, "ANTHROPIC_API_KEY"},
    "ship": {"GITHUB_TOKEN", "SENTRY_AUTH_TOKEN", "LINEAR_API_KEY", "ANTHROPIC_API_KEY"},
    # Forks all of them, so it may have only what all of them may have.
    "nursery": {"ANTHROPIC_API_KEY"},
}


def test_only_ships_worker_holds_what_merges(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, f"value of {name}")
    settings = settings_for(data)
    with Stack.open(settings, workers=worker_specs()):
        state = StateDir.at(settings.state_dir)
        running = until(lambda: len(found := read_workers(state).running) == len(POOLS) and found, 30)
        pids = dict(zip(POOLS, [one.pid for one in running], strict=True))
        for pool, pid in pids.items():
            until(lambda pool=pool, pid=pid: Path(f"/proc/{pid}/comm").read_text().strip() == f"ops-{pool}")
        pids["nursery"] = int(Path(f"/proc/{pids['ship']}/stat").read_bytes().rpartition(b")")[2].split()[1])
        held = {name: {secret for secret in SECRETS if _holds(pid, f"value of {secret}")} for name, pid in pids.items()}
        shown = {name: Path(f"/proc/{pid}/environ").read_text() for name, pid in pids.items()}
    assert held == HELD
    assert not [name for name, text in shown.items() for one in set(SECRETS) - HELD[name] if f"value of {one}" in text]


def _holds(pid: int, text: str) -> bool:
    """Whether it is anywhere in the memory that the process may write to."""
    maps = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    spans = [line[0].split("-") for line in maps if line[1].startswith("rw")]
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for first, last in spans:
            with contextlib.suppress(OSError):  # what the kernel keeps for itself
                memory.seek(int(first, 16))
                if text.encode() in memory.read(int(last, 16) - int(first, 16)):
                    return True
    return False
