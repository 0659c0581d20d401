"""Errors, by consequence: what the caller should do next is in the class, what happened is in the text.

Every message names the thing that is wrong and the remedy. Foreign exceptions are translated into these
where they enter (an adapter), so no other room knows the libraries' own.
"""

from __future__ import annotations


class OpsError(Exception):
    """Something expected went wrong; its text is for a person. The command prints it and exits 1."""


class UsageError(OpsError):
    """The command line, a settings value or a file that a person wrote says something impossible. Exit 2."""


class RegistryError(UsageError):
    """The registry cannot be used; the text names file, entry and field."""


class TasksFileError(UsageError):
    """The file given with `--tasks` cannot be used; the text names file, task and field."""


class PlanError(UsageError):
    """The tasks do not form a graph: unknown ids, a task blocking itself, or a cycle, spelled out."""


class UnknownRun(OpsError):
    """No run of that name is in the ledger."""


class UnknownTask(OpsError):
    """The run has no task of that name."""


class LedgerUnavailable(OpsError):
    """The server that holds the ledger does not answer, or answers that it cannot serve."""


class SourceUnavailable(OpsError):
    """A source or forge did not answer: what it knows is *unknown*, never *none*.

    `retry_after` is how long it wants to be left alone, in seconds; 0 where it does not say.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class GitError(OpsError):
    """A git command failed; the text is the command's name and git's own last words, cleaned."""


class SandboxUnavailable(OpsError):
    """No sandbox works here and the owner has not opted out, so no agent may start."""


class AgentUnavailable(OpsError):
    """The configured agent cannot be started on this host."""


class GuardRefusal(OpsError):
    """A safety rule said no. Nothing skips it; the text names the rule."""


class OtherVersion(OpsError):
    """The ledger holds something that another version of the program has written, and this one cannot read."""
