"""One look at a pull request: the frozen snapshot behind the decision, gathered in one place, and the decision."""

from __future__ import annotations

from dataclasses import dataclass

from ops_orchestrate.core.landing import is_main
from ops_orchestrate.core.merge.decide import decide
from ops_orchestrate.core.merge.pull import Pull
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.snapshot import Act, Decision, MergePolicy, MergeSnapshot
from ops_orchestrate.core.message import MERGE_KEY, merge_key
from ops_orchestrate.engine.frozen import held
from ops_orchestrate.engine.landing.case import Case
from ops_orchestrate.engine.landing.lane import another_goes_first
from ops_orchestrate.engine.seen import SHARED, policy_of, snapshot_of
from ops_orchestrate.ports import PullRequests

#: What is decided just before something goes in: by then the base itself and our rights count as well.
_GOING_IN = frozenset({Act.MERGE, Act.ENQUEUE, Act.ASK})
#: The row of a wait after which only time was missing.
_SETTLING = "settling"
_WORKFLOWS = ".github/workflows"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, what the table says of it, and what is remembered."""

    seen: MergeSnapshot
    decision: Decision
    pursuit: Pursuit
    whole: bool
    """The change was read for itself, with all that a merge needs; a glance is enough to wait, and for nothing else."""


def take_look(case: Case, pulls: PullRequests, pursuit: Pursuit) -> Look:
    """The shared answer where it says "wait" or "update", else this change read for itself.

    An update is only prepared: it is verified, and asked whether the change is still open, before it is pushed. Who
    waits for a person is read anew as well: that person may have acted a moment ago, and has sent us here. Where only
    time was missing the shared answer would say "merge", and is not asked for.
    """
    if pursuit.row == _SETTLING and _stands(case, pursuit) and not another_goes_first(case):
        return _judged(case, pulls, pursuit, pulls.read(case.repository, pursuit.number), whole=True)
    shared = pulls.glance(case.repository, pursuit.number, SHARED * case.tools.settings.ci_poll)
    look = _judged(case, pulls, pursuit, shared, whole=False)
    if shared.complete and _enough(case, look):
        return look
    return _judged(case, pulls, pursuit, pulls.read(case.repository, pursuit.number), whole=True)


def _stands(case: Case, pursuit: Pursuit) -> bool:
    """Whether the base is still the one that its checks ran with."""
    return case.tools.workshop.head(case.repository, case.base) == pursuit.base


def _enough(case: Case, look: Look) -> bool:
    """Whether what is shared will do."""
    match look.decision.act:
        case Act.WAIT:
            return not look.decision.person
        case Act.UPDATE:
            # A base that has it, or that it conflicts with: somebody may have merged it since the shared look.
            preview = case.tools.workshop.preview(case.repository, look.seen.base, case.record.head)
            return not (preview.empty or preview.conflicts)
        case Act.MERGE:
            return another_goes_first(case)  # its turn comes later: it is read then
    return False


def _judged(case: Case, pulls: PullRequests, pursuit: Pursuit, pull: Pull, *, whole: bool) -> Look:
    pursuit = pursuit.saw(pull, case.tools.ledger.now()).model_copy(update={"in_line": False})
    seen = change_snapshot(case, pulls, pursuit, pull)
    decision = decide(seen)
    if whole and decision.act in _GOING_IN:
        seen = seen.model_copy(update=_of_the_base(case, pulls, seen.base, pull))
        decision = decide(seen)
    return Look(seen, decision, pursuit.decided(decision), whole)


def _of_the_base(case: Case, pulls: PullRequests, base: str, pull: Pull) -> dict[str, object]:
    """What only a merge needs, and what it costs the forge something to say."""
    return {
        "base_checks": pulls.checks(case.repository, base, seen=pull) if base else (),
        "may_write": pulls.may_write(case.repository) or "",
    }


def change_snapshot(case: Case, pulls: PullRequests, pursuit: Pursuit, pull: Pull) -> MergeSnapshot:
    """Everything that decides, read once, but for the state of the base's own checks and our rights."""
    attempts = case.tools.ledger.attempts
    verified = attempts.verified(case.key)
    base = case.tools.workshop.head(case.repository, case.base) or ""
    intent = attempts.intent(case.key.run, case.key.task)
    landed = bool(intent and merge_on(case, case.base))
    astray = intent and not landed and pull.base_ref != case.base and merge_on(case, pull.base_ref)
    return snapshot_of(
        pull,
        pursuit,
        now=case.tools.ledger.now(),
        rules=pulls.rules(case.repository, case.base),
        policy=merge_policy(case),
        verified_head=verified.head,
        verified_base=verified.base,
        verified_tree=verified.tree,
        base=base,
        fixes_base=case.record.spec.fixes_base,
        approved=case.tools.ledger.tasks.approved(case.key.run, case.key.task),
        force=case.run.request.force and not _spared(case),
        dry_run=case.run.request.dry_run,
        stopping=bool(attempts.stop_asked(case.key.run, case.key.task)),
        held=_held(case),
        intended_at=pursuit.merged_at if intent else 0.0,
        landed=landed,
        landed_elsewhere=pull.base_ref if astray else "",
        ci_seconds=case.tools.ledger.facts.usual_ci(case.repository.key, case.base),
        usual_checks=case.tools.ledger.facts.usual_checks(case.repository.key, case.base),
    )


def merge_on(case: Case, branch: str) -> str:
    """The commit on a branch that carries our key for this head; empty where there is none."""
    intent = case.tools.ledger.attempts.intent(case.key.run, case.key.task)
    trailer = f"{MERGE_KEY}: {merge_key(case.record)}"
    since = intent.base if intent else ""
    return case.tools.workshop.find_commit(case.repository, branch, since=since, trailer=trailer) or ""


def _spared(case: Case) -> bool:
    """The base is main, and the run is to leave main alone: only a person's own yes moves it, whatever the flags."""
    return case.run.request.no_main and is_main(case.base, case.repository.main)


def _held(case: Case) -> str:
    """Why nothing goes onto this base at all for now."""
    return held(case.repository, case.base, case.tools, but=(case.key.run, case.key.task))


def merge_policy(case: Case) -> MergePolicy:
    """What the owner wants of this repository."""
    workflows = case.tools.workshop.list_files(case.repository, case.record.head, _WORKFLOWS)
    more = {"has_workflows": bool(workflows)}
    return policy_of(case.repository, case.run.request, case.tools.settings, case.base, **more)
