"""What an attempt's outcome does to its task: completed, tried again, left to a person, given up."""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, Settlement
from ops_orchestrate.core.states import TaskState

#: Outcomes that a different brief may mend.
_TRY_AGAIN = frozenset(
    {
        OutcomeKind.EMPTY,
        OutcomeKind.FAILED,
        OutcomeKind.CRASHED,
        OutcomeKind.STALLED,
        OutcomeKind.TIMED_OUT,
        OutcomeKind.LOST,
        OutcomeKind.UNSTARTED,
        OutcomeKind.REJECTED,
        OutcomeKind.SENT_BACK,
        OutcomeKind.CONFLICT,
    }
)
_DONE = frozenset({OutcomeKind.MERGED, OutcomeKind.ALREADY_DONE})
#: Nothing has failed: another attempt goes on; where it was planned and the parts hold, a split stands in for that.
_GOES_ON = {
    OutcomeKind.REDIRECTED: "it goes on with a message in its brief",
    OutcomeKind.PLANNED: "it goes on undivided",
}
#: A provider's word about its own clock is not believed beyond this, in seconds: a week is its longest period.
LONGEST_PAUSE = 8 * 24 * 3600.0


def after(
    outcome: Outcome,
    *,
    spent: int,
    max_attempts: int,
    run_stopping: bool,
    cancelled: bool,
    now: float,
    quota_pause: float,
    another: bool = False,
) -> Settlement:
    """Where the attempt leaves its task. `spent` counts this attempt; interruptions and quota are not counted.

    What is merged is merged, also when a stop or a cancellation came meanwhile. `quota_pause`: how long an attempt
    waits, in seconds, where the provider does not say when it gives more; with `another` agent whose account has quota
    it need not wait.
    """
    if outcome.kind in _DONE:
        return Settlement(state=TaskState.COMPLETED, reason=outcome.summary or "merged and proved")
    if cancelled:
        return Settlement(state=TaskState.CANCELLED, reason="cancelled while it was in flight; its work is kept")
    if outcome.kind is OutcomeKind.WAITING or (outcome.kind is OutcomeKind.REFUSED and outcome.ask):
        told = f"{outcome.rule}: {outcome.summary}" if outcome.rule else outcome.summary
        return Settlement(state=TaskState.BLOCKED, reason=told, ask=outcome.ask or "retry")
    if outcome.kind is OutcomeKind.INTERRUPTED or run_stopping:
        return Settlement(state=TaskState.RETRYABLE, reason=outcome.summary or "interrupted; it goes on with the run")
    if outcome.kind in _GOES_ON:
        return Settlement(state=TaskState.RETRYABLE, reason=outcome.summary or _GOES_ON[outcome.kind])
    if outcome.kind is OutcomeKind.QUOTA:
        told = f"no quota: {outcome.summary}".rstrip(": ")
        until = 0.0 if another else resumes_at(outcome, now, quota_pause)
        return Settlement(state=TaskState.RETRYABLE, reason=told, not_before=until)
    if outcome.kind in _TRY_AGAIN or outcome.kind is OutcomeKind.REFUSED:
        return _again(outcome, spent, max_attempts)
    return Settlement(state=TaskState.BLOCKED, reason=f"ended as {outcome.kind}: {outcome.summary}", ask="retry")


def begin_at(earlier: Sequence[Outcome | None], adopted: str | None, *, team: bool = False) -> str | None:
    """The commit that the next attempt goes on from, by the outcomes of those before it; None: the base.

    What was sent back is mended where it stands, also when an attempt at that came to nothing, and what was stopped to
    be told something is gone on with. A conflict begins anew on the new base; only of a change that was adopted
    (`adopted`: its head) nobody could make the whole once more. A member of a team (`team`) fixes what its gate
    rejected; a subagent begins anew, with a fresh mind.
    """
    start = adopted
    for outcome in earlier:
        if outcome and goes_on_from(outcome, team=team):
            start = outcome.head
        elif outcome and outcome.kind is OutcomeKind.CONFLICT:
            start = adopted
    return start


def goes_on_from(outcome: Outcome, *, team: bool) -> bool:
    """Whether the next attempt goes on from what this one left; a member of a team then remembers its session, too."""
    kept = (OutcomeKind.SENT_BACK, OutcomeKind.REDIRECTED)
    return bool(outcome.head) and (outcome.kind in kept or (team and outcome.kind is OutcomeKind.REJECTED))


def resumes_at(outcome: Outcome, now: float, quota_pause: float) -> float:
    """When to try again after a quota: at its reset, and never sooner than the pause where that is past or unknown."""
    if outcome.resets_at <= now:
        return now + quota_pause
    return min(outcome.resets_at, now + LONGEST_PAUSE)


def _again(outcome: Outcome, spent: int, max_attempts: int) -> Settlement:
    told = f"{outcome.kind}: {outcome.summary}".rstrip(": ")
    if spent < max_attempts:
        return Settlement(state=TaskState.RETRYABLE, reason=told)
    if outcome.kind in (OutcomeKind.UNSTARTED, OutcomeKind.SENT_BACK):
        return Settlement(state=TaskState.BLOCKED, reason=told, ask="retry")
    every = f"all {max_attempts} attempts failed; the last" if max_attempts > 1 else "its only attempt"
    return Settlement(state=TaskState.DISCARDED, reason=f"{every} ended as {told}")
