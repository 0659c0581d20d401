"""The embedded stack's workers as the kernel shows them: each with its own pool's secrets, and no other."""

from __future__ import annotations

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


def test_only_ships_worker_holds_what_merges(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, f"value of {name}")
    settings = settings_for(data)
    with Stack.open(settings, workers=worker_specs()):
        state = StateDir.at(settings.state_dir)
        running = until(lambda: len(found := read_workers(state).running) == len(POOLS) and found)
        held = {pool: names for one in running for pool, names in [_held(one.pid)]}
    assert held == {
        "planner": {"OPS_NOTIFY", "ANTHROPIC_API_KEY"},
        "audit": {READ_TOKEN, "SENTRY_AUTH_TOKEN", "LINEAR_API_KEY", "ANTHROPIC_API_KEY"},
        "agent": {READ_TOKEN, "ANTHROPIC_API_KEY"},
        "ship": {"GITHUB_TOKEN", "SENTRY_AUTH_TOKEN", "LINEAR_API_KEY", "ANTHROPIC_API_KEY"},
    }


def _held(pid: int) -> tuple[str, set[str]]:
    """The pool of a worker, and the secrets in its environment, as /proc has it."""
    lines = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    return environment["OPS_POOL"], {name for name in SECRETS if name in environment}
