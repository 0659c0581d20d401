"""The merge of a pull request: announced, asked for once with the verified head, and proved on the base.

The forge makes the commit, so its SHA is not known before. An answer that is lost is looked up, never asked for again
blindly: the base itself shows whether it has a commit with our key.
"""

from __future__ import annotations

from ops_orchestrate.core.change import Landing, LandingEnd, MergeIntent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pull import PullState
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.message import squash_message
from ops_orchestrate.engine.landing.case import Case, merged, snooze, wait_for_person
from ops_orchestrate.engine.landing.lane import in_lane
from ops_orchestrate.engine.landing.look import Look, merge_on_base
from ops_orchestrate.engine.step import Next
from ops_orchestrate.ports import PullRequests


def ask_for_merge(case: Case, pulls: PullRequests, look: Look) -> Next:
    """Ask the forge to merge the verified head, if it is this change's turn."""
    if not in_lane(case):
        return snooze(case, f"another change to {case.base} goes first", case.tools.settings.ci_poll)
    if not _announce(case, look):
        return Next.DROP
    title, _, message = squash_message(
        case.record, run=case.key.run, summary=case.tools.ledger.attempts.verified(case.key).summary
    ).partition("\n")
    landing = pulls.merge(
        case.repository,
        look.pursuit.number,
        head=look.seen.pull.head,
        method=look.seen.policy.method,
        title=f"{title} (#{look.pursuit.number})",
        message=message.strip("\n"),
    )
    return _after(case, landing)


def enqueue(case: Case, pulls: PullRequests, look: Look) -> Next:
    """Into the base's merge queue; the forge merges it when its turn comes."""
    if not _announce(case, look):
        return Next.DROP
    landing = pulls.enqueue(case.repository, look.pursuit.number, head=look.seen.pull.head)
    if landing.end is LandingEnd.LANDED:
        return snooze(case, f"it is in the merge queue of {case.base}", case.tools.settings.ci_poll)
    return _after(case, landing)


def _announce(case: Case, look: Look) -> bool:
    """Write down what is about to be asked; False if the claim was lost."""
    seen, pursuit = look.seen, look.pursuit
    intent = MergeIntent(
        repo=case.repository.key,
        branch=case.base,
        base=seen.base,
        head=seen.pull.head,
        tree=seen.verified_tree,
        commit="",
        change=pursuit.number,
        method=seen.policy.method,
    )
    asked = pursuit.model_copy(update={"merged_at": seen.now})
    attempts = case.tools.ledger.attempts
    if not attempts.pursue(case.key, holder=case.holder, pursuit=asked):
        return False
    return attempts.intend(case.key, holder=case.holder, intent=intent)


def _after(case: Case, landing: Landing) -> Next:
    if landing.end is LandingEnd.LANDED:
        return _prove(case, landing.commit)
    if landing.end is LandingEnd.UNKNOWN:
        return snooze(case, landing.detail, 5.0)
    case.tools.ledger.attempts.drop_intent(case.key)
    if landing.end is LandingEnd.MOVED:
        return snooze(case, landing.detail, 1.0)
    case.note(EventKind.MERGE_REFUSED, {"reason": landing.detail, "command": landing.command})
    return wait_for_person(case, f"the forge refused the merge: {landing.detail}", command=landing.command)


def reconcile_merge(case: Case, pulls: PullRequests, look: Look) -> Pursuit | Next:
    """It is merged, or a merge was asked for whose end nobody knows: the base says which."""
    del pulls
    pull = look.seen.pull
    commit = pull.merge_commit if pull.state is PullState.MERGED else merge_on_base(case)
    if commit:
        return _prove(case, commit)
    # The rule has waited long enough for a merge that never came: it was not done, and may be asked for again.
    case.tools.ledger.attempts.drop_intent(case.key)
    return look.pursuit.model_copy(update={"merged_at": 0.0})


def _prove(case: Case, commit: str) -> Next:
    """A merge counts once git shows the commit on the base, holding just what was verified."""
    work = case.tools.workshop
    work.refresh(case.repository)
    base = work.head(case.repository, case.base) or ""
    if not commit or not base or not work.is_ancestor(case.repository, commit, base):
        return snooze(case, "the merge is not visible on the base yet", 2.0)
    intent = case.tools.ledger.attempts.intent(case.key.run, case.key.task)
    verified = case.tools.ledger.attempts.verified(case.key)
    parent = work.parents_of(case.repository, commit)[0]
    expected = work.preview(case.repository, parent, case.record.head).tree
    if work.tree_of(case.repository, commit) != expected:
        return _frozen(case, commit)
    if parent != verified.base:
        text = (
            f"{case.key.task} was merged onto {parent[:10]}, not onto {verified.base[:10]} which it was verified with."
        )
        case.note(EventKind.WARNING, {"text": text})
    proved = (intent or _late_intent(case, parent, expected)).model_copy(
        update={"commit": commit, "base": parent, "tree": expected}
    )
    return merged(case, proved)


def _late_intent(case: Case, base: str, tree: str) -> MergeIntent:
    """For a change that a person, or the forge by itself, has merged."""
    number = case.tools.ledger.attempts.pursuit(case.key.run, case.key.task).number
    return MergeIntent(
        repo=case.repository.key,
        branch=case.base,
        base=base,
        head=case.record.head,
        tree=tree,
        commit="",
        change=number,
        by="somebody else",
    )


def _frozen(case: Case, commit: str) -> Next:
    """The merged commit does not hold what was verified: nothing more goes onto this base until a person has looked."""
    case.tools.ledger.facts.freeze(case.repository.key, case.base, run=case.key.run, task=case.key.task)
    reason = (
        f"{commit[:10]} on {case.base} does not hold what was verified. Nothing more is merged there until you have "
        "looked; to take it back, revert that commit in a pull request"
    )
    command = f"git revert {commit}"
    return wait_for_person(case, reason, ask="merged", command=command)
