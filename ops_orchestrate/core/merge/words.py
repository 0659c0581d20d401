"""Sentences about reviews: for the next brief, and for a thread that is answered.

What goes into a brief is fenced there; here it is cleaned, cut and named. What goes to a person is one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ops_orchestrate.core.harmless import harmless
from ops_orchestrate.core.merge.pull import Pull, Review, ReviewState, Thread
from ops_orchestrate.core.names import clean_text, one_line, short

#: Characters of one comment, and how many threads and reviews a brief shows.
_COMMENT = 1_500
_MOST = 12


def review_words(pull: Pull, threads: Sequence[Thread]) -> str:
    """What reviewers want: the texts of reviews that ask for changes, and the open threads with their places."""
    parts = [
        f"{one_line(review.author, 60)} asks for changes: {clean_text(review.body, _COMMENT)}"
        for review in [one for one in _demands(pull) if one.body][-_MOST:]
    ]
    for thread in threads[:_MOST]:
        place = f"{one_line(thread.path, 200)}:{thread.line}" if thread.line else one_line(thread.path, 200)
        parts.append(f"Review comment at {place or 'the change'}:")
        parts += _said(thread)
    return "\n".join(parts)


def said_until(pull: Pull, threads: Sequence[Thread]) -> float:
    """When the newest of what `review_words` tells was said, by the forge's clock; 0 where nobody said anything."""
    return max(
        [*(one.at for one in _demands(pull)), *(one.at for thread in threads for one in thread.comments)], default=0.0
    )


def _demands(pull: Pull) -> Iterator[Review]:
    """What stands: whoever has approved since, or had the demand dismissed, wants it no more.

    Chosen before anything is cut: however many reviews strangers write, they crowd out none of these.
    """
    settled: dict[str, float] = {}
    for one in pull.reviews:
        if one.trusted and one.state in (ReviewState.APPROVED, ReviewState.DISMISSED):
            settled[one.author.casefold()] = max(one.at, settled.get(one.author.casefold(), one.at))
    for one in pull.reviews:
        wants = one.trusted and one.state is ReviewState.CHANGES_REQUESTED
        if wants and one.at >= settled.get(one.author.casefold(), one.at):
            yield one


def _said(thread: Thread) -> Iterator[str]:
    """Its last comments; nobody who has no say in the repository tells an agent what to do."""
    for one in thread.comments[-4:]:
        if one.trusted or one.ours:
            yield f"{one_line(one.author, 60)}: {clean_text(one.body, _COMMENT)}"
        else:
            yield f"(A comment by {one_line(one.author, 60)}, who has no say in the repository, is left out.)"


def thread_answer(head: str, summary: str) -> str:
    """What a thread is answered: which commit deals with it, and in whose words, which call and close nothing."""
    said = harmless(one_line(summary, 300))
    return f"Addressed in {short(head)}." + (f" {said}" if said else "")
