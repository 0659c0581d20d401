"""A promotion through a pull request, pinned to the commit that was checked: `ops/sync/<commit>`, never `dev` itself.

A pull request whose head is the integration branch changes under review; this one cannot. It goes through the same
table as every change, and is merged by a merge commit: a squash would make the two branches diverge for ever.
"""

from __future__ import annotations

from ops_orchestrate.core.change import Landing, LandingEnd
from ops_orchestrate.core.merge.decide import decide
from ops_orchestrate.core.merge.failure import classify
from ops_orchestrate.core.merge.pull import Pull
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.snapshot import Act, Decision, MergeSnapshot
from ops_orchestrate.core.message import promotion_message, sync_body
from ops_orchestrate.core.promotion import (
    Promotion,
    PromotionState,
    goes_on,
    sync_branch,
)
from ops_orchestrate.engine.promotion.overtaken import close_overtaken, overtaken_by
from ops_orchestrate.engine.promotion.proof import promoted
from ops_orchestrate.engine.promotion.sync import Step, Sync
from ops_orchestrate.engine.seen import policy_of, snapshot_of
from ops_orchestrate.errors import SourceUnavailable


def promote_change(sync: Sync, known: Promotion | None) -> Step:
    """One look at the promotion's pull request, and the one thing that is to be done about it."""
    pursuit = known.pursuit if known else None
    if pursuit and sync.contains(sync.seen.main_head, pursuit.head):
        return promoted(sync, pursuit)  # by us, whose worker died then, or by a person
    if pursuit is None or known is None or not goes_on(known, sync.seen.head):
        opened = _open(sync)
        if not isinstance(opened, Pursuit):
            return opened
        pursuit = opened
    pull = sync.pulls.read(sync.repository, pursuit.number)
    pursuit = pursuit.saw(pull, sync.tools.ledger.now())
    decision = decide(_snapshot(sync, pursuit, pull))
    pursuit = pursuit.decided(decision)
    sync.keep(pursuit)
    return _act(sync, pursuit, pull, decision)


def _open(sync: Sync) -> Pursuit | Step:
    branch = sync_branch(sync.seen.head)
    landing = sync.pulls.publish(sync.repository, commit=sync.seen.head, branch=branch, expected="")
    if landing.end is LandingEnd.UNKNOWN:
        return PromotionState.PENDING, landing.detail
    if landing.end is not LandingEnd.LANDED:
        return PromotionState.REFUSED, f"{branch} could not be pushed: {landing.detail}"
    title = f"chore: sync {sync.seen.integration} → {sync.main}"
    body = sync_body(integration=sync.seen.integration, main=sync.main, run=sync.run.id, head=sync.seen.head)
    number = sync.pulls.open(sync.repository, branch=branch, base=sync.main, title=title, body=body)
    close_overtaken(sync)  # before it is remembered: a worker that dies in between comes here again
    pursuit = Pursuit(number=number, branch=branch, head=sync.seen.head, base=sync.seen.main_head)
    sync.keep(pursuit)
    sync.note("promotion", f"#{number} brings {sync.seen.integration} to {sync.main}")
    return pursuit


def _snapshot(sync: Sync, pursuit: Pursuit, pull: Pull) -> MergeSnapshot:
    preview = sync.tools.workshop.preview(sync.repository, sync.seen.main_head, pursuit.head)
    more = {"promotes": True, "method": "merge", "max_fixes": 0}
    return snapshot_of(
        pull,
        pursuit,
        now=sync.tools.ledger.now(),
        rules=sync.pulls.rules(sync.repository, sync.main),
        policy=policy_of(sync.repository, sync.run.request, sync.tools.settings, sync.main, **more),
        verified_head=pursuit.head,
        verified_base=sync.seen.main_head,
        verified_tree=preview.tree,
        base=sync.seen.main_head,
        base_checks=sync.pulls.checks(sync.repository, sync.seen.main_head),
        approved=sync.seen.approved,
        force=sync.seen.force,
        held=sync.held(),
        stopping=bool(sync.tools.ledger.runs.get(sync.run.id).stop),
        may_write=sync.pulls.may_write(sync.repository) or "",
        intended_at=pursuit.merged_at,
    )


