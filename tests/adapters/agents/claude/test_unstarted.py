"""Claude Code where it cannot be started."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.adapters.agents import ClaudeAgent
from ops_orchestrate.errors import AgentUnavailable
from tests.adapters.agents.claude.real import KEY, stand_in, work
from tests.adapters.foreign import settings


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_one_that_cannot_be_started_leaves_nothing_open_and_says_what_is_in_the_way(tmp_path: Path) -> None:
    used = settings(tmp_path, claude=stand_in(tmp_path, "exit 0"), unsandboxed_ok=True)
    job = work(tmp_path)
    Path(job.scratch).mkdir(parents=True, exist_ok=True)
    (Path(job.scratch) / "watch").write_text("in the way")
    before = open_files()
    for _ in range(3):
        with pytest.raises(AgentUnavailable, match=r"/watch: "):
            ClaudeAgent(used, {"ANTHROPIC_API_KEY": KEY}.get).start(job)
    assert open_files() <= before + 1  # the filter of system calls, once
