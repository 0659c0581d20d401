"""The merge of a pull request: announced, asked for once with the verified head, and proved on the base.

The forge makes the commit, so its SHA is not known before. An answer that is lost is looked up, never asked for again
blindly: the base itself shows whether it has a commit with our key.
"""

from __future__ import annotations

from ops_orchestrate.core.change import Landing, LandingEnd, MergeIntent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pull import Conclusion, PullState
from ops_orchestrate.core.merge.receipt import receipt
from ops_orchestrate.core.message import squash_message
from ops_orchestrate.core.names import short
from ops_orchestrate.engine.landing.case import Case, merged, snooze, wait_for_person
from ops_orchestrate.engine.landing.lane import in_lane, wait_in_line
from ops_orchestrate.engine.landing.look import Look, merge_on
from ops_orchestrate.engine.step import Next
from ops_orchestrate.errors import GitError, SourceUnavailable
from ops_orchestrate.ports import PullRequests


def ask_for_merge(case: Case, pulls: PullRequests, look: Look) -> Next:
    """Ask the forge to merge the verified head, if it is this change's turn."""
    if not look.whole or not in_lane(case):
        return wait_in_line(case, look.pursuit)
    if not _announce(case, look):
        return Next.DROP
    title, _, message = squash_message(
        case.record, run=case.key.run, summary=case.tools.ledger.attempts.verified(case.key).summary
    ).partition("\n")
    try:
        landing = pulls.merge(
            case.repository,
            look.pursuit.number,
            head=look.seen.pull.head,
            method=look.seen.policy.method,
            title=case.tools.secrets.redact(f"{title} (#{look.pursuit.number})"),
            message=message.strip("\n"),
        )
    except SourceUnavailable:
        case.tools.ledger.attempts.drop_intent(case.key)  # it was not asked for
        raise
    if landing.end is LandingEnd.LANDED:
        green = [one.name for one in look.seen.pull.checks if one.conclusion is Conclusion.SUCCESS]
        facts, seconds = case.tools.ledger.facts, look.seen.pull.ci_seconds
        facts.merged_with(case.repository.key, case.base, green, seconds=seconds)
    return _after(case, look, landing)


def enqueue(case: Case, pulls: PullRequests, look: Look) -> Next:
    """Into the base's merge queue; the forge merges it when its turn comes."""
    if not _announce(case, look):
        return Next.DROP
    try:
        landing = pulls.enqueue(case.repository, look.pursuit.number, head=look.seen.pull.head)
    except SourceUnavailable:
        case.tools.ledger.attempts.drop_intent(case.key)
        raise
    if landing.end is not LandingEnd.LANDED:
        return _after(case, look, landing)
    inside = look.pursuit.model_copy(update={"queued": look.pursuit.queued + 1, "merged_at": 0.0})
    if not case.tools.ledger.attempts.pursue(case.key, holder=case.holder, pursuit=inside):
        return Next.DROP
    return snooze(case, f"it is in the merge queue of {case.base}", case.tools.settings.ci_poll)


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
    attempts = case.tools.ledger.attempts
    asked = pursuit.model_copy(update={"merged_at": case.tools.ledger.now()})
    if not attempts.pursue(case.key, holder=case.holder, pursuit=asked):
        return False
    case.note(EventKind.EVIDENCE, {"what": "merge gate", **receipt(seen, look.decision)})
    return bool(attempts.intend(case.key, holder=case.holder, intent=intent))


def _after(case: Case, look: Look, landing: Landing) -> Next:
    if landing.end is LandingEnd.LANDED:
        return _prove(case, landing.commit, look.seen.pull.head)
    if landing.end is LandingEnd.UNKNOWN:
        return snooze(case, landing.detail, min(5.0, case.tools.settings.ci_poll))
    attempts = case.tools.ledger.attempts
    attempts.drop_intent(case.key)
    counted = look.pursuit.refused()
    if not attempts.pursue(case.key, holder=case.holder, pursuit=counted):
        return Next.DROP
    if not counted.given_up(landing.end):
        return snooze(case, landing.detail, min(5.0 * counted.refusals, case.tools.settings.ci_poll))
    case.note(EventKind.MERGE_REFUSED, {"reason": landing.detail, "command": landing.command})
    return wait_for_person(case, f"the forge refused the merge: {landing.detail}", command=landing.command)


