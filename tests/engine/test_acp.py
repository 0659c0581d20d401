"""The real Codex in a whole run: real workers, real sandbox, real repository, a model that plays a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.adapters.agents.acp import PRESETS
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.report.check import violations
from tests.adapters.agents.acp.real import BIN, KINDS, needs
from tests.adapters.agents.claude.real import KEY
from tests.adapters.foreign import needs_sandbox
from tests.engine.rig import UNHURRIED, Rig, requested
from tests.repos import read
from tests.standins.model import serving_model

pytestmark = [needs("codex"), needs_sandbox, pytest.mark.real, pytest.mark.timeout(240)]


def test_its_work_is_merged_and_its_version_and_tokens_are_recorded(tmp_path: Path, server_url: str) -> None:
    """Refused at first, then served: a quota costs no attempt."""
    with serving_model() as model:
        env = {
            "OPS_AGENT": "acp",
            "OPS_ACP_COMMAND": str(BIN / KINDS["codex"]),
            "OPS_MODEL": "m1",
            "OPS_MODEL_URL": f"{model.url('comesbackonce')}/v1",
            "OPENAI_API_KEY": KEY,
            "OPS_QUOTA_PAUSE": "1",
            **UNHURRIED,
            "OPS_MAX_ATTEMPTS": "3",
        }
        rig = Rig.build(tmp_path, server_url, **env)
        try:
            rig.start()
            run = rig.submit([requested("one", paths=("src/",))], agent="acp")
            events = rig.finish(run, 120)
        finally:
            rig.close()
    ends = [event.data for event in events if event.kind is EventKind.ATTEMPT_ENDED]
    outcomes = [data["outcome"] for data in ends]
    assert outcomes == ["quota", "succeeded"], [data["summary"] for data in ends]
    task = rig.task(run, "one")
    assert (task.state, task.spent) == (TaskState.COMPLETED, 1), rig.story()
    assert read(rig.upstreams["app"].bare, "dev", "src/two.txt") == "two"
    last = ends[-1]
    assert (last["agent_version"], last["summary"]) == (PRESETS["codex"].tested, "Back again.")
    assert last["tokens"] >= 240, "two answers for its work, and one where it asks for a title beside it"
    assert violations(events) == []
    assert rig.agents() == []
    assert KEY not in str([event.data for event in events])
