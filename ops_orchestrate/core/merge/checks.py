"""What the checks on one commit amount to. Nothing that is missing, cut off or unknown is ever green.

One commit keeps every run that there ever was on it: cancelled duplicates, reruns, twins of one name from two
workflows. So checks are keyed by who reports them and why, and only what demonstrably came afterwards replaces an
older result of the same key; twins that ran side by side both count. A success never outranks by being one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from ops_orchestrate.core.merge.pull import Check, Conclusion, RequiredCheck
from ops_orchestrate.core.value import Value

#: What reports, through what, on what occasion, under which name.
Key = tuple[str, int | None, int | None, str, str]


class CheckVerdict(StrEnum):
    """What one check says."""

    GOOD = "good"
    PENDING = "pending"
    RED = "red"
    SILENT = "silent"  #: skipped or neutral: no evidence of anything
    UNKNOWN = "unknown"


_VERDICTS: dict[Conclusion, CheckVerdict] = {
    Conclusion.SUCCESS: CheckVerdict.GOOD,
    Conclusion.PENDING: CheckVerdict.PENDING,
    Conclusion.FAILURE: CheckVerdict.RED,
    Conclusion.TIMED_OUT: CheckVerdict.RED,
    Conclusion.STARTUP_FAILURE: CheckVerdict.RED,
    Conclusion.ACTION_REQUIRED: CheckVerdict.RED,
    Conclusion.CANCELLED: CheckVerdict.RED,
    Conclusion.STALE: CheckVerdict.RED,
    Conclusion.NEUTRAL: CheckVerdict.SILENT,
    Conclusion.SKIPPED: CheckVerdict.SILENT,
}

#: Ends that are red.
RED = frozenset(conclusion for conclusion, verdict in _VERDICTS.items() if verdict is CheckVerdict.RED)
#: Ends that say nothing of the change: whatever comes later under the same key replaces them.
BROKEN_OFF = frozenset({Conclusion.CANCELLED, Conclusion.STALE})


class CheckSummary(Value):
    """Everything that counts, sorted by what it says."""

    red: tuple[Check, ...] = ()
    pending: tuple[str, ...] = ()
    """Names of checks that run, or will: also those skipped behind a failure that is being run again."""
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Names of expected checks that nobody has reported yet, or not the one who has to."""
    unproved: tuple[str, ...] = ()
    """Names of expected checks that were skipped or neutral, and may not be."""
    passed: int = 0
    seen: int = 0
    """Checks that count at all; our own do not."""
    changed_at: float = 0.0
    """When the newest of them started or ended, by the forge's clock; 0: unknown."""
    started_at: float = 0.0
    """When the newest of them started; 0: unknown."""

    @property
    def green(self) -> bool:
        """Whether every check is final and in favour, and there is at least one."""
        return self.passed > 0 and not (self.red or self.pending or self.unknown or self.missing or self.unproved)


def summarise(
    checks: Iterable[Check],
    *,
    required: Collection[RequiredCheck] = (),
    expected: Collection[str] = (),
    skippable: Collection[str] = (),
) -> CheckSummary:
    """The sum of the checks on one commit.

    `required` are the base's rules (from an app where they name one), `expected` names that must be there from
    anybody, `skippable` names whose skipping the owner accepts as a pass.
    """
    every = [check for check in checks if not check.ours]
    standing = current(every)
    wanted = {*expected, *(rule.name for rule in required), *(c.name for c in standing if c.required)}
    says: dict[CheckVerdict, list[Check]] = {verdict: [] for verdict in CheckVerdict}
    for check in standing:
        says[_says(check, every, skippable)].append(check)
    started_at = max([c.started_at for c in every], default=0.0)
    return CheckSummary(
        red=tuple(says[CheckVerdict.RED]),
        pending=_names(says[CheckVerdict.PENDING]),
        unknown=_names(says[CheckVerdict.UNKNOWN]),
        missing=_missing(standing, required, expected),
        unproved=_names(c for c in says[CheckVerdict.SILENT] if c.name in wanted),
        passed=len(says[CheckVerdict.GOOD]),
        seen=len(every),
        changed_at=max([started_at, *(c.completed_at for c in every)]),
        started_at=started_at,
    )


