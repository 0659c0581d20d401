"""Rows about people: what reviewers want, whether they have said yes to this very commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ops_orchestrate.core.merge.pull import Pull, Review, ReviewDecision, ReviewState, Thread
from ops_orchestrate.core.merge.ruling import Facts, Ruling, fix, flag, listed, wait, wait_for_person
from ops_orchestrate.core.merge.snapshot import Act
from ops_orchestrate.core.names import one_line

#: A later comment never takes an approval back, and never a demand for changes.
_SETTLES = frozenset({ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED, ReviewState.DISMISSED})


def standing(reviews: Iterable[Review]) -> Mapping[str, Review]:
    """The newest review that says anything, of each person who has a say."""
    latest: dict[str, Review] = {}
    for review in sorted(reviews, key=lambda r: r.at):
        if review.trusted and review.state in _SETTLES:
            latest[review.author.casefold()] = review
    return latest


def changes_requested(facts: Facts) -> Ruling | None:
    """Mended by an attempt, then asked for again; never dismissed."""
    seen = facts.seen
    demands = [r for r in standing(seen.pull.reviews).values() if r.state is ReviewState.CHANGES_REQUESTED]
    if not demands:
        if seen.pull.review_decision is not ReviewDecision.CHANGES_REQUESTED:
            return None
        return wait("the forge says that changes are asked for, and shows no such review", after=10.0, at_most=3)
    who = listed(one_line(review.author, 40) for review in demands)
    if all(review.at < seen.fixed_at for review in demands):
        return wait_for_person(f"{who} asked for changes; they were made, and wait to be looked at again")
    return fix(seen, f"{who} asked for changes", threads=_ids(_unresolved(seen.pull)))


def threads_to_mend(facts: Facts) -> Ruling | None:
    """A thread whose last word is not ours, said since the newest attempt."""
    seen = facts.seen
    new = [t for t in _unresolved(seen.pull) if not t.answered and not _dealt_with(t, seen.fixed_at)]
    if not new:
        return None
    strangers = [t for t in new if not _trusted(t)]
    if strangers:
        who = listed({one_line(t.comments[-1].author, 40) for t in strangers if t.comments}) or "somebody"
        return flag(f"{who} opened a review thread and has no say in the repository: a person answers it")
    return fix(seen, f"{len(new)} review threads are open", threads=_ids(new))


def threads_opened_again(facts: Facts) -> Ruling | None:
    """What we resolved and is open again was opened by a person who is not content."""
    again = [t for t in _unresolved(facts.seen.pull) if t.id in facts.seen.closed_threads]
    return wait_for_person(f"{len(again)} answered review threads were opened again") if again else None


def threads_to_answer(facts: Facts) -> Ruling | None:
    """An attempt has dealt with them. Every thread left open here is one of those."""
    dealt = _unresolved(facts.seen.pull)
    if not dealt:
        return None
    return Ruling(Act.ANSWER, f"{len(dealt)} review threads have been dealt with", threads=_ids(dealt))


def review_required(facts: Facts) -> Ruling | None:
    """It is never approved by us."""
    pull = facts.seen.pull
    if pull.review_decision is ReviewDecision.APPROVED:
        return None
    if pull.review_decision is ReviewDecision.REVIEW_REQUIRED or facts.seen.rules.required_approvals:
        return wait_for_person("it waits for a review")
    if pull.review_requests:
        return wait_for_person(f"it waits for a review by {listed(one_line(w, 40) for w in pull.review_requests)}")
    return None


def approved_earlier(facts: Facts) -> Ruling | None:
    """An approval is of one commit."""
    seen = facts.seen
    if seen.pull.review_decision is not ReviewDecision.APPROVED:
        return None
    approvals = [r for a, r in standing(seen.pull.reviews).items() if a != seen.pull.author.casefold()]
    valid = sum(r.state is ReviewState.APPROVED and r.commit == seen.pull.head for r in approvals)
    if valid >= max(1, seen.rules.required_approvals):
        return None
    return wait_for_person("it was approved at an earlier commit; this one waits for a review")


def _unresolved(pull: Pull) -> list[Thread]:
    return [thread for thread in pull.threads if not thread.resolved]


def _dealt_with(thread: Thread, fixed_at: float) -> bool:
    """Whether an attempt was published after its last word."""
    return bool(thread.comments) and thread.comments[-1].at < fixed_at


def _trusted(thread: Thread) -> bool:
    return bool(thread.comments) and thread.comments[-1].trusted


def _ids(threads: Iterable[Thread]) -> tuple[str, ...]:
    return tuple(thread.id for thread in threads)
