"""How a change gets to the forge and how its head moves there: only ever forward, and only to what was verified."""

from __future__ import annotations

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.change import Landing, LandingEnd
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pull import PullState
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.message import joining_message, pull_body, pull_title
from ops_orchestrate.core.names import change_branch, short
from ops_orchestrate.core.refusal import named
from ops_orchestrate.engine.landing.case import Case, end, snooze, verify_again, wait_for_person
from ops_orchestrate.engine.landing.lane import in_lane, wait_in_line
from ops_orchestrate.engine.landing.look import Look
from ops_orchestrate.engine.landing.text import bring_text_up_to_date
from ops_orchestrate.engine.step import Next
from ops_orchestrate.ports import PullRequests

_OVER = frozenset({PullState.MERGED, PullState.CLOSED})


def publish_change(case: Case, pulls: PullRequests) -> Pursuit | Next:
    """The verified head stands on its branch, and a pull request is open for it."""
    known = case.tools.ledger.attempts.pursuit(case.key.run, case.key.task)
    pursuit = known if known.branch else _begins_with(case, pulls)
    head = case.record.head
    if pursuit.number and (pursuit.head == head or not _is_open(case, pulls, pursuit.number)):
        if not known.branch:
            bring_text_up_to_date(case, pulls, pursuit)
        return pursuit  # what is merged or closed is pushed to no more; the look says which
    refused = pulls.may_write(case.repository)
    if refused:
        return wait_for_person(case, refused)
    if pursuit.head and not case.tools.workshop.is_ancestor(case.repository, pursuit.head, head):
        return _begun_anew(case, pursuit)
    stays = _push(case, pulls, pursuit)
    if stays is not None:
        return stays
    pursuit = pursuit.pushed(head, base=_base_now(case))
    redact = case.tools.secrets.redact
    number = pursuit.number or pulls.open(
        case.repository,
        branch=pursuit.branch,
        base=case.base,
        title=redact(pull_title(case.record.spec)),
        body=redact(pull_body(case.record, run=case.key.run, verified=case.tools.ledger.attempts.verified(case.key))),
    )
    pursuit = pursuit.model_copy(update={"number": number})
    bring_text_up_to_date(case, pulls, pursuit)
    if not case.tools.ledger.attempts.pursue(case.key, holder=case.holder, pursuit=pursuit):
        return Next.DROP
    case.note(EventKind.EVIDENCE, {"what": "change", "change": f"#{number}", "branch": pursuit.branch, "head": head})
    return pursuit


def _begins_with(case: Case, pulls: PullRequests) -> Pursuit:
    """What is known of a change that was never looked at: of the one that the task adopts, or nothing yet."""
    spec = case.record.spec
    if spec.change.isdigit() and spec.change_branch and _is_open(case, pulls, int(spec.change)):
        head = case.tools.workshop.head(case.repository, spec.change_branch) or ""
        base = _base_in(case, head) if head else ""
        return Pursuit(number=int(spec.change), branch=spec.change_branch, head=head, base=base)
    return Pursuit(branch=change_branch(case.key.run, case.key.task))


def _is_open(case: Case, pulls: PullRequests, number: int) -> bool:
    """One that somebody closed since is not gone on with: what is made after that is a change of its own."""
    return pulls.glance(case.repository, number, max_age=0.0).state not in _OVER


def _base_now(case: Case) -> str:
    return case.tools.workshop.head(case.repository, case.base) or ""


def _base_in(case: Case, head: str) -> str:
    """The newest commit of the base that a head of somebody else has: what its checks surely ran with."""
    return case.tools.workshop.diff(case.repository, _base_now(case), head).merge_base


def _begun_anew(case: Case, pursuit: Pursuit) -> Next:
    """The attempt did not go on from what stands on the branch. What others put there is never thrown away by that."""
    if pursuit.foreign_in == case.key.attempt:
        return verify_again(case, pursuit.head)  # it was to be followed, and the worker died before it was
    if pursuit.foreign_in:
        return wait_for_person(case, f"somebody has pushed to {pursuit.branch}, and the newest attempt lacks that")
    return verify_again(case, _joined(case, case.record.head, onto=pursuit.head))


