"""The `command` agent: any program that reads a brief, works in a folder and writes a report.

The contract with such programs is docs/agent-contract.md. It sees the variables that the owner named and
nothing else, and can be told nothing while it runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from ops_orchestrate.adapters.agents.model import Names, model_access
from ops_orchestrate.adapters.agents.session import ProcessSession, Program, open_session
from ops_orchestrate.adapters.sandbox import SandboxSpec, environment, probe
from ops_orchestrate.adapters.waysout import ModelAccess
from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentJob, AgentProbe
from ops_orchestrate.errors import AgentUnavailable, UsageError

_FAMILIES = {"x-api-key": "ANTHROPIC", "x-goog-api-key": "GEMINI"}
"""The first word of the variables that programs for an API of that kind read; for all others OPENAI's."""


class CommandAgent:
    """Runs `OPS_AGENT_COMMAND`."""

    name = "command"

    def __init__(self, settings: Settings, secret: Callable[[str], str | None] = os.environ.get) -> None:
        """`secret`: who is asked for the key of the model's API, by its name."""
        self._settings = settings
        self._secret = secret

    def probe(self) -> AgentProbe:
        """Whether the command is there, the model's key is to be had, and a sandbox works."""
        try:
            program = self._program()
        except (AgentUnavailable, UsageError) as error:
            return AgentProbe(name=self.name, ok=False, detail=str(error))
        if program.model is not None and not program.model.key():
            detail = f"nobody has {self._settings.model_key}, the key for OPS_MODEL_URL (see OPS_MODEL_KEY)"
            return AgentProbe(name=self.name, ok=False, detail=detail)
        return checked(self.name, program.argv[0], self._settings)

    def start(self, job: AgentJob) -> ProcessSession:
        """Start it. Raises SandboxUnavailable, AgentUnavailable, UsageError."""
        return open_session(self._program(), job, self._settings)

    def _program(self) -> Program:
        command = self._settings.agent_command
        if not command:
            raise AgentUnavailable(
                "No agent is configured: set OPS_AGENT to the name of one, "
                "or OPS_AGENT_COMMAND to a command of your own."
            )
        inside = environment(SandboxSpec(cwd=Path("/")))["PATH"]
        found = shutil.which(command[0], path=inside) or shutil.which(command[0])
        if found is None:
            raise AgentUnavailable(f"The agent's command {command[0]} is not on the PATH; see OPS_AGENT_COMMAND.")
        named = [Path(word) for word in (found, *command[1:]) if word.startswith("/") and Path(word).is_file()]
        reads = dict.fromkeys(path for name in named for path in (name, name.resolve()))
        env = {name: os.environ[name] for name in self._settings.agent_env if name in os.environ}
        return Program((found, *command[1:]), tuple(reads), env, model=_model(self._settings, self._secret))


def _model(settings: Settings, secret: Callable[[str], str | None]) -> ModelAccess | None:
    """The model's API that the settings name, under the variables by which programs look for one of its kind."""
    if settings.model_url is None:
        return None
    family = _FAMILIES.get(settings.model_key_header, "OPENAI")
    base = "GOOGLE_GEMINI_BASE_URL" if family == "GEMINI" else f"{family}_BASE_URL"
    names = Names(("OPS_MODEL_URL", base), ("OPS_MODEL_KEY", f"{family}_API_KEY"))
    return model_access(settings, secret, settings.model_url, names)


def checked(name: str, what: str, settings: Settings) -> AgentProbe:
    """The probe of an agent whose program was found: what is left is the sandbox."""
    found = probe(settings)
    if found.ok:
        return AgentProbe(name=name, ok=True, detail=f"{what}, in {found.version}")
    if settings.unsandboxed_ok:
        return AgentProbe(name=name, ok=True, detail=f"{what}, UNSANDBOXED ({found.detail})")
    return AgentProbe(name=name, ok=False, detail=f"no sandbox: {found.detail}")
