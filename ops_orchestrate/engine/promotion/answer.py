"""What a person says to a change of the run's own that waits: a promotion, a back-merge, a revert."""

from __future__ import annotations

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.names import one_line, short
from ops_orchestrate.core.own_change import OwnChange, OwnKind, own_key
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.promotion.book import promotion_of, remember, repositories, waiting
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError


def answer_command(run: RunRecord, own: OwnChange) -> str:
    """The command that says yes to it: by the repository's name where only one has it."""
    name = run.request.portfolio.repository(own.repo).name
    same = [other for other in repositories(run) if other.name == name]
    named = own.model_copy(update={"repo": name}) if len(same) == 1 else own
    return f"ops-orchestrate answer {run.id} {named.name} yes"


def approve(run: str, own: OwnChange, *, tools: Toolbox) -> str:
    """A person confirms it (its repository by key or name), for its head as it is now.

    Returns what it means. Raises OpsError where none waits.
    """
    repository = _waiting(run, own, tools)
    if own.kind is not OwnKind.PROMOTE:
        return _approve_opened(run, own.model_copy(update={"repo": repository.key}), repository, tools)
    tools.workshop.refresh(repository)
    integration = tools.workshop.integration(repository)
    head = tools.workshop.head(repository, integration) or ""
    remember(run, repository.key, tools, approved=head, merges=-1)
    return f"{repository.name}: {integration} is promoted at {short(head)} if nothing has moved."


def _approve_opened(run: str, own: OwnChange, repository: Repository, tools: Toolbox) -> str:
    """Of a back-merge or a revert: its pull request is open at that head; or a merge of it was to be looked at."""
    known = promotion_of(run, own.key, tools)
    if known is None or known.pursuit is None:
        remember(run, own.key, tools, state=PromotionState.SKIPPED, reason="somebody has looked at it")
        return f"{repository.name}: the branch is open again."
    head, now = known.pursuit.head, tools.ledger.now()
    remember(run, own.key, tools, state=PromotionState.PENDING, approved=head, wake_at=now)
    return f"{repository.name}: the {own.noun} #{known.pursuit.number} is merged at {short(head)} if nothing has moved."


def decline(run: str, own: OwnChange, *, by: str, tools: Toolbox) -> str:
    """A person says no: this run does it no more. Returns what it means. Raises OpsError."""
    repository = _waiting(run, own, tools)
    own = own.model_copy(update={"repo": repository.key})
    remember(run, own.key, tools, state=PromotionState.SKIPPED, reason=f"declined by {by}")
    reason = f"its {own.noun} was declined by {by}"
    data = {"repo": repository.key, "name": repository.name, "what": own.noun, "reason": reason}
    tools.ledger.runs.note(run, EventKind.MERGE_REFUSED, host=tools.host, data={**data, "to": "", "command": ""})
    if own.kind is OwnKind.PROMOTE:
        return f"{repository.name} is not promoted by this run; the next run with a merge there asks again."
    return f"The {own.noun} of {repository.name} is not merged by this run; its pull request stays as it is."


def _waiting(run: str, own: OwnChange, tools: Toolbox) -> Repository:
    """The repository that is named, whose change of that kind waits for an answer."""
    known = {one.repo for key in waiting(run, tools) if (one := own_key(key)).kind is own.kind}
    those = [one for one in repositories(tools.ledger.runs.get(run)) if one.key in known]
    found = [one for one in those if one.key == own.repo] or [one for one in those if one.name == own.repo]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(one.key for one in found)
        raise OpsError(f"Several {own.noun}s of a {own.repo} wait for an answer in run {run}: name one of {keys}.")
    others = f" These do: {', '.join(one.name for one in those)}." if those else ""
    raise OpsError(f"No {own.noun} of {one_line(own.repo, 60)} waits for an answer in run {run}.{others}")
