"""Rows about the checks: is there evidence at all, is it red, is it complete?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ops_orchestrate.core.merge.checks import BROKEN_OFF
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import Check, Conclusion
from ops_orchestrate.core.merge.ruling import Facts, Ruling, fix, flag, listed, wait
from ops_orchestrate.core.merge.snapshot import Act

#: How often a rerun that was asked for is looked for before a person is told that it never came.
_MOST_LOOKS = 20

#: CI may end after this share of its usual length. It is looked at after so many seconds at the latest: it may be red.
_SOON, _LONGEST_PAUSE = 0.8, 600.0

_NOT_OURS_TO_MEND = {
    FailureClass.NEVER_STARTED: "never started",
    FailureClass.INFRASTRUCTURE: "broke without the change's doing",
    FailureClass.FLAKY: "has passed and failed on this same commit",
}


def no_checks_yet(facts: Facts) -> Ruling | None:
    """CI takes a moment to begin."""
    if facts.checks.seen or facts.seen.policy.ci == "none" or facts.age >= facts.seen.policy.grace:
        return None
    return wait("no check has been reported yet")


def no_evidence(facts: Facts) -> Ruling | None:
    """An empty list is not green. What must be there and is not is left to `pending`."""
    checks, policy = facts.checks, facts.seen.policy
    if checks.seen or checks.missing or policy.ci == "none":
        return None
    why = "its workflows have not started" if policy.has_workflows else "the repository seems to have none"
    return flag(f"there is no CI evidence: {why}; `ci: none` in the registry says that there is no CI")


def no_ci_to_main(facts: Facts) -> Ruling | None:
    """The gate alone is enough for integration, never for main."""
    policy = facts.seen.policy
    if facts.checks.seen or not policy.promotes or policy.ci != "none":
        return None
    return flag("without any CI nothing is promoted by itself")


def needs_approval(facts: Facts) -> Ruling | None:
    """The one red that only a person's click changes."""
    red = [check for check in facts.checks.red if check.conclusion is Conclusion.ACTION_REQUIRED]
    if not red:
        return None
    return flag(f"{_names(red)} waits for somebody's approval on the forge")


def red_not_looked_at(facts: Facts) -> Ruling | None:
    """What kind of failure it is decides what it costs."""
    unknown = [check for check in facts.checks.red if check.id not in facts.seen.failures]
    if not unknown:
        return None
    return Ruling(Act.LOOK, f"{_names(unknown)} is red", checks=tuple(check.id for check in unknown))


def red_code(facts: Facts) -> Ruling | None:
    """One genuine failure vetoes every excuse."""
    red = [check for check in facts.checks.red if facts.seen.failures.get(check.id) is FailureClass.CODE]
    return fix(facts.seen, f"{_names(red)} is red", checks=red) if red else None


def red_billing(facts: Facts) -> Ruling | None:
    """No rerun and no agent helps."""
    red = [check for check in facts.checks.red if facts.seen.failures.get(check.id) is FailureClass.BILLING]
    return flag(f"{_names(red)} was not started: the account's billing stands in the way") if red else None


def red_elsewhere(facts: Facts) -> Ruling | None:
    """Everything red is somebody else's doing. One rerun is right, two are bias."""
    red = facts.checks.red
    if not red:
        return None
    spent = [check for check in red if _spent(facts, check)]
    if spent:
        kind = facts.seen.failures.get(spent[0].id, FailureClass.INFRASTRUCTURE)
        return flag(f"{_names(spent)} {_NOT_OURS_TO_MEND.get(kind, 'is red')}, also when it was run again")
    fresh = {c.run: c.id for c in reversed(red) if c.run is not None and facts.seen.reruns.count(c.run) < c.attempt}
    if fresh and _runs_on(facts, fresh):
        return _wait_patiently(facts, f"{_names(red)} is red through no fault of the change, and its run goes on")
    if fresh:
        quiet, settle = facts.seen.now - _broken_off_at(red), facts.seen.policy.settle
        if quiet < settle:  # the run that broke it off may not be listed yet, and a rerun would break that one off
            return wait("it was broken off just now, perhaps by a newer run", after=settle - max(0.0, quiet))
        return Ruling(
            Act.RERUN, f"{_names(red)} is red through no fault of the change", checks=tuple(sorted(fresh.values()))
        )
    # Whoever asked may have died before: nothing came of it, so it is asked for once more, and then a person is told.
    unheard = {c.run: c.id for c in reversed(red) if c.run is not None and facts.seen.reruns.count(c.run) == c.attempt}
    why = "a rerun that was asked for has not come"
    again = Ruling(Act.RERUN, why, checks=tuple(sorted(unheard.values()))) if unheard else None
    return wait("its rerun has been asked for", at_most=_MOST_LOOKS, then=again)


