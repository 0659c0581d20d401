"""What a person says to a promotion that waits."""

from __future__ import annotations

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.promotion.book import remember, repositories, waiting
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError


def answer_command(run: RunRecord, repository: Repository) -> str:
    """The command that says yes to a promotion: by the repository's name where only one has it."""
    same = [other for other in repositories(run) if other.name == repository.name]
    return f"ops-orchestrate answer {run.id} promote:{repository.name if len(same) == 1 else repository.key} yes"


def approve(run: str, repo: str, *, tools: Toolbox) -> str:
    """A person confirms the promotion of a repository (its key or name), for integration's head as it is now.

    Returns what it means. Raises OpsError where none waits.
    """
    repository = _waiting(run, repo, tools)
    tools.workshop.refresh(repository)
    integration = tools.workshop.integration(repository)
    head = tools.workshop.head(repository, integration) or ""
    remember(run, repository.key, tools, approved=head, merges=-1)
    return f"{repository.name}: {integration} is promoted at {head[:10]} if nothing has moved."


def decline(run: str, repo: str, *, by: str, tools: Toolbox) -> str:
    """A person says no: this run promotes the repository no more. Returns what it means. Raises OpsError."""
    repository = _waiting(run, repo, tools)
    remember(run, repository.key, tools, state=PromotionState.SKIPPED, reason=f"declined by {by}")
    data = {"repo": repository.key, "name": repository.name, "reason": f"its promotion was declined by {by}"}
    tools.ledger.runs.note(run, EventKind.MERGE_REFUSED, host=tools.host, data={**data, "to": "", "command": ""})
    return f"{repository.name} is not promoted by this run; the next run with a merge there asks again."


def _waiting(run: str, repo: str, tools: Toolbox) -> Repository:
    """The repository that `repo` names, whose promotion waits for an answer."""
    known = waiting(run, tools)
    those = [one for one in repositories(tools.ledger.runs.get(run)) if one.key in known]
    found = [one for one in those if one.key == repo] or [one for one in those if one.name == repo]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(one.key for one in found)
        raise OpsError(f"Several promotions of a {repo} wait for an answer in run {run}: name one of {keys}.")
    others = f" These do: {', '.join(one.name for one in those)}." if those else ""
    raise OpsError(f"No promotion of {one_line(repo, 60)} waits for an answer in run {run}.{others}")
