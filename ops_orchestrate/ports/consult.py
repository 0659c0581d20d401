"""The Protocol behind which agents are asked something."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from ops_orchestrate.core.consult import Question
from ops_orchestrate.ports import AgentSession


class Consultant(Protocol):
    """An agent that is asked something: it reads, changes nothing, and answers once (core/consult.py)."""

    name: str

    def ask(self, question: Question) -> AbstractContextManager[AgentSession]:
        """Put a question to a fresh session, which is gone with all of its folders when the block ends.

        Raises SandboxUnavailable, AgentUnavailable, UsageError.
        """
