"""What an attempt learns from the ones before it: sentences of ours, made from how those ended.

The seed's rule "never re-dispatch the exact same prompt" is kept because of what was learnt, not by a counter.
Only names of files come in from outside, each on one line and quoted where it could be read as a sentence.
Logs and other words of an agent or a gate are fenced by core/brief, never put in here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence

from ops_orchestrate.core.attempt import AttemptRecord, Outcome, OutcomeKind
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.review import RULE as REVIEW_RULE

_PLAIN_PATH = re.compile(r"[A-Za-z0-9._/@+*?\[\]{}~-]{1,160}")
_MOST = 30


def failures_of(attempts: Sequence[AttemptRecord]) -> tuple[Outcome, ...]:
    """How every earlier attempt ended, in order. One that never told is counted as lost, so that it teaches too.

    One that only asked how to split the task has tried nothing, and is left out.
    """
    lost = Outcome(kind=OutcomeKind.LOST, summary="It never reported how it ended.")
    ends = [record.outcome or lost for record in sorted(attempts, key=lambda each: each.number)]
    return tuple(end for end in ends if end.kind is not OutcomeKind.PLANNED)


def narrowing(attempt: int, failures: Sequence[Outcome], paths: Sequence[str] = ()) -> tuple[str, ...]:
    """What attempt number `attempt` has to do differently, one sentence an item; nothing for a first attempt.

    `paths` are the task's own, named where the failure itself names no file.
    """
    if not failures:
        return ()
    head = f"This is attempt {attempt}. {len(failures)} before it did not succeed; do not repeat them."
    lessons = [_lesson(number, failure, paths) for number, failure in enumerate(failures, start=1)]
    kinds = [failure.kind for failure in failures]
    if len(kinds) > 1 and kinds[-1] == kinds[-2] and kinds[-1] not in _NOT_ITS_FAULT:
        lessons.append(
            "The last two failed in the same way: what they did does not work. Choose another approach, "
            "and commit the smallest change that satisfies the first acceptance criterion before anything else."
        )
    return (head, *lessons)


def shown(path: str) -> str:
    """A file's name for a sentence: as it is if it is plain, else quoted, so that it cannot pass for our words."""
    line = one_line(path[:640], 160)
    return line if _PLAIN_PATH.fullmatch(line) else json.dumps(line, ensure_ascii=True)


def listed(paths: Iterable[str]) -> str:
    """Names for a sentence, each once, at most thirty."""
    every = [shown(path) for path in dict.fromkeys(paths)]
    rest = f" and {len(every) - _MOST} more" if len(every) > _MOST else ""
    return ", ".join(every[:_MOST]) + rest


def _lesson(number: int, failure: Outcome, paths: Sequence[str]) -> str:
    return f"Earlier attempt {number}: " + _LESSONS.get(failure.kind, _failed)(failure, paths)


def _empty(failure: Outcome, paths: Sequence[str]) -> str:
    where = listed(paths) or "the files that the task names"
    return (
        f"it said that it was done, but nothing was changed. Start by opening {where}; a commit with a real "
        "change has to exist on the branch before you finish."
    )


def _stalled(failure: Outcome, paths: Sequence[str]) -> str:
    files = tuple(dict.fromkeys((*failure.files, *paths)))
    first = f"Begin with {shown(files[0])} alone" if files else "Begin with one single file"
    rest = f" Then, one at a time: {listed(files[1:])}." if len(files) > 1 else ""
    return (
        f"it stalled: no sign of work for too long. Narrower scope this time. {first}, and commit it before "
        f"you touch anything else.{rest} Start no server, watcher or command that waits for input."
    )


def _timed_out(failure: Outcome, paths: Sequence[str]) -> str:
    files = tuple(dict.fromkeys((*failure.files, *paths)))
    first = f" Do {shown(files[0])} first." if files else ""
    return f"it ran out of time. Do less: the smallest change that meets the acceptance criteria.{first}"


def _rejected(failure: Outcome, paths: Sequence[str]) -> str:
    changed = f" It had changed {listed(failure.files)}." if failure.files else ""
    return (
        "the quality gate failed on what it made; the part of the log that matters is below. Make exactly these "
        f"failures pass, in the code and not by changing the tests.{changed}"
    )


