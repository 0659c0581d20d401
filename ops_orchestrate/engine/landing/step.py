"""Phase 5: a verified attempt gets into the integration branch, serial per base, proved afterwards.

Where the forge has pull requests it goes that way (`land_change`), else it is pushed (`land_branch`). Both write down
what they are about to do before they do it, and never do it twice blindly.
"""

from __future__ import annotations

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.states import Stage
from ops_orchestrate.engine.landing.branch import land_branch
from ops_orchestrate.engine.landing.case import Case, snooze
from ops_orchestrate.engine.landing.change import land_change
from ops_orchestrate.engine.landing.lane import leave_lane
from ops_orchestrate.engine.lease import keep
from ops_orchestrate.engine.step import Next, passed_on
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import GitError, SourceUnavailable
from ops_orchestrate.ports import PullRequests


def land(key: StageKey, holder: str, tools: Toolbox) -> Next:
    """Bring a verified attempt in, or say why not."""
    claim = tools.ledger.attempts.claim(key, Stage.LAND, holder=holder, host=tools.host, lease=tools.settings.lease)
    if claim.kind != "ok":
        return passed_on(claim)
    run = tools.ledger.runs.get(key.run)
    record = tools.ledger.tasks.get(key.run, key.task)
    case = Case(key, holder, run, record, run.request.portfolio.repository(record.spec.repo), tools)
    pulls = tools.pulls_of(case.repository)
    with keep(key, Stage.LAND, holder, tools):
        try:
            return land_branch(case) if pulls is None else _through_lane(case, pulls)
        except SourceUnavailable as error:
            return snooze(case, str(error), error.retry_after)
        except GitError as error:
            return snooze(case, str(error))


def _through_lane(case: Case, pulls: PullRequests) -> Next:
    """Whatever ends the attempt lets the next change to this base go on."""
    outcome = land_change(case, pulls)
    if outcome is Next.GO_ON:
        leave_lane(case)
    return outcome
