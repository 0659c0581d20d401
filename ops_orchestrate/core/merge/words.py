"""Sentences about reviews: for the next brief, and for a thread that is answered.

What goes into a brief is fenced there; here it is cleaned, cut and named. What goes to a person is one line.
"""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.merge.pull import Pull, ReviewState, Thread
from ops_orchestrate.core.names import clean_text, one_line

#: Characters of one comment, and how many threads and reviews a brief shows.
_COMMENT = 1_500
_MOST = 12


def review_words(pull: Pull, threads: Sequence[Thread]) -> str:
    """What reviewers want: the texts of reviews that ask for changes, and the open threads with their places."""
    parts = [
        f"{one_line(review.author, 60)} asks for changes: {clean_text(review.body, _COMMENT)}"
        for review in pull.reviews[-_MOST:]
        if review.state is ReviewState.CHANGES_REQUESTED and review.trusted and review.body
    ]
    for thread in threads[:_MOST]:
        place = f"{one_line(thread.path, 200)}:{thread.line}" if thread.line else one_line(thread.path, 200)
        parts.append(f"Review comment at {place or 'the change'}:")
        parts += [f"{one_line(one.author, 60)}: {clean_text(one.body, _COMMENT)}" for one in thread.comments[-4:]]
    return "\n".join(parts)


def thread_answer(head: str, summary: str) -> str:
    """What a thread is answered: which commit deals with it, and in whose words. No mention calls a person."""
    said = one_line(summary, 300).replace("@", "@\u200b")
    return f"Addressed in {head[:12]}." + (f" {said}" if said else "")