def _sent_back(failure: Outcome, paths: Sequence[str]) -> str:
    if failure.rule == REVIEW_RULE:
        where = f" They name {listed(failure.files)}." if failure.files else ""
        return (
            "its change passed the gate, and the security reviewer said no; the findings are below. You go on from "
            "that change: its commits are on your branch. Mend what is found, in the code, keep the rest, and weaken "
            f"no check.{where} They are an agent's words: where one is wrong, leave it and say why in your report."
        )
    return (
        "its change passed the gate, but its checks or its reviewers on the forge said no; what they said is below. "
        "You go on from that change: its commits are on your branch. Mend exactly what is said, in the code, keep the "
        "rest, and never weaken a test or a check."
    )


def _refused(failure: Outcome, paths: Sequence[str]) -> str:
    files = f" because of {listed(failure.files)}" if failure.files else ""
    rule = f"the rule {shown(failure.rule)}" if failure.rule else "a safety rule"
    return f"{rule} refused the change{files}. {_RULES.get(failure.rule, 'Leave these files as they are.')}"


def _conflict(failure: Outcome, paths: Sequence[str]) -> str:
    files = listed(failure.files) or "files that it changed"
    return (
        f"its change does not merge: the base has changed {files} meanwhile. You start from the new base; "
        "look at what these files hold now and make your change fit it."
    )


def _crashed(failure: Outcome, paths: Sequence[str]) -> str:
    return "it died, or left a report that cannot be read. Commit early, and write the report file last and whole."


def _interrupted(failure: Outcome, paths: Sequence[str]) -> str:
    return "it was stopped from outside before it had finished; its work was not judged."


def _redirected(failure: Outcome, paths: Sequence[str]) -> str:
    return (
        "it was stopped so that you can be told what stands below as a message; it had failed at nothing. What it had "
        "done is on your branch: go on from there."
    )


def _unstarted(failure: Outcome, paths: Sequence[str]) -> str:
    return "the agent could not be started; nothing was done."


def _waiting(failure: Outcome, paths: Sequence[str]) -> str:
    return "a person looked at what it made and asked for another attempt; what was said is below."


def _failed(failure: Outcome, paths: Sequence[str]) -> str:
    changed = f" It had changed {listed(failure.files)}." if failure.files else ""
    return f"it reported that it failed; its own words are below. Find out why first.{changed}"


_NOT_ITS_FAULT = frozenset(
    {
        OutcomeKind.INTERRUPTED,
        OutcomeKind.REDIRECTED,
        OutcomeKind.LOST,
        OutcomeKind.UNSTARTED,
        OutcomeKind.QUOTA,
    }
)

_LESSONS: dict[OutcomeKind, Callable[[Outcome, Sequence[str]], str]] = {
    OutcomeKind.EMPTY: _empty,
    OutcomeKind.STALLED: _stalled,
    OutcomeKind.TIMED_OUT: _timed_out,
    OutcomeKind.REJECTED: _rejected,
    OutcomeKind.REFUSED: _refused,
    OutcomeKind.SENT_BACK: _sent_back,
    OutcomeKind.CONFLICT: _conflict,
    OutcomeKind.CRASHED: _crashed,
    OutcomeKind.INTERRUPTED: _interrupted,
    OutcomeKind.REDIRECTED: _redirected,
    OutcomeKind.LOST: _interrupted,
    OutcomeKind.QUOTA: _interrupted,
    OutcomeKind.UNSTARTED: _unstarted,
    OutcomeKind.WAITING: _waiting,
}

_RULES = {
    "ownership": "Change only files of the list below that says which are yours; undo or leave out everything else.",
    "planning-state": "Never edit .planning/STATE.md or .planning/ROADMAP.md.",
    "secret-files": "Do not add, change, move or delete files that hold secrets; read settings by their name instead.",
    "secrets-in-diff": "No key, token or password may stand in the code, in a test or in a fixture.",
    "special-files": "Plain files only: no links, no submodules, no .gitattributes, no new rights to execute.",
    "weakened-tests": "Keep every test and assertion, switch none off, and let no command's failure be ignored.",
    "ci-config": "Leave CI, hooks, agent files, manifests and lock files as they are.",
    "size": "Make a far smaller change.",
}
