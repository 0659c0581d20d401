"""Asking an agent something: the programs and the sandbox of work, in a session of its own that only reads."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops_orchestrate.adapters.folders import remove
from ops_orchestrate.core.agent import AgentJob
from ops_orchestrate.core.consult import Question
from ops_orchestrate.errors import AgentUnavailable
from ops_orchestrate.ports import Agent, AgentSession

#: What a killed worker has left is removed by whoever asks next, so many seconds later: longer than any question.
_FORGOTTEN = 24 * 3600.0
_LOOK_EVERY = 0.05


class AgentConsultant:
    """Implements ports.Consultant over a kind of agent; its folders are below `folder`."""

    def __init__(self, agent: Agent, folder: Path) -> None:
        self.name = agent.name
        self._agent = agent
        self._folder = folder

    @contextmanager
    def ask(self, question: Question) -> Iterator[AgentSession]:
        """Put a question to a fresh session; see ports.Consultant."""
        scratch = self._scratch(question.purpose)
        try:
            session = self._agent.start(_job(question, scratch))
            try:
                yield session
            finally:
                _end(session)
        finally:
            remove(scratch)

    def _scratch(self, purpose: str) -> Path:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for left in self._folder.iterdir():
                if time.time() - left.lstat().st_mtime > _FORGOTTEN:
                    remove(left)
            return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=self._folder))
        except OSError as error:
            raise AgentUnavailable(f"Nothing can be asked: {self._folder} cannot be used: {error.strerror}.") from error


def _job(question: Question, scratch: Path) -> AgentJob:
    return AgentJob(
        key=question.key,
        brief=question.text,
        tree=question.tree,
        scratch=str(scratch),
        branch="",
        seconds=question.seconds,
        beat_seconds=question.beat_seconds,
        grace_seconds=question.grace_seconds,
        renewed_at=question.renewed_at,
        purpose=question.purpose,
        schema_text=question.schema_text,
        model=question.model,
        max_usd=question.max_usd,
        max_tokens=question.max_tokens,
    )


def _end(session: AgentSession) -> None:
    """No process of it outlives the block."""
    if session.result() is None:
        session.stop("kill")
    while session.result() is None:
        time.sleep(_LOOK_EVERY)
