"""Commit messages of ours. The trailers are how a later audit finds our work again when the ledger is lost."""

from __future__ import annotations

import re

from ops_orchestrate.core.attempt import Outcome
from ops_orchestrate.core.harmless import harmless
from ops_orchestrate.core.mark import ATTEMPT, PART_OF, RUN, TASK, WHOLE, print_lines
from ops_orchestrate.core.names import clean_text, is_slug, one_line, short
from ops_orchestrate.core.task import TaskRecord, TaskSpec

MERGE_KEY = "Ops-Merge-Key"
TAKES_BACK = "Ops-Takes-Back"

_ISSUE = re.compile(r"(?P<slug>[^#]+)#[1-9][0-9]{0,9}")


def squash_message(record: TaskRecord, *, run: str, summary: str) -> str:
    """The squash commit's message: the task's title, what was done, what it closes, and the trailers.

    A forge closes an issue when such a commit reaches its default branch, by whatever promotion; the text of a pull
    request counts only where that goes there itself. Title and summary come from outside: each is one line, which adds
    no trailer, closes nothing and calls nobody.
    """
    title = harmless(one_line(record.spec.title, 72))
    said = harmless(one_line(clean_text(summary), 600))
    body = f"\n{said}\n" if said and said != title else ""
    closes = _closing(record.spec)
    body += f"\n{closes}\n" if closes else ""
    lines = (
        f"{TASK}: {record.spec.id}",
        f"{RUN}: {run}",
        f"{ATTEMPT}: a{record.attempt}-f{record.fence}",
        *_settled(record.spec),
        f"{MERGE_KEY}: {merge_key(record)}",
    )
    return "\n".join((title, body, *lines)) + "\n"


def _settled(spec: TaskSpec) -> tuple[str, ...]:
    """Every finding that the merge settles; a part's own, and those of the whole for when all parts are merged."""
    share = (f"{PART_OF}: {spec.part_of} {spec.of_parts}",) if spec.part_of else ()
    return (*print_lines(spec.claims), *share, *print_lines(spec.whole, WHOLE))


def merge_key(record: TaskRecord) -> str:
    """What names one head of one task on the base, whoever made the commit."""
    return f"{record.spec.id}/{record.head}"


def joining_message(title: str) -> str:
    """Of the commit that lets a change which was begun anew grow from what stood on its branch before."""
    return f"Begin anew: {harmless(one_line(title, 60))}\n"


def pull_title(spec: TaskSpec) -> str:
    """A pull request's title."""
    return harmless(one_line(spec.title, 120))


def pull_body(record: TaskRecord, *, run: str, verified: Outcome) -> str:
    """A pull request's text: task, acceptance, evidence, what it closes. The trailers are how we find it again.

    Whatever came from outside is one line or quoted, so that it cannot add a trailer or close an issue.
    """
    spec = record.spec
    parts = [_quoted(one_line(clean_text(verified.summary), 600) or one_line(spec.title, 200))]
    if spec.description:
        parts.append("**Task**\n\n" + _quoted(clean_text(spec.description, 4_000)))
    if spec.acceptance:
        parts.append("**Acceptance**\n\n" + "\n".join(f"- {harmless(one_line(one, 300))}" for one in spec.acceptance))
    parts.append("**Evidence**\n\n" + "\n".join(evidence_lines(record, verified)))
    if closes := _closing(spec):
        parts.append(closes)
    parts.append("\n".join((f"{TASK}: {spec.id}", f"{RUN}: {run}", *_settled(spec))))
    return "\n\n".join(parts) + "\n"


def evidence_lines(record: TaskRecord, verified: Outcome) -> tuple[str, ...]:
    """What verify has found of the head, as a list."""
    gate = f" `{one_line(record.spec.gate, 200)}`" if record.spec.gate else ""
    passed = f"- quality gate{gate}: passed on the merge of {short(record.head)} into {short(verified.base)}"
    review = (f"- {harmless(one_line(verified.review, 500))}",) if verified.review else ()
    return (passed, f"- files: {len(verified.files)}", *review)


def sync_body(*, integration: str, main: str, run: str, head: str) -> str:
    """The text of a pull request that brings one branch to another, pinned to a commit."""
    return (
        f"Brings {integration} at {short(head)} to {main} by a merge commit.\n\n"
        f"{RUN}: {run}\n{MERGE_KEY}: {main}/{head}\n"
    )


def revert_message(commit: str, *, branch: str, run: str) -> str:
    """Of the commit, and the pull request, that takes a merge back on a branch."""
    why = "It did not do well once it was deployed."
    return f"{revert_title(commit)}\n\n{why}\n\n{RUN}: {run}\n{TAKES_BACK}: {branch}\n"


def revert_title(commit: str) -> str:
    """Of the pull request that takes a merge back."""
    return f"Revert {short(commit)}"


def revert_merge_message(commit: str, *, branch: str, run: str, head: str) -> str:
    """The merge's message of a revert: a squash holds it alone, so it says as well what is taken back."""
    return f"{revert_title(commit)}\n\n{RUN}: {run}\n{TAKES_BACK}: {branch}\n{MERGE_KEY}: {branch}/{head}\n"


def back_message(*, integration: str, main: str, run: str, head: str) -> str:
    """The merge commit's message of a back-merge."""
    return f"{back_title(integration, main)}\n\n{RUN}: {run}\n{MERGE_KEY}: {integration}/{head}\n"


def back_title(integration: str, main: str) -> str:
    """Of the pull request that brings back what main has and integration lacks."""
    return f"chore: bring {main} back to {integration}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {harmless(line)}" for line in text.splitlines())


def closing_lines(spec: TaskSpec) -> tuple[str, ...]:
    """By which a forge closes the issues that it settles, one line each."""
    return tuple(f"Closes {one}" for one in spec.closes if _is_issue(one))


def _closing(spec: TaskSpec) -> str:
    return "\n".join(closing_lines(spec))


def _is_issue(name: str) -> bool:
    """Whether it is `owner/name#7`, and no sentence that somebody called so."""
    found = _ISSUE.fullmatch(name)
    return found is not None and is_slug(found["slug"])


def promotion_message(*, integration: str, main: str, run: str, head: str) -> str:
    """The merge commit's message of a promotion."""
    return f"chore: sync {integration} → {main}\n\n{RUN}: {run}\n{MERGE_KEY}: {main}/{head}\n"