def pending(facts: Facts) -> Ruling | None:
    """What is not known is no success."""
    checks = facts.checks
    open_ones = sorted({*checks.pending, *checks.unknown, *checks.missing})
    if not open_ones:
        return None
    what = f"{listed(open_ones)} has no result"
    if checks.unknown:
        what = f"{listed(checks.unknown)} ended in a way that we do not know"
    elif checks.missing:
        what = f"{listed(checks.missing)} has not been reported (by the app that has to)"
    return _wait_patiently(facts, what)


def unproved(facts: Facts) -> Ruling | None:
    """This is where red hides."""
    names = facts.checks.unproved
    if not names:
        return None
    return flag(f"{listed(names)} is expected and was skipped; `skippable_checks` in the registry accepts that")


def nothing_passed(facts: Facts) -> Ruling | None:
    """Checks that all say nothing are no evidence either."""
    checks = facts.checks
    if checks.passed or not checks.seen or facts.seen.policy.ci == "none":
        return None
    return flag("there is no CI evidence: every check was skipped or is neutral")


def settling(facts: Facts) -> Ruling | None:
    """A set of results is complete when nothing has joined it for a while."""
    seen, checks = facts.seen, facts.checks
    policy = seen.policy
    if not checks.seen:
        return None
    if facts.age < policy.min_ci:
        return wait("it is green sooner than its CI can be", after=policy.min_ci - facts.age)
    quiet = seen.now - max(seen.new_check_at, checks.changed_at) if seen.new_check_at else 0.0
    if quiet < policy.settle:
        return wait("it is green; another check may yet join", after=policy.settle - max(0.0, quiet))
    return None


def _wait_patiently(facts: Facts, what: str) -> Ruling:
    if facts.waited >= facts.seen.policy.patience:
        return flag(f"{what} after {facts.waited / 60:.0f} minutes")
    policy = facts.seen.policy
    return wait(what, after=pause_for_ci(facts.seen.ci_seconds, facts.age, poll=policy.poll, settle=policy.settle))


def pause_for_ci(usual: float, age: float, *, poll: float, settle: float) -> float:
    """Seconds in which CI that usually takes `usual` and began `age` seconds ago need not be looked at.

    Nothing is gained by looking before it may have ended; nor, within `settle`, soon after, since what is green has to
    settle before it goes in. 0: after the usual time, `poll`.
    """
    soonest = _SOON * usual
    rest = min(max(soonest, min(soonest + settle, usual + poll / 2)) - age, _LONGEST_PAUSE)
    return rest if usual and rest > poll else 0.0


def not_before(facts: Facts) -> float:
    """Seconds in which the checks let nothing in, whatever else there is to find out; 0: they do, or one is red."""
    if facts.checks.red:
        return 0.0
    for rule in (no_checks_yet, pending, settling):
        ruling = rule(facts)
        if ruling is not None and ruling.act is Act.WAIT:
            return ruling.after or facts.seen.policy.poll
    return 0.0


def _runs_on(facts: Facts, runs: Collection[int | None]) -> bool:
    """A forge runs failed jobs again only when the whole run has ended."""
    return any(c.run in runs and c.conclusion is Conclusion.PENDING for c in facts.seen.pull.checks)


def _broken_off_at(red: Sequence[Check]) -> float:
    return max((c.completed_at for c in red if c.conclusion in BROKEN_OFF), default=0.0)


def _spent(facts: Facts, check: Check) -> bool:
    """Whether it has had its rerun, or can have none."""
    most = facts.seen.policy.max_reruns
    if check.kind != "run" or check.run is None or most < 1:
        return True
    return check.attempt > most


def _names(checks: Sequence[Check]) -> str:
    return listed(dict.fromkeys(check.name for check in checks))
