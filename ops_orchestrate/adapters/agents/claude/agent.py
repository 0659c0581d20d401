"""Claude Code, headless: `claude --print` under our supervisor, in our sandbox, spoken to over its own protocol."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ops_orchestrate.adapters.agents.claude.commandline import arguments, session_id, settings_text, variables
from ops_orchestrate.adapters.agents.claude.kept import keep, kept_session
from ops_orchestrate.adapters.agents.claude.session import ClaudeSession
from ops_orchestrate.adapters.agents.claude.wire import INTERRUPT, said
from ops_orchestrate.adapters.agents.model import model_access
from ops_orchestrate.adapters.agents.probing import probed, tested_with, version_of
from ops_orchestrate.adapters.agents.session import Program, launch, unstarted
from ops_orchestrate.adapters.agents.transcript import Transcript, prune, transcript_path, transcripts
from ops_orchestrate.adapters.sandbox import probe
from ops_orchestrate.adapters.waysout import ModelAccess
from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentJob, AgentProbe
from ops_orchestrate.core.redaction import redact as by_shape
from ops_orchestrate.errors import AgentUnavailable, UsageError

TESTED = "2.1.330"
"""The version that the tests drive; others are used, and named."""
_API = "https://api.anthropic.com"


class ClaudeAgent:
    """Runs the program that OPS_CLAUDE names. Its model is reached through a proxy of ours, which holds the key."""

    name = "claude"

    def __init__(
        self,
        settings: Settings,
        secret: Callable[[str], str | None],
        redact: Callable[[str], str] = by_shape,
    ) -> None:
        """`secret`: who is asked for the key of the model's API, by its name. `redact`: for the transcript."""
        self._settings = settings
        self._secret = secret
        self._redact = redact

    def probe(self) -> AgentProbe:
        """Whether it is there and runs, has a model, a key and a sandbox: a sentence for each that is not so."""
        try:
            program = self._program()
        except AgentUnavailable as error:
            return AgentProbe(name=self.name, ok=False, detail=str(error))
        version = version_of([str(program)])
        called = f"Claude Code {version}{tested_with(version, TESTED)}"
        return probed(self.name, called, program, self._settings, version=version, model=self._model)

    def start(self, job: AgentJob) -> ClaudeSession:
        """Start it. Raises SandboxUnavailable, AgentUnavailable."""
        program, model, settings = self._program(), self._model(), self._settings
        sandboxed = probe(settings).ok
        rules = Path(job.scratch) / "claude-settings.json"
        given = {name: os.environ[name] for name in settings.agent_env if name in os.environ}
        try:
            rules.parent.mkdir(parents=True, exist_ok=True)
            rules.write_text(settings_text(sandboxed=sandboxed), encoding="utf-8")
            limit = int(settings.log_limit_mb * 1_000_000)
            prune(transcripts(settings), settings.keep_transcripts)
            transcript = Transcript(transcript_path(settings, job), limit, self._redact)
        except OSError as error:
            raise unstarted(job, error) from error
        kept, files = kept_session(job.key, settings) if job.resumes else ("", {})
        prepared = Program(
            argv=(str(program), *arguments(job, settings, rules, sandboxed=sandboxed, kept=kept)),
            reads=(rules, program),
            env=given | variables(Path(job.scratch) / "agent", settings, sandboxed=sandboxed),
            model=model,
            opening=said(job.brief) + "\n",
            farewell=INTERRUPT,
            files=files,
        )
        try:
            launched = launch(prepared, job, settings)
        except BaseException:
            transcript.close()
            raise
        session = kept or session_id(job)
        keeping = partial(keep, launched.box, session, job.key, settings) if job.kept else None
        return ClaudeSession(launched, job, transcript, limit, keeping)

    def _program(self) -> Path:
        found = shutil.which(self._settings.claude)
        if found is None:
            raise AgentUnavailable(
                f"Claude Code is not here: {self._settings.claude} is not on the PATH. Install it "
                f"(`npm install --global @anthropic-ai/claude-code@{TESTED}`), or set OPS_CLAUDE to where it is."
            )
        return Path(found).resolve()  # the sandbox shows the one file, not the links to it

    def _model(self) -> ModelAccess:
        """The way to its model. Raises AgentUnavailable where there is none."""
        settings = self._settings
        if not self._secret(settings.model_key):
            raise AgentUnavailable(
                f"It has no key for its model: nobody knows {settings.model_key} (environment, Doppler, password "
                "manager; OPS_MODEL_KEY is its name)."
            )
        try:
            return model_access(settings, self._secret, settings.model_url or _API)
        except UsageError as error:
            raise AgentUnavailable(str(error)) from error
