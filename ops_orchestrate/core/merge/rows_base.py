"""Rows about the base and the last step: is the verdict still for this base, may it be merged, has a person agreed?"""

from __future__ import annotations

from ops_orchestrate.core.merge.checks import BROKEN_OFF, CheckVerdict, current, verdict_of
from ops_orchestrate.core.merge.pull import MergeState
from ops_orchestrate.core.merge.ruling import Facts, Ruling, flag, listed, wait
from ops_orchestrate.core.merge.snapshot import Act
from ops_orchestrate.core.names import short

_FREE = frozenset({MergeState.CLEAN, MergeState.HAS_HOOKS})

_READS = 3
_TRIES = 5
_MOST_LOOKS = 40
#: So many times into one queue.
_MOST_ENTRIES = 2


def queued(facts: Facts) -> Ruling | None:
    """The queue brings it up to date and tests it by itself; an update would throw it out."""
    return wait("it is in the merge queue", at_most=_MOST_LOOKS) if facts.seen.pull.in_merge_queue else None


def base_unseen(facts: Facts) -> Ruling | None:
    """Without the base's head there is nothing that the verdict could be compared with."""
    return wait("the base cannot be seen now") if not facts.seen.base else None


def behind(facts: Facts) -> Ruling | None:
    """Its CI ran with another base. A green for the old base proves nothing for the new one."""
    seen = facts.seen
    if seen.pull.merge_state is MergeState.BEHIND:
        return Ruling(Act.UPDATE, "the base wants it to be up to date")
    if seen.rules.merge_queue or not (facts.checks.seen or seen.rules.strict):
        return None  # a queue tests the merge by itself, and without CI the gate alone is run again
    if seen.base != (seen.checks_base or seen.verified_base):
        return Ruling(Act.UPDATE, "the base has moved since its checks ran")  # the forge may not say so yet
    return None


def base_moved(facts: Facts) -> Ruling | None:
    """The tree that was verified is not the one that a merge would make now."""
    if facts.seen.base == facts.seen.verified_base:
        return None
    return Ruling(Act.REVERIFY, "the base has moved since it was verified")


def contradiction(facts: Facts) -> Ruling | None:
    """The forge calls it unstable, a draft or conflicting, and shows nothing of the kind."""
    state = facts.seen.pull.merge_state
    if state in _FREE or state is MergeState.BLOCKED:
        return None
    return wait(f"the forge says {state} and shows no reason", after=10.0, at_most=_READS)


def blocked(facts: Facts) -> Ruling | None:
    """Its own rules, of which this table knows only some."""
    if facts.seen.pull.merge_state is not MergeState.BLOCKED:
        return None
    why = "blocked by the forge's own rules"
    return wait(why, after=30.0, at_most=_TRIES, then=flag(f"{why}, for a reason that it does not show"))


def base_red(facts: Facts) -> Ruling | None:
    """Only the change that turns it green goes into a red base."""
    if facts.seen.fixes_base:
        return None
    red = {
        check.name
        for check in current(facts.seen.base_checks)
        if verdict_of(check) is CheckVerdict.RED
        and check.conclusion not in BROKEN_OFF  # a newer push did that: it says nothing of the base
    }
    return wait(f"the base itself is red: {listed(sorted(red))}", at_most=_MOST_LOOKS) if red else None


def method_not_allowed(facts: Facts) -> Ruling | None:
    """A merge queue has its own method."""
    seen = facts.seen
    if seen.rules.merge_queue or seen.policy.method in seen.rules.methods:
        return None
    return flag(f"the repository does not allow the method {seen.policy.method}")


def unprotected(facts: Facts) -> Ruling | None:
    """Between our look and the merge only the forge's own rules stand guard."""
    seen = facts.seen
    if (seen.rules.known and seen.rules.protected) or seen.policy.unprotected_ok or facts.approved:
        return None
    what = "has no protection" if seen.rules.known else "may have no protection (its rules cannot be read)"
    return Ruling(Act.ASK, f"ready to merge ({short(seen.pull.head)}), but {seen.policy.integration} {what}")


def unconfirmed(facts: Facts) -> Ruling | None:
    """The only row that `--force` skips."""
    if facts.seen.force or facts.approved:
        return None
    return Ruling(Act.ASK, f"verified and ready to merge ({short(facts.seen.pull.head)}); it waits for your yes")


def queue(facts: Facts) -> Ruling | None:
    """After the question: into the queue is as good as merged.

    A change that the queue throws out looks as good as before: its checks failed on the queue's own commit.
    """
    seen = facts.seen
    if not seen.rules.merge_queue:
        return None
    if seen.queued >= _MOST_ENTRIES:
        return flag(f"the merge queue of {seen.policy.integration} has thrown it out {seen.queued} times")
    return Ruling(Act.ENQUEUE, "verified and green, and the base has a merge queue")


def merge(facts: Facts) -> Ruling | None:
    """Everything else has been asked by now."""
    return Ruling(Act.MERGE, "verified and green, and nothing stands against it")