def reconcile_merge(case: Case, pulls: PullRequests, look: Look) -> Next:
    """It is merged, or a merge was asked for whose end nobody knows: the base says which.

    What has not turned up is looked for again; the rule says for how long, and decides anew then.
    """
    del pulls
    pull = look.seen.pull
    commit = pull.merge_commit if pull.state is PullState.MERGED else ""
    commit = commit or merge_on(case, case.base)
    if commit:
        return _prove(case, commit, pull.head if pull.state is PullState.MERGED else case.record.head)
    return snooze(case, look.decision.reason, min(5.0, case.tools.settings.ci_poll))


def _prove(case: Case, commit: str, head: str) -> Next:
    """A merge counts once git shows the commit on the base, holding just what `head` and the base before it hold."""
    work, attempts = case.tools.workshop, case.tools.ledger.attempts
    work.refresh(case.repository)
    base = work.head(case.repository, case.base) or ""
    if not commit or not base or not _is_on(case, commit, base):
        return snooze(case, "the merge is not visible on the base yet", 2.0)
    intent, verified = attempts.intent(case.key.run, case.key.task), attempts.verified(case.key)
    parent = work.parents_of(case.repository, commit)[0]
    tree = work.tree_of(case.repository, commit)
    if head != case.record.head:
        verified_last = short(case.record.head)
        text = f"{case.key.task} was merged by somebody at {short(head)}, not at {verified_last} as verified last."
        case.note(EventKind.WARNING, {"text": text})
    elif tree not in _expected(case, parent, verified.base):
        return _frozen(case, commit)
    if parent != verified.base:
        meant = short(verified.base)
        text = f"{case.key.task} was merged onto {short(parent)}, not onto {meant} which it was verified with."
        case.note(EventKind.WARNING, {"text": text})
    asked = intent if intent and intent.head == head else None
    proved = (asked or _late_intent(case, head)).model_copy(update={"commit": commit, "base": parent, "tree": tree})
    return merged(case, proved, verified)


def _is_on(case: Case, commit: str, base: str) -> bool:
    try:
        return case.tools.workshop.is_ancestor(case.repository, commit, base)
    except GitError:  # the mirror has no such commit yet
        return False


def _expected(case: Case, parent: str, verified_base: str) -> set[str]:
    """Trees that a merge may have: onto its parent, or (a person may rebase) in several commits onto what was seen."""
    work = case.tools.workshop
    bases = dict.fromkeys((parent, verified_base))
    return {work.preview(case.repository, base, case.record.head).tree for base in bases} - {""}


def _late_intent(case: Case, head: str) -> MergeIntent:
    """For a change that a person, or the forge by itself, has merged."""
    number = case.tools.ledger.attempts.pursuit(case.key.run, case.key.task).number
    return MergeIntent(
        repo=case.repository.key,
        branch=case.base,
        base="",
        head=head,
        tree="",
        commit="",
        change=number,
        by="somebody else",
    )


def _frozen(case: Case, commit: str) -> Next:
    """The merged commit does not hold what was verified: nothing more goes onto this base until a person has looked."""
    case.tools.ledger.facts.freeze(case.repository.key, case.base, run=case.key.run, task=case.key.task)
    reason = (
        f"{short(commit)} on {case.base} does not hold what was verified. Nothing more is merged there until you "
        "have looked; to take it back, revert that commit in a pull request"
    )
    command = f"git revert {commit}"
    return wait_for_person(case, reason, ask="merged", command=command)
