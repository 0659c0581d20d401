"""Playbooks: what they may say, which attempt they mean, and what a mistake in one is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops_orchestrate.adapters.agents import ScriptedAgent, player
from ops_orchestrate.adapters.agents.playbook import read_playbook, steps_for
from ops_orchestrate.adapters.agents.player import STEPS
from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.errors import AgentUnavailable, UsageError
from tests.adapters.agents.work import agent, finish, job
from tests.adapters.foreign import needs_sandbox, settings

PLAYBOOK = """
web-fix-parser:
  - - say: {text: first}
    - exit: {code: 1}
  - - say: {text: second}
"web-*":
  - [hang]
"*":
  - - {report: {summary: "whatever it was"}}
"""


@pytest.mark.parametrize(
    ("task", "attempt", "steps"),
    [
        ("web-fix-parser", 1, [{"say": {"text": "first"}}, {"exit": {"code": 1}}]),
        ("web-fix-parser", 2, [{"say": {"text": "second"}}]),
        ("web-fix-parser", 9, [{"say": {"text": "second"}}]),
        ("web-other", 1, [{"hang": {}}]),
        ("api-x", 1, [{"report": {"summary": "whatever it was"}}]),
    ],
)
def test_which_steps(tmp_path: Path, task: str, attempt: int, steps: list[object]) -> None:
    file = tmp_path / "playbook.yaml"
    file.write_text(PLAYBOOK)
    assert steps_for(read_playbook(file), task, attempt) == steps


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "mapping"),
        ("[]", "mapping"),
        ("a: [", "cannot be read"),
        ("t: hang", "t: must be a list of attempts"),
        ("t: []", "t: must be a list of attempts"),
        ("t: [hang]", "t: must be a list of attempts"),
        ("t: [[dance]]", "t, attempt 1: no step is called 'dance'; there are: allocate, answer, append"),
        ("t: [[], [{write: {path: a, txt: b}}]]", "t, attempt 2: the arguments of write are: path, text"),
        ("t: [[{say: {text: a}, hang: {}}]]", "a step is one word"),
        ("t: [[!!python/object/apply:os.system ['touch ran']]]", "cannot be read"),
    ],
)
def test_a_mistake_names_file_task_and_step(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "playbook.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as error:
        read_playbook(file)
    assert str(file) in str(error.value)
    assert says in str(error.value)
    found = ScriptedAgent(settings(tmp_path, playbook=file)).probe()
    assert not found.ok


def test_no_playbook(tmp_path: Path) -> None:
    assert "OPS_PLAYBOOK" in ScriptedAgent(settings(tmp_path)).probe().detail
    with pytest.raises(AgentUnavailable, match="OPS_PLAYBOOK"):
        ScriptedAgent(settings(tmp_path)).start(job(tmp_path))


def test_no_entry_for_the_task(tmp_path: Path) -> None:
    file = tmp_path / "playbook.yaml"
    file.write_text("other: [[hang]]")
    with pytest.raises(AgentUnavailable, match="no entry for web-fix-parser"):
        ScriptedAgent(settings(tmp_path, playbook=file)).start(job(tmp_path))


def test_every_step_that_may_be_written_can_be_played() -> None:
    assert {f"do_{name}" for name in STEPS} == {name for name in dir(player.Player) if name.startswith("do_")}


def test_every_step_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "agent-contract.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.partition("| step |")[2].splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(STEPS)


@needs_sandbox
def test_the_steps_that_change_files(tmp_path: Path) -> None:
    steps = [
        {"write": {"path": "new/b.txt", "text": "b"}},
        {"append": {"path": "new/b.txt", "text": "c"}},
        {"delete": {"path": "a.txt"}},
        {"symlink": {"path": "link", "target": "/etc/passwd"}},
        {"copy_brief": {"path": "brief.txt"}},
    ]
    work = job(tmp_path)
    assert finish(agent("scripted", tmp_path, steps).start(work)).end is AgentEnd.DONE
    tree = Path(work.tree)
    assert (tree / "new" / "b.txt").read_text() == "bc"
    assert not (tree / "a.txt").exists()
    assert (tree / "link").is_symlink()
    assert (tree / "brief.txt").read_text() == work.brief


@needs_sandbox
def test_a_step_that_fails_ends_it(tmp_path: Path) -> None:
    steps = [{"run": {"argv": ["false"]}}, {"write": {"path": "after"}}]
    result = finish(agent("scripted", tmp_path, steps).start(job(tmp_path)))
    assert (result.end, result.exit_code) == (AgentEnd.FAILED, 1)
    assert "player: false ended with 1" in result.log_tail
    assert not (tmp_path / "tree" / "after").exists()


@needs_sandbox
def test_it_can_be_told_something(tmp_path: Path) -> None:
    steps = [{"copy_mail": {"field": "summary", "seconds": 10}}, {"report": {}}]
    session = agent("scripted", tmp_path, steps).start(job(tmp_path))
    assert session.message("the blocker\nis done")
    result = finish(session)
    assert result.report is not None
    assert result.report.summary == "the blocker\nis done"


@needs_sandbox
def test_too_much_memory(tmp_path: Path) -> None:
    steps = [{"allocate": {"bytes": 200_000_000}}, "hang"]
    result = finish(agent("scripted", tmp_path, steps, sandbox_memory_mb=100).start(job(tmp_path)))
    assert result.end is AgentEnd.CRASHED
    assert "OPS_SANDBOX_MEMORY_MB" in result.detail
