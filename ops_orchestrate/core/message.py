"""Commit messages of ours. The trailers are how a later audit finds our work again when the ledger is lost."""

from __future__ import annotations

from ops_orchestrate.core.names import clean_text, one_line
from ops_orchestrate.core.task import TaskRecord

TASK = "Ops-Task"
RUN = "Ops-Run"
ATTEMPT = "Ops-Attempt"
FINGERPRINT = "Ops-Fingerprint"
MERGE_KEY = "Ops-Merge-Key"


def squash_message(record: TaskRecord, *, run: str, summary: str) -> str:
    """The squash commit's message: the task's title, what was done, and the trailers.

    Title and summary come from outside; they can't add a trailer because every line of theirs is indented or joined.
    """
    title = one_line(record.spec.title, 72)
    said = one_line(clean_text(summary), 600)
    body = f"\n{said}\n" if said and said != title else ""
    trailers = {
        TASK: record.spec.id,
        RUN: run,
        ATTEMPT: f"a{record.attempt}-f{record.fence}",
        FINGERPRINT: record.spec.fingerprint,
        MERGE_KEY: f"{record.spec.id}/{record.head}",
    }
    lines = "\n".join(f"{name}: {value}" for name, value in trailers.items())
    return f"{title}\n{body}\n{lines}\n"


def promotion_message(*, integration: str, main: str, run: str, head: str) -> str:
    """The merge commit's message of a promotion."""
    return f"chore: sync {integration} → {main}\n\n{RUN}: {run}\n{MERGE_KEY}: {main}/{head}\n"
