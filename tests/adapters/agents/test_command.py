"""What is special about the `command` agent: its command line and the variables it may see."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.adapters.agents import CommandAgent
from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.errors import AgentUnavailable
from tests.adapters.agents.work import finish, job
from tests.adapters.foreign import git, needs_sandbox, settings


@pytest.mark.parametrize(
    ("command", "says"), [((), "OPS_AGENT_COMMAND"), (("no-such-agent",), "no-such-agent is not on the PATH")]
)
def test_a_command_that_is_not_there(tmp_path: Path, command: tuple[str, ...], says: str) -> None:
    agent = CommandAgent(settings(tmp_path, agent_command=command))
    found = agent.probe()
    assert not found.ok
    assert says in found.detail
    with pytest.raises(AgentUnavailable, match="OPS_AGENT_COMMAND"):
        agent.start(job(tmp_path))


@needs_sandbox
def test_it_sees_the_variables_that_the_owner_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_KEY", "given")
    monkeypatch.setenv("OTHER_KEY", "withheld")
    names = ("MODEL_KEY", "NOT_SET", "OPS_TASK", "HOME")
    monkeypatch.setenv("OPS_TASK", "spoofed")
    agent = CommandAgent(settings(tmp_path, agent_command=("/usr/bin/env",), agent_env=names))
    result = finish(agent.start(job(tmp_path)))
    assert "MODEL_KEY=given\n" in result.log_tail
    assert "withheld" not in result.log_tail
    assert "OPS_TASK=web-fix-parser\n" in result.log_tail, "what the contract says wins"


@needs_sandbox
def test_its_own_files_are_readable_and_no_others(tmp_path: Path) -> None:
    """A program in a home folder, and a file that its command line names."""
    folder = tmp_path / "home" / "bin"
    folder.mkdir(parents=True)
    program, option, other = folder / "my-agent", folder / "options", folder / "secret"
    program.write_text('#!/bin/sh\ncat "$1"; cat "${1%/*}/secret"; ls "${1%/*}"\n')
    program.chmod(0o755)
    option.write_text("an option\n")
    other.write_text("a secret\n")
    agent = CommandAgent(settings(tmp_path, agent_command=(str(program), str(option))))
    result = finish(agent.start(job(tmp_path)))
    assert result.log_tail.splitlines()[0] == "an option"
    assert "a secret" not in result.log_tail
    assert result.log_tail.splitlines()[-2:] == ["my-agent", "options"]


@needs_sandbox
def test_the_complete_agent_of_the_documentation(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "agent-contract.md").read_text(encoding="utf-8")
    program = tmp_path / "agent.sh"
    program.write_text(page.partition("```sh\n")[2].partition("```")[0])
    program.chmod(0o755)
    work = job(tmp_path)
    result = finish(CommandAgent(settings(tmp_path, agent_command=(str(program),))).start(work))
    assert result.end is AgentEnd.DONE, result
    assert result.report is not None
    assert result.report.summary == "Added a line to notes.txt."
    assert git(Path(work.tree), "show", "--stat", "--format=%s").startswith("Add a line")


@needs_sandbox
def test_it_can_be_told_nothing(tmp_path: Path) -> None:
    session = CommandAgent(settings(tmp_path, agent_command=("sleep", "60"))).start(job(tmp_path))
    assert not session.message("hurry")
    session.stop("kill")
    assert finish(session).end is AgentEnd.STOPPED


@needs_sandbox
def test_an_argument_is_never_a_shell_word(tmp_path: Path) -> None:
    hostile = "$(touch ran); `touch ran`\n;touch ran"
    agent = CommandAgent(settings(tmp_path, agent_command=("echo", hostile)))
    assert hostile in finish(agent.start(job(tmp_path))).log_tail
    assert not (tmp_path / "tree" / "ran").exists()
