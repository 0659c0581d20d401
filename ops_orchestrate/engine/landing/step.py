"""Phase 5: a verified attempt gets into the integration branch, serial per base, proved afterwards.

Where the forge has pull requests it goes that way (`land_change`), else it is pushed (`land_branch`). Both write down
what they are about to do before they do it, and never do it twice blindly.
"""

from __future__ import annotations

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.progress import Phase
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import Stage
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.landing.branch import land_branch
from ops_orchestrate.engine.landing.case import Case, snooze, wait_for_person
from ops_orchestrate.engine.landing.change import land_change
from ops_orchestrate.engine.landing.lane import leave_lane
from ops_orchestrate.engine.lease import boot_clock, keep
from ops_orchestrate.engine.regate import with_gate
from ops_orchestrate.engine.step import Next, passed_on
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import GitError, LedgerUnavailable, OpsError, SourceUnavailable
from ops_orchestrate.ledger import Granted
from ops_orchestrate.ports import PullRequests


def land(key: StageKey, holder: str, tools: Toolbox) -> Next:
    """Bring a verified attempt in, or say why not."""
    asked_at = boot_clock()
    claim = tools.ledger.attempts.claim(key, Stage.LAND, holder=holder, host=tools.host, lease=tools.settings.lease)
    if claim.kind in ("stale", "taken"):
        return passed_on(claim)
    if not isinstance(claim, Granted):
        run, task = tools.ledger.runs.get(key.run), tools.ledger.tasks.get(key.run, key.task)
        leave_lane(
            _case(key, holder, run, task, tools)
        )  # it ended before it came here, perhaps as it was verified again
        return passed_on(claim)
    case = _case(key, holder, claim.run, claim.task, tools)
    pulls = tools.pulls_of(case.repository)
    tools.doing(Phase.LANDING, f"{case.repository.name}, {case.base}")
    with keep(key, Stage.LAND, holder, tools, asked_at=asked_at, stop=claim.stop):
        try:
            return land_branch(case) if pulls is None else _through_lane(case, pulls)
        except SourceUnavailable as error:
            return _unavailable(case, pulls, error)
        except GitError as error:
            return snooze(case, str(error))
        except LedgerUnavailable:
            raise
        except OpsError as error:  # the forge won't have it, or a guard: no other try changes that
            return wait_for_person(case, str(error))


def _case(key: StageKey, holder: str, run: RunRecord, record: TaskRecord, tools: Toolbox) -> Case:
    repository = run.request.portfolio.repository(record.spec.repo)
    return Case(key, holder, run, with_gate(record, repository), repository, tools)


def _unavailable(case: Case, pulls: PullRequests | None, error: SourceUnavailable) -> Next:
    """The forge did not answer: later, as it wishes. A no of it, which may be the reason, is for a person."""
    if pulls is not None and not error.retry_after:
        try:
            no = pulls.may_write(case.repository)
        except SourceUnavailable as same:
            error = same
        else:
            if no:
                return wait_for_person(case, no)
    return snooze(case, str(error), error.retry_after or (case.tools.settings.ci_poll if pulls else 0.0))


def _through_lane(case: Case, pulls: PullRequests) -> Next:
    """Whatever ends the attempt lets the next change to this base go on."""
    outcome = land_change(case, pulls)
    if outcome is Next.GO_ON:
        leave_lane(case)
    return outcome