def _names(checks: Iterable[Check]) -> tuple[str, ...]:
    return tuple(sorted({check.name for check in checks}))


def verdict_of(check: Check) -> CheckVerdict:
    """What one check says by itself."""
    return _VERDICTS.get(check.conclusion, CheckVerdict.UNKNOWN)


def current(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that no later one of their key replaces, in the order of the forge's numbers."""
    by_key: dict[Key, list[Check]] = defaultdict(list)
    in_order = sorted(checks, key=lambda c: c.id)
    for check in in_order:
        by_key[key_of(check)].append(check)
    if len(by_key) == len(in_order):
        return tuple(in_order)
    began = _beginnings(checks)
    kept = [
        older
        for group in by_key.values()
        for at, older in enumerate(group)
        if not any(_replaces(newer, older, began) for newer in group[at + 1 :])
    ]
    return tuple(sorted(kept, key=lambda c: c.id))


def key_of(check: Check) -> Key:
    """Checks with one key are results of one and the same thing."""
    return (check.kind, check.app, check.workflow, check.event, check.name)


def _beginnings(checks: Iterable[Check]) -> dict[int, float]:
    """When each workflow run began with its first attempt, as far as its checks tell."""
    began: dict[int, float] = {}
    for check in checks:
        if check.run is not None and check.started_at:
            began[check.run] = min(check.started_at, began.get(check.run, check.started_at))
    return began


def _replaces(newer: Check, older: Check, began: Mapping[int, float]) -> bool:
    """Whether the newer one (by the forge's number) is a later try of the same, not a twin beside it.

    A later try belongs to the same run, or to one that began when the older result was known. That the job itself
    started later is not enough: in a run beside, it may have waited for what it needs, or been run once more.
    """
    if newer.id == older.id or verdict_of(newer) is CheckVerdict.SILENT:
        return False  # one check read twice; and what is no evidence replaces none
    if newer.kind == "status" or older.conclusion in BROKEN_OFF:
        return True  # of a commit status the forge keeps the history: its newest counts
    if verdict_of(newer) is CheckVerdict.PENDING and older.conclusion is not Conclusion.PENDING:
        return True  # it is being tried again: whatever comes of that decides, beside this one if they overlapped
    if older.run is not None and older.run == newer.run and newer.attempt > older.attempt:
        return True
    if newer.run is None or older.run is None:
        return 0 < older.completed_at <= newer.started_at
    return newer.run > older.run and 0 < older.completed_at <= began.get(newer.run, newer.started_at)


def _says(check: Check, every: Sequence[Check], skippable: Collection[str]) -> CheckVerdict:
    verdict = verdict_of(check)
    if verdict is CheckVerdict.RED and _overtaken(check, every):
        return CheckVerdict.PENDING  # a newer run broke it off, and has not come to this job yet
    if verdict is not CheckVerdict.SILENT:
        return verdict
    if _behind_a_failure(check, every):
        return CheckVerdict.PENDING  # skipped because what it needs failed: it has yet to run
    return CheckVerdict.GOOD if check.name in skippable else verdict


def _overtaken(check: Check, every: Sequence[Check]) -> bool:
    if check.conclusion not in BROKEN_OFF or check.run is None:
        return False
    return any(
        (other.workflow, other.event) == (check.workflow, check.event)
        and other.run is not None
        and other.run > check.run
        and verdict_of(other) in (CheckVerdict.PENDING, CheckVerdict.RED)
        for other in every
    )


def _behind_a_failure(check: Check, every: Sequence[Check]) -> bool:
    if check.run is None or check.conclusion is not Conclusion.SKIPPED:
        return False
    return any(
        other.run == check.run and other.attempt >= check.attempt and verdict_of(other) is CheckVerdict.RED
        for other in every
    )


def _missing(
    standing: Sequence[Check], required: Collection[RequiredCheck], expected: Collection[str]
) -> tuple[str, ...]:
    """Any writer can set any status, so a rule that names an app is met by that app's check only."""
    present = {check.name for check in standing}
    reported = {(check.name, check.app) for check in standing}
    missing = {name for name in expected if name not in present}
    missing |= {
        rule.name
        for rule in required
        if (rule.name not in present if rule.app is None else (rule.name, rule.app) not in reported)
    }
    return tuple(sorted(missing))
