"""The text of a pull request of an earlier run that this one goes on with: it says what it covers by now."""

from __future__ import annotations

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pull import PullState
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.names import change_branch
from ops_orchestrate.core.renewal import renewed_body
from ops_orchestrate.engine.landing.case import Case
from ops_orchestrate.ports import PullRequests


def bring_text_up_to_date(case: Case, pulls: PullRequests, pursuit: Pursuit) -> None:
    """Name this run's findings in it, before anybody merges it in words of their own. Nothing waits for that.

    A change of this run has said so since it was opened. Raises SourceUnavailable where nobody can be asked.
    """
    if pursuit.branch == change_branch(case.key.run, case.key.task):
        return
    pull = pulls.read(case.repository, pursuit.number)
    if pull.state is not PullState.OPEN or not pull.ours:
        return
    verified, secrets = case.tools.ledger.attempts.verified(case.key), case.tools.secrets
    said = verified.model_copy(update={"review": secrets.redact(verified.review)})
    spec = case.record.spec
    record = case.record.model_copy(
        update={"spec": spec.model_copy(update={"gate": spec.gate and secrets.redact(spec.gate)})}
    )
    body = renewed_body(pull.body, branch=pursuit.branch, record=record, run=case.key.run, verified=said)
    if body == pull.body:
        return
    landing = pulls.describe(case.repository, pursuit.number, was=pull.body, body=body)
    if landing.end is not LandingEnd.LANDED:
        text = f"The text of #{pursuit.number} does not name this run's findings: {landing.detail}"
        case.note(EventKind.WARNING, {"text": text})
