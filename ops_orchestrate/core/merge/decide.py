"""The merge gate: one pure decision over one frozen snapshot. First match wins; every row but the last stands against
merging.

A verdict is valid for exactly one head on one base. `--force` skips the row `unconfirmed` and nothing else. What has
been merged is proved before anything stops the run, because a proof changes nothing outside.
"""

from __future__ import annotations

from ops_orchestrate.core.merge import rows_base, rows_checks, rows_reviews, rows_state
from ops_orchestrate.core.merge.checks import CheckSummary, summarise
from ops_orchestrate.core.merge.ruling import Facts, Row, Ruling, flag
from ops_orchestrate.core.merge.snapshot import Act, Decision, MergeSnapshot

ROWS: tuple[Row, ...] = (
    Row("dry-run", rows_state.dry_run),
    # Is it over?
    Row("landed", rows_state.landed),
    Row("landed-elsewhere", rows_state.landed_elsewhere),
    Row("merged", rows_state.merged),
    Row("unknown-outcome", rows_state.unknown_outcome),
    # May anything be done at all, and can anything be said?
    Row("stopping", rows_state.stopping),
    Row("held", rows_state.held),
    Row("may-not-write", rows_state.may_write),
    Row("unreadable", rows_state.unreadable),
    # Is it the change that we made and verified?
    Row("closed", rows_state.closed),
    Row("other-base", rows_state.other_base),
    Row("foreign", rows_state.foreign),
    Row("merges-by-itself", rows_state.merged_by_itself),
    Row("not-verified", rows_state.not_verified),
    Row("draft", rows_state.draft),
    Row("work-in-progress", rows_state.work_in_progress),
    Row("not-computed", rows_state.not_computed),
    Row("conflict", rows_state.conflict),
    # Do the checks prove anything, and what?
    Row("no-checks-yet", rows_checks.no_checks_yet),
    Row("no-evidence", rows_checks.no_evidence),
    Row("no-ci-to-main", rows_checks.no_ci_to_main),
    Row("needs-approval", rows_checks.needs_approval),
    Row("red-not-looked-at", rows_checks.red_not_looked_at),
    Row("red-code", rows_checks.red_code),
    Row("red-billing", rows_checks.red_billing),
    Row("red-elsewhere", rows_checks.red_elsewhere),
    Row("pending", rows_checks.pending),
    Row("unproved", rows_checks.unproved),
    Row("nothing-passed", rows_checks.nothing_passed),
    Row("settling", rows_checks.settling),
    # What do people say? Threads before a missing review: its reviewer may be waiting for their answer.
    Row("changes-requested", rows_reviews.changes_requested),
    Row("threads-to-mend", rows_reviews.threads_to_mend),
    Row("threads-opened-again", rows_reviews.threads_opened_again),
    Row("threads-to-answer", rows_reviews.threads_to_answer),
    Row("review-required", rows_reviews.review_required),
    Row("approved-earlier", rows_reviews.approved_earlier),
    # Is it still true for the base of now, and may it go in?
    Row("queued", rows_base.queued),
    Row("base-unseen", rows_base.base_unseen),
    Row("behind", rows_base.behind),
    Row("base-moved", rows_base.base_moved),
    Row("contradiction", rows_base.contradiction),
    Row("blocked", rows_base.blocked),
    Row("base-red", rows_base.base_red),
    Row("method-not-allowed", rows_base.method_not_allowed),
    Row("unprotected", rows_base.unprotected),
    Row("unconfirmed", rows_base.unconfirmed),
    Row("queue", rows_base.queue),
    Row("merge", rows_base.merge),
)


def decide(seen: MergeSnapshot) -> Decision:
    """The one thing to do now, and the row that says so."""
    return decide_on(Facts(seen, checks_of(seen)))


def decide_on(facts: Facts) -> Decision:
    """The same for who has summed up the checks already."""
    for name, rule in ROWS:
        ruling = rule(facts)
        if ruling is not None:
            return _decision(facts.seen, name, ruling)
    raise AssertionError("the last row matches always")


def checks_of(seen: MergeSnapshot) -> CheckSummary:
    """What the checks on the head amount to, by what the base, the owner and earlier merges expect."""
    policy = seen.policy
    return summarise(
        seen.pull.checks,
        required=seen.rules.required_checks,
        expected=(*policy.expected_checks, *seen.usual_checks),
        skippable=policy.skippable_checks,
    )


def _decision(seen: MergeSnapshot, row: str, ruling: Ruling) -> Decision:
    waits = seen.waits if seen.waited == row else 0
    if ruling.at_most and waits >= ruling.at_most:
        ruling = ruling.then or flag(f"{ruling.reason}; {waits} looks have changed nothing")
    pause = ruling.pauses[min(waits, len(ruling.pauses) - 1)] if ruling.pauses else 0.0
    return Decision(
        act=ruling.act,
        row=row,
        reason=ruling.reason,
        after=max(ruling.after, pause) if ruling.act is Act.WAIT else 0.0,
        person=ruling.person,
        checks=ruling.checks,
        threads=ruling.threads,
    )
