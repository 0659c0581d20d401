"""What a guard says: the rule, where, and what can be done about it. And what every guard is given to look at."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ops_orchestrate.core.change import Diff
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.core.value import Value

#: So many files are named in a refusal; the rest is counted.
SHOWN_FILES = 20


class Consequence(StrEnum):
    """What a refusal leads to."""

    RETRY = "retry"  #: another attempt with a brief that names the rule and the files can repair it
    ASK = "ask"  #: a person may approve it, for this commit only
    BLOCK = "block"  #: nothing approves it; a person does it by hand, or another attempt avoids it


class SecretFinding(Value):
    """A secret in an added line: which kind and where, never its value."""

    path: str
    kind: str
    line: int
    """Number of the added line within the file's added lines, from 1."""


class Refusal(Value):
    """A guard's no."""

    rule: str
    detail: str
    """One sentence for people."""
    files: tuple[str, ...] = ()
    """As git has them: may hold anything, so they are cleaned where they are shown."""
    consequence: Consequence


class Subject(Value):
    """What the guards judge: one change, the task it was made for, and what the owner calls sensitive."""

    diff: Diff
    spec: TaskSpec
    secrets: tuple[SecretFinding, ...] = ()
    sensitive: tuple[str, ...] = ()
    """Globs of the repository and of the settings, beside the built-in words."""
    refused_before: tuple[str, ...] = ()
    """Rules that refused earlier attempts of the task."""


def named(files: Iterable[str], limit: int = SHOWN_FILES) -> str:
    """File names for a sentence: each on one harmless line, at most `limit` of them."""
    every = list(dict.fromkeys(files))
    shown = ", ".join(one_line(name[:480], 120) for name in every[:limit])
    return shown if len(every) <= limit else f"{shown} and {len(every) - limit} more"
