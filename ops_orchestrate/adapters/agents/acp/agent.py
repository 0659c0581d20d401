"""Any agent that speaks the Agent Client Protocol, under our supervisor, in our sandbox, its model behind our proxy."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ops_orchestrate.adapters.agents.acp.presets import Dressing, Room, preset_of
from ops_orchestrate.adapters.agents.acp.program import Found, find
from ops_orchestrate.adapters.agents.model import model_access
from ops_orchestrate.adapters.agents.probing import probed, tested_with, version_of
from ops_orchestrate.adapters.agents.session import Program, launch, unstarted
from ops_orchestrate.adapters.agents.transcript import Transcript, prune, transcript_path, transcripts
from ops_orchestrate.adapters.sandbox import probe
from ops_orchestrate.adapters.waysout import ModelAccess
from ops_orchestrate.config import Settings, kind_of, settings_of_agent
from ops_orchestrate.core.agent import AgentJob, AgentProbe
from ops_orchestrate.core.redaction import redact as by_shape
from ops_orchestrate.errors import AgentUnavailable, UsageError

if TYPE_CHECKING:  # the library is an extra: it is read when an agent starts
    from ops_orchestrate.adapters.agents.acp.session import AcpSession

LIBRARY = "It needs the library of the Agent Client Protocol: pip install 'ops-orchestrate[acp]'."


class AcpAgent:
    """Runs one agent: one that is known by its name, or what OPS_ACP_COMMAND says."""

    def __init__(
        self,
        settings: Settings,
        secret: Callable[[str], str | None],
        redact: Callable[[str], str] = by_shape,
        name: str = "acp",
    ) -> None:
        """`secret`: who is asked for the key of the model's API, by its name. `redact`: for the transcript."""
        self.name = name
        self._kind = kind_of(settings, name)
        self._preset = preset_of(self._kind, settings.acp_command if name == "acp" else ())
        self._settings = settings_of_agent(settings, name)
        self._secret = secret
        self._redact = redact

    def probe(self) -> AgentProbe:
        """Whether it is there and runs, has a model, a key and a sandbox: a sentence for each that is not so."""
        try:
            found = self._found()
        except AgentUnavailable as error:
            return AgentProbe(name=self.name, ok=False, detail=str(error))
        version = version_of(found.runs) if self._preset.package else None
        known = tested_with(version, self._preset.tested) if version is not None else " (never tested)"
        called = f"{self._kind}{f' {version}' if version else ''}{known}"
        return probed(self.name, called, found.path, self._settings, version=version, model=self._model)

    def start(self, job: AgentJob) -> AcpSession:
        """Start it. Raises SandboxUnavailable, AgentUnavailable."""
        found, model, settings = self._found(), self._model(), self._settings_for(job)
        from ops_orchestrate import __version__
        from ops_orchestrate.adapters.agents.acp.session import AcpSession, Manners
        from ops_orchestrate.adapters.agents.acp.wire import hello

        limit = int(settings.log_limit_mb * 1_000_000)
        try:
            rules = Path(job.scratch) / "rules"
            dressing = self._dressed(rules, settings)
            prune(transcripts(settings), settings.keep_transcripts)
            transcript = Transcript(transcript_path(settings, job), limit, self._redact)
        except OSError as error:
            raise unstarted(job, error) from error
        given = {name: os.environ[name] for name in settings.agent_env if name in os.environ}
        prepared = Program(
            argv=(*found.argv, *dressing.words),
            reads=(rules, *found.reads),
            env=given | dressing.env,
            model=model,
            opening=hello(__version__) + "\n",
        )
        try:
            launched = launch(prepared, job, settings)
        except BaseException:
            transcript.close()
            raise
        preset = self._preset
        manners = Manners(preset.sign_in, preset.joins, settings.model_retries, limit, preset.lingers)
        return AcpSession(launched, job, transcript, manners)

    def _found(self) -> Found:
        """Its program. Raises AgentUnavailable where it, or the library, is not there."""
        if importlib.util.find_spec("acp") is None:
            raise AgentUnavailable(LIBRARY)
        if self._kind == "claude":
            raise AgentUnavailable("Claude Code is spoken to by its own protocol: set OPS_AGENT to claude.")
        words = self._preset.command
        if not words:
            raise AgentUnavailable("No agent is configured: set OPS_ACP_COMMAND to the command or the name of one.")
        found = find(words)
        if found is None:
            install = f" Install it: `{self._preset.package}`." if self._preset.package else ""
            raise AgentUnavailable(f"{words[0]} is not on the PATH.{install}")
        return found

    def _settings_for(self, job: AgentJob) -> Settings:
        """Its settings, with the model of who is asked something."""
        return self._settings.model_copy(update={"model": job.model}) if job.model else self._settings

    def _dressed(self, rules: Path, settings: Settings) -> Dressing:
        """Its variables and further words; its files are written. Raises OSError."""
        dressing = self._preset.dress(Room(rules, settings, sandboxed=probe(settings).ok))
        rules.mkdir(parents=True, exist_ok=True)
        for name, text in dressing.files.items():
            (rules / name).write_text(text, encoding="utf-8")
        return dressing

    def _model(self) -> ModelAccess:
        """The way to its model. Raises AgentUnavailable where there is none."""
        settings = self._settings
        if settings.model_url is None or (self._preset.needs_model and not settings.model):
            raise AgentUnavailable(
                f"It has no model: set OPS_MODEL_URL and OPS_MODEL (and OPS_MODEL_KEY, its key's name), "
                f"or its entry {self.name} in OPS_MODELS."
            )
        if not self._secret(settings.model_key):
            raise AgentUnavailable(
                f"It has no key for its model: nobody knows {settings.model_key} (environment, Doppler, password "
                "manager; OPS_MODEL_KEY, or the entry in OPS_MODELS, is its name)."
            )
        try:
            return model_access(settings, self._secret, settings.model_url, self._preset.names)
        except UsageError as error:
            raise AgentUnavailable(str(error)) from error
