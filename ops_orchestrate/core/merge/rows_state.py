"""Rows about the pull request itself: is it over, is it readable, is it ours, is it what was verified?"""

from __future__ import annotations

import re

from ops_orchestrate.core.merge import rows_checks
from ops_orchestrate.core.merge.pull import Mergeable, MergeState, PullState, ReviewDecision, ReviewState
from ops_orchestrate.core.merge.ruling import Facts, Ruling, block, fix, flag, wait, wait_for_person
from ops_orchestrate.core.merge.snapshot import Act
from ops_orchestrate.core.names import one_line

_SHA = re.compile(r"(?!0+$)(?:[0-9a-f]{40}|[0-9a-f]{64})")
_WORK_IN_PROGRESS = re.compile(
    r"\A\W{0,3}(?:wip\b|draft\s?[\]:)])|\bwork[ _-]in[ _-]progress\b|\bdo(?:[ _-]?not|n'?t)[ _-]?merge\b", re.IGNORECASE
)

#: Reads of something that the forge computes lazily, or serves from a copy that lags: about three hours of them.
_MOST_READS = 40
_BACK_OFF = (5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)


def dry_run(facts: Facts) -> Ruling | None:
    """It comes first: what is only tried changes nothing outside, whatever else is true."""
    return wait("a dry run merges nothing") if facts.seen.dry_run else None


def landed(facts: Facts) -> Ruling | None:
    """A call without an answer may have merged, also where the pull request still reads as open."""
    if not facts.seen.landed:
        return None
    still = "" if facts.seen.pull.state is PullState.MERGED else ", though the pull request does not read as merged"
    return Ruling(Act.RECONCILE, f"the base has it{still}")


def landed_elsewhere(facts: Facts) -> Ruling | None:
    """The forge pins the head of a merge and not its base."""
    where = facts.seen.landed_elsewhere
    return flag(f"it was merged into {one_line(where, 80)}, which nobody wanted") if where else None


def merged(facts: Facts) -> Ruling | None:
    """The forge's word is no proof: the step looks at the base."""
    if facts.seen.pull.state is not PullState.MERGED:
        return None
    return Ruling(
        Act.RECONCILE,
        "the forge says that it is merged",
        at_most=_MOST_READS,
        then=flag("the forge says that it is merged and its base does not have it"),
    )


def unknown_outcome(facts: Facts) -> Ruling | None:
    """Never repeated blindly; what has not turned up in time is decided about anew."""
    seen = facts.seen
    if not seen.intended_at or seen.now - seen.intended_at >= seen.policy.reconcile:
        return None
    return Ruling(Act.RECONCILE, "a merge was asked for and its outcome is not known")


def stopping(facts: Facts) -> Ruling | None:
    """A stop leaves it as it stands; it can be gone on with."""
    return wait("the run is being stopped") if facts.seen.stopping else None


def held(facts: Facts) -> Ruling | None:
    """The base is closed to all of us, not to this change alone."""
    return wait(facts.seen.held) if facts.seen.held else None


def may_write(facts: Facts) -> Ruling | None:
    """No repetition gives us a right that we lack."""
    return flag(facts.seen.may_write) if facts.seen.may_write else None


def unreadable(facts: Facts) -> Ruling | None:
    """From an answer that is cut, mixed or has words unknown to us nothing is concluded."""
    pull = facts.seen.pull
    if not pull.complete:
        why = pull.problem or "the forge's answer is not complete"
    elif pull.state is PullState.UNKNOWN:
        why = "the forge calls its state something that we do not know"
    elif not _SHA.fullmatch(pull.head):
        why = "the forge names no commit as its head"
    elif pull.checks_of != pull.head:
        why = "its checks were read for another commit than its head"
    elif pull.review_decision is ReviewDecision.UNKNOWN or any(r.state is ReviewState.UNKNOWN for r in pull.reviews):
        why = "the forge calls its reviews something that we do not know"
    else:
        return None
    return wait(why, pauses=_BACK_OFF, at_most=_MOST_READS)


def closed(facts: Facts) -> Ruling | None:
    """Somebody has decided that."""
    if facts.seen.pull.state is not PullState.CLOSED:
        return None
    return flag("somebody closed it without merging; it is not opened again")


def other_base(facts: Facts) -> Ruling | None:
    """A verdict for one branch is none for another."""
    base = facts.seen.pull.base_ref
    if base == facts.seen.policy.integration:
        return None
    return block(f"it is for {one_line(base, 80)}, not for {facts.seen.policy.integration}")


def foreign(facts: Facts) -> Ruling | None:
    """What others made is theirs to merge."""
    pull, authors = facts.seen.pull, facts.seen.policy.merge_authors
    if pull.cross_repository or not pull.ours:
        return block(f"it is not ours ({one_line(pull.author, 40) or 'author unknown'}); a person merges it")
    if authors and pull.author.casefold() not in {author.casefold() for author in authors}:
        return block(f"its author {one_line(pull.author, 40)} is not among `merge_authors`")
    return None


def merged_by_itself(facts: Facts) -> Ruling | None:
    """Somebody has asked the forge to merge it whenever *its* rules allow: without our verdict, or the owner's yes."""
    seen = facts.seen
    if seen.pull.auto_merge:
        who = one_line(seen.pull.auto_merge, 40)
        return flag(f"{who} switched auto-merge on: the forge may merge it without our verdict")
    if seen.pull.in_merge_queue and not (seen.force or facts.approved):
        return flag("somebody put it into the merge queue: the forge may merge it without your yes")
    return None


def not_verified(facts: Facts) -> Ruling | None:
    """A verdict is for one head, on one base, with one tree."""
    seen = facts.seen
    if not (seen.verified_head and seen.verified_base and seen.verified_tree):
        return Ruling(Act.REVERIFY, "there is no verdict")
    if seen.pull.head != seen.verified_head:
        return Ruling(Act.REVERIFY, "it has another head than the one verified")
    return None


def draft(facts: Facts) -> Ruling | None:
    """Whoever made it one has to make it ready."""
    return wait_for_person("it is a draft") if facts.seen.pull.draft else None


def work_in_progress(facts: Facts) -> Ruling | None:
    """A draft by another name."""
    pull = facts.seen.pull
    says = next((text for text in (*pull.labels, pull.title) if _WORK_IN_PROGRESS.search(text)), None)
    return wait_for_person(f"it says {one_line(says, 60)!r}") if says is not None else None


def not_computed(facts: Facts) -> Ruling | None:
    """Never read as a conflict, and never as none. While the checks let nothing in anyway, nobody asks again for it."""
    pull = facts.seen.pull
    if pull.mergeable is not Mergeable.UNKNOWN and pull.merge_state is not MergeState.UNKNOWN:
        return None
    why, after = "the forge has not computed whether it merges", rows_checks.not_before(facts)
    return wait(why, after=after, pauses=_BACK_OFF, at_most=_MOST_READS)


def conflict(facts: Facts) -> Ruling | None:
    """Read twice, because lagging copies call things conflicts that are none."""
    pull = facts.seen.pull
    if pull.mergeable is not Mergeable.CONFLICTING and pull.merge_state is not MergeState.DIRTY:
        return None
    again = "it conflicts with its base, says the forge; read once more"
    return wait(again, after=5.0, at_most=1, then=fix(facts.seen, "it conflicts with its base"))