def _act(sync: Sync, pursuit: Pursuit, pull: Pull, decision: Decision) -> Step:
    """Anything but waiting, running again and merging is for a person: no agent works on a promotion."""
    named = f"#{pursuit.number}: {decision.reason}"
    if decision.act is Act.WAIT and not decision.person:
        return PromotionState.PENDING, named
    if decision.act in (Act.LOOK, Act.RERUN):
        return _mend(sync, pursuit, pull, decision)
    if decision.act is Act.ASK:
        return PromotionState.WAITING, f"{named} (at {pursuit.head[:10]})"
    if decision.act is Act.RECONCILE:
        return _reconcile(sync, pursuit)
    if decision.act in (Act.MERGE, Act.ENQUEUE):
        return _merge(sync, pursuit, decision)
    if decision.row == "closed" and (newer := overtaken_by(sync, pursuit)):
        sync.keep(None)
        return PromotionState.SKIPPED, f"#{newer} brings a newer {sync.seen.integration} to {sync.main}"
    sync.keep(None)  # the next merge is promoted by another one; for the same head this one is found again
    return PromotionState.REFUSED, f"{named} [{decision.row}]"


def _mend(sync: Sync, pursuit: Pursuit, pull: Pull, decision: Decision) -> Step:
    checks = [check for check in pull.checks if check.id in decision.checks]
    if decision.act is Act.LOOK:
        kinds = {check.id: classify(sync.pulls.failed_jobs(sync.repository, check), check) for check in checks}
        sync.keep(pursuit.model_copy(update={"failures": pursuit.failures | kinds}))
        return PromotionState.PENDING, decision.reason
    runs = tuple(check.run for check in checks if check.run is not None)
    counted = pursuit.model_copy(update={"reruns": (*pursuit.reruns, *runs), "failures": {}})
    sync.keep(counted)
    for check in checks:
        sync.pulls.rerun(sync.repository, check)
    return PromotionState.PENDING, decision.reason


def _merge(sync: Sync, pursuit: Pursuit, decision: Decision) -> Step:
    asked = pursuit.model_copy(update={"merged_at": sync.tools.ledger.now()})
    sync.keep(asked)
    try:
        landing = _enqueue(sync, pursuit) if decision.act is Act.ENQUEUE else _ask(sync, pursuit)
    except SourceUnavailable:
        sync.keep(pursuit)  # it was not asked for: nothing is to be looked for
        raise
    if landing.end is LandingEnd.LANDED and decision.act is Act.ENQUEUE:
        sync.keep(pursuit.model_copy(update={"queued": pursuit.queued + 1}))
        return PromotionState.PENDING, f"#{pursuit.number} is in the merge queue of {sync.main}"
    if landing.end is LandingEnd.LANDED:
        return promoted(sync, asked, landing.commit)
    if landing.end is LandingEnd.UNKNOWN:
        return PromotionState.PENDING, landing.detail or f"#{pursuit.number} is on its way"
    counted = pursuit.refused()
    sync.keep(counted)
    if not counted.given_up(landing.end):
        return PromotionState.PENDING, landing.detail
    return PromotionState.REFUSED, f"#{pursuit.number}: the forge refused the merge: {landing.detail}"


def _enqueue(sync: Sync, pursuit: Pursuit) -> Landing:
    return sync.pulls.enqueue(sync.repository, pursuit.number, head=pursuit.head)


def _ask(sync: Sync, pursuit: Pursuit) -> Landing:
    message = promotion_message(integration=sync.seen.integration, main=sync.main, run=sync.run.id, head=pursuit.head)
    title, _, rest = message.partition("\n")
    return sync.pulls.merge(
        sync.repository,
        pursuit.number,
        head=pursuit.head,
        method="merge",
        title=f"{title} (#{pursuit.number})",
        message=rest.strip("\n"),
    )


def _reconcile(sync: Sync, pursuit: Pursuit) -> Step:
    if sync.contains(sync.seen.main_head, pursuit.head):
        return promoted(sync, pursuit)
    return PromotionState.PENDING, f"#{pursuit.number}: whether it was merged is not known yet"