def _push(case: Case, pulls: PullRequests, pursuit: Pursuit) -> Next | None:
    """None once the branch holds the verified head."""
    landing = pulls.publish(case.repository, commit=case.record.head, branch=pursuit.branch, expected=pursuit.head)
    if landing.end is LandingEnd.MOVED:
        met = _met(case, pulls, pursuit, landing)
        if isinstance(met, Next):
            return met
        landing = met
    if landing.end is LandingEnd.UNKNOWN:
        return snooze(case, landing.detail)
    if landing.end is not LandingEnd.LANDED:
        return wait_for_person(case, f"{pursuit.branch} could not be pushed: {landing.detail}", command=landing.command)
    return None


def _met(case: Case, pulls: PullRequests, pursuit: Pursuit, moved: Landing) -> Landing | Next:
    """Somebody pushed while the attempt was at work: both are kept, and what that makes is verified first."""
    work, head = case.tools.workshop, case.record.head
    work.refresh(case.repository)
    there = work.head(case.repository, pursuit.branch)
    if there is None:
        return moved
    if work.is_ancestor(case.repository, there, head):
        return pulls.publish(case.repository, commit=head, branch=pursuit.branch, expected=there)
    preview = work.preview(case.repository, there, head)
    if preview.conflicts:
        return wait_for_person(
            case, f"what somebody pushed to {pursuit.branch} conflicts in {named(preview.conflicts)}"
        )
    case.note(
        EventKind.WARNING, {"text": f"Somebody pushed to {pursuit.branch}: {short(there)} is joined and verified."}
    )
    message = f"Merge what was pushed to {pursuit.branch}\n"
    parents, at = (head, there), case.tools.ledger.now()
    return verify_again(
        case, work.commit_tree(case.repository, tree=preview.tree, parents=parents, message=message, at=at)
    )


def _joined(case: Case, head: str, *, onto: str) -> str:
    """A commit with the tree of `head` that grows from both: beginning anew moves the branch forward too."""
    work = case.tools.workshop
    return work.commit_tree(
        case.repository,
        tree=work.tree_of(case.repository, head),
        parents=(onto, head),
        message=joining_message(case.record.spec.title),
        at=case.tools.ledger.now(),
    )


def bring_up_to_date(case: Case, pulls: PullRequests, look: Look) -> Next:
    """The base is merged into the change, one change of a base at a time; then it is verified and pushed as it is.

    A look at what is shared is enough for it: before the push it is asked whether the change is still open.
    """
    del pulls
    settings = case.tools.settings
    if not in_lane(case, also=settings.gate_timeout):  # it is verified again before the next look
        return wait_in_line(case, look.pursuit)
    work, head = case.tools.workshop, case.record.head
    if work.is_ancestor(case.repository, look.seen.base, head):
        if look.seen.base != look.seen.verified_base:
            return verify_again(case)
        return snooze(case, "the forge does not show yet that it is up to date", settings.ci_poll)
    preview = work.preview(case.repository, look.seen.base, head)
    if preview.conflicts:
        words = f"It conflicts with the base in {named(preview.conflicts)}."
        return end(case, Outcome(kind=OutcomeKind.CONFLICT, summary=words, files=preview.conflicts, head=head))
    merged = work.commit_tree(
        case.repository,
        tree=preview.tree,
        parents=(head, look.seen.base),
        message=f"Merge {case.base} into {look.pursuit.branch}\n",
        at=case.tools.ledger.now(),
    )
    return verify_again(case, merged)


def follow_head(case: Case, pulls: PullRequests, look: Look) -> Next:
    """The change has a head that was not verified: an old answer of the forge, or a push by somebody else."""
    del pulls
    work, theirs, pursuit = case.tools.workshop, look.seen.pull.head, look.pursuit
    if theirs == case.record.head:
        return verify_again(case)
    work.refresh(case.repository)  # git knows where the branch is; what the forge says of it may be older
    if (work.head(case.repository, pursuit.branch) or "") != theirs:
        return snooze(case, "the forge still shows an older head", case.tools.settings.ci_poll)
    followed = pursuit.pushed(theirs, base=_base_in(case, theirs))
    followed = followed.model_copy(update={"foreign_in": case.key.attempt})
    if not case.tools.ledger.attempts.pursue(case.key, holder=case.holder, pursuit=followed):
        return Next.DROP
    case.note(EventKind.WARNING, {"text": f"Somebody pushed to {pursuit.branch}: {short(theirs)} is verified anew."})
    return verify_again(case, theirs)
