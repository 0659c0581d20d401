"""The `scripted` agent: a real process that plays steps from a file. For demos, trials and tests.

It runs like every other agent, in the sandbox and under a supervisor, and makes real commits. It is not a
model and decides nothing. Unlike a plain command it reads its mailbox: it can be told something as it runs.
"""

from __future__ import annotations

import json
from pathlib import Path

from ops_orchestrate.adapters.agents import player
from ops_orchestrate.adapters.agents.command import checked
from ops_orchestrate.adapters.agents.playbook import Step, read_playbook, steps_for
from ops_orchestrate.adapters.agents.session import ProcessSession, Program, open_session
from ops_orchestrate.adapters.sandbox import interpreter
from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentJob, AgentProbe
from ops_orchestrate.errors import AgentUnavailable, UsageError


class ScriptedAgent:
    """Plays `OPS_PLAYBOOK`."""

    name = "scripted"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def probe(self) -> AgentProbe:
        """Whether the playbook can be read and a sandbox works."""
        try:
            self._playbook()
        except (AgentUnavailable, UsageError) as error:
            return AgentProbe(name=self.name, ok=False, detail=str(error))
        return checked(self.name, str(self._settings.playbook), self._settings)

    def start(self, job: AgentJob) -> ProcessSession:
        """Start it. Raises SandboxUnavailable, AgentUnavailable, UsageError."""
        steps = steps_for(self._playbook(), job.key.task, job.key.attempt, job.purpose)
        if steps is None:
            name = ":".join(filter(None, (job.purpose, job.key.task)))
            raise AgentUnavailable(f"The playbook {self._settings.playbook} has no entry for {name}.")
        script, file = Path(player.__file__), Path(job.scratch) / "steps.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(steps), encoding="utf-8")
        argv = (*interpreter(), str(script), str(file))
        return open_session(Program(argv, (script, file), mailbox=True), job, self._settings)

    def _playbook(self) -> dict[str, list[list[Step]]]:
        if self._settings.playbook is None:
            raise AgentUnavailable("The scripted agent has no playbook: set OPS_PLAYBOOK to a file.")
        return read_playbook(self._settings.playbook)
