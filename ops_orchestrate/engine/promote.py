"""Phase 5's last step, once a repository's tasks have ended: integration to main by a merge commit, never a squash.

Nobody in the graph waits for it, the run does. The audit pool runs the gate on the head, the ship pool alone pushes.
Afterwards integration is moved forward to the merge commit, so that the two branches never diverge.
"""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.change import LandingEnd, MergeIntent
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.message import promotion_message
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionSnapshot, PromotionStep, decide_promotion
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.lease import hold
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.verify import gate_on, known_gate
from ops_orchestrate.errors import GitError, OpsError, SourceUnavailable

UNDER_WAY = "under-way"
DONE = "done"
WAITING = "waiting"
REFUSED = "refused"
SKIPPED = "skipped"


def promotions_due(run: str, tools: Toolbox) -> list[tuple[str, str]]:
    """(repository, stamp) of promotions that the run has to wait for; a stamp means that it is to be published now.

    A promotion is due when the repository has more merges of this run than when it was last decided.
    """
    merges = _merges(run, tools)
    known = tools.ledger.runs.promotions(run)
    now = tools.ledger.now()
    due = []
    for repo, count in merges.items():
        seen = known.get(repo, {})
        if seen.get("merges") == count and seen.get("state") != UNDER_WAY:
            continue
        if seen.get("merges") == count and now - float(seen.get("at", 0)) < 2 * tools.settings.lease:
            due.append((repo, ""))
            continue
        _remember(run, repo, tools, state=UNDER_WAY, reason="", merges=count)
        due.append((repo, f"{count}-{now:.3f}"))
    return due


def check_head(run_id: str, repo: str, tools: Toolbox) -> None:
    """Run the gate on integration's head, so that the decision finds its result. Never raises for a bad repository."""
    repository = tools.ledger.runs.get(run_id).request.portfolio.repository(repo)
    try:
        tools.workshop.refresh(repository)
        head = tools.workshop.head(repository, tools.workshop.integration(repository))
        if head is not None:
            gate_on(repository, head, tools.workshop.tree_of(repository, head), None, tools)
    except (GitError, SourceUnavailable) as error:
        _warn(run_id, repository, f"{repository.name} could not be checked before its promotion: {error}", tools)


def promote(run_id: str, repo: str, holder: str, tools: Toolbox) -> None:
    """Decide and carry out one promotion; whatever comes of it is recorded, and the run may end."""
    run = tools.ledger.runs.get(run_id)
    repository = run.request.portfolio.repository(repo)
    main = "?"
    with hold(f"promote:{repo}", holder, tools) as mine:
        if not mine:
            return
        try:
            main = tools.workshop.main(repository) or ""
            state, reason = _promote(run, repository, holder, tools)
        except OpsError as error:
            state, reason = REFUSED, str(error)
    _remember(run_id, repo, tools, state=state, reason=reason, merges=_merges(run_id, tools).get(repo, 0))
    if state in (REFUSED, WAITING):
        asks = {"ask": "promote", "command": answer_command(run, repository)} if state == WAITING else {"command": ""}
        data = {"repo": repository.key, "name": repository.name, "reason": reason, "to": main, **asks}
        tools.ledger.runs.note(run_id, EventKind.MERGE_REFUSED, host=tools.host, data=data)


def _promote(run: RunRecord, repository: Repository, holder: str, tools: Toolbox) -> tuple[str, str]:
    tools.workshop.refresh(repository)
    seen = _snapshot(run, repository, tools)
    decision = decide_promotion(seen)
    if decision.step is PromotionStep.SKIP:
        if seen.contained and seen.merged:
            _catch_up(run, repository, seen, tools)
        return SKIPPED, decision.reason
    if decision.step is PromotionStep.REFUSE:
        return REFUSED, decision.reason
    if decision.step is PromotionStep.ASK or seen.main is None:
        return WAITING, f"{seen.integration} at {seen.head[:10]} waits for your yes to be promoted to {seen.main}"
    with hold(f"base:{repository.key}:{seen.main}", holder, tools) as mine:
        if not mine:
            return REFUSED, f"somebody else is moving {seen.main}; the next run promotes it"
        return _merge(run, repository, seen, tools)


def _merge(run: RunRecord, repository: Repository, seen: PromotionSnapshot, tools: Toolbox) -> tuple[str, str]:
    assert seen.main is not None
    preview = tools.workshop.preview(repository, seen.main_head, seen.head)
    commit = tools.workshop.commit_tree(
        repository,
        tree=preview.tree,
        parents=(seen.main_head, seen.head),
        message=promotion_message(integration=seen.integration, main=seen.main, run=run.id, head=seen.head),
        at=tools.ledger.now(),
    )
    intent = MergeIntent(
        repo=repository.key,
        branch=seen.main,
        base=seen.main_head,
        head=seen.head,
        tree=preview.tree,
        commit=commit,
        method="merge",
    )
    landing = tools.forge_of(repository).land(repository, intent)
    if landing.end is not LandingEnd.LANDED:
        return REFUSED, " ".join(part for part in (landing.detail or str(landing.end), landing.command) if part)
    data = {
        "repo": repository.key,
        "name": repository.name,
        "from": seen.integration,
        "to": seen.main,
        "commit": commit,
    }
    tools.ledger.runs.note(run.id, EventKind.PROMOTED, host=tools.host, data=data)
    back = intent.model_copy(update={"branch": seen.integration, "base": seen.head, "method": "forward"})
    _forward(run, repository, seen, back, tools)
    _look_after(run, repository, tools)
    return DONE, ""


def _catch_up(run: RunRecord, repository: Repository, seen: PromotionSnapshot, tools: Toolbox) -> None:
    """A worker may have died between a promotion and the back-merge: main is ahead then, and integration follows."""
    if seen.no_main or seen.main_head == seen.head:
        return
    tree = tools.workshop.tree_of(repository, seen.main_head)
    intent = MergeIntent(
        repo=repository.key,
        branch=seen.integration,
        base=seen.head,
        head=seen.head,
        tree=tree,
        commit=seen.main_head,
        method="forward",
    )
    _forward(run, repository, seen, intent, tools)


def _look_after(run: RunRecord, repository: Repository, tools: Toolbox) -> None:
    """One look at the service, where the owner named its health URL. A bad look is a warning, never a rollback."""
    if not repository.health_url:
        return
    look = tools.health.look(repository.health_url)
    if not look.ok:
        _warn(run.id, repository, f"{repository.name} does not look healthy after its promotion: {look.detail}", tools)
        return
    data = {"what": "health", "project": repository.name, "text": f"{repository.name} is healthy ({look.detail})"}
    tools.ledger.runs.note(run.id, EventKind.EVIDENCE, host=tools.host, data=data)


def _forward(
    run: RunRecord, repository: Repository, seen: PromotionSnapshot, back: MergeIntent, tools: Toolbox
) -> None:
    """Integration forward to main's merge commit: a fast-forward, because nothing else may be between them."""
    landing = tools.forge_of(repository).land(repository, back)
    if landing.end is not LandingEnd.LANDED:
        text = f"{seen.integration} of {repository.name} was not moved forward to {seen.main}: {landing.detail}"
        _warn(run.id, repository, text, tools)


def _snapshot(run: RunRecord, repository: Repository, tools: Toolbox) -> PromotionSnapshot:
    work = tools.workshop
    integration = work.integration(repository)
    main = work.main(repository)
    head = work.head(repository, integration) or ""
    main_head = (work.head(repository, main) if main else None) or ""
    conflicts = work.preview(repository, main_head, head).conflicts if main_head else ()
    gate = known_gate(repository, work.tree_of(repository, head), tools) if head else None
    return PromotionSnapshot(
        integration=integration,
        main=main if main_head else None,
        head=head,
        main_head=main_head,
        contained=bool(main_head) and work.is_ancestor(repository, head, main_head),
        wanted=repository.promote,
        no_main=run.request.no_main,
        merged=_merges(run.id, tools).get(repository.key, 0),
        gate=gate.end if gate else None,
        conflicts=conflicts,
        force=run.request.force,
        approved=str((tools.ledger.runs.promotion(run.id, repository.key) or {}).get("approved", "")),
        may_ship=tools.forge_of(repository).may_ship(repository) or "",
    )


def _merges(run: str, tools: Toolbox) -> dict[str, int]:
    """How many tasks of the run were merged, by repository."""
    merges: dict[str, int] = {}
    for task in tools.ledger.tasks.all(run):
        if task.merge:
            merges[task.spec.repo] = merges.get(task.spec.repo, 0) + 1
    return merges


def _remember(run: str, repo: str, tools: Toolbox, *, state: str, reason: str, merges: int) -> None:
    before = tools.ledger.runs.promotion(run, repo) or {}
    value: dict[str, Any] = {**before, "state": state, "reason": reason, "merges": merges, "at": tools.ledger.now()}
    tools.ledger.runs.set_promotion(run, repo, value)


def answer_command(run: RunRecord, repository: Repository) -> str:
    """The command that says yes to a promotion: by the repository's name where only one has it."""
    same = [other for other in _repositories(run) if other.name == repository.name]
    return f"ops-orchestrate answer {run.id} promote:{repository.name if len(same) == 1 else repository.key} yes"


def approve(run: str, repo: str, *, tools: Toolbox) -> str:
    """A person confirms the promotion of a repository (its key or name), for integration's head as it is now.

    Returns what it means. Raises OpsError where none waits.
    """
    repository, known = _waiting(run, repo, tools)
    tools.workshop.refresh(repository)
    integration = tools.workshop.integration(repository)
    head = tools.workshop.head(repository, integration) or ""
    tools.ledger.runs.set_promotion(run, repository.key, {**known, "approved": head, "merges": -1})
    return f"{repository.name}: {integration} is promoted at {head[:10]} if nothing has moved."


def decline(run: str, repo: str, *, by: str, tools: Toolbox) -> str:
    """A person says no: this run promotes the repository no more. Returns what it means. Raises OpsError."""
    repository, known = _waiting(run, repo, tools)
    tools.ledger.runs.set_promotion(run, repository.key, {**known, "state": SKIPPED, "reason": f"declined by {by}"})
    data = {"repo": repository.key, "name": repository.name, "reason": f"its promotion was declined by {by}"}
    tools.ledger.runs.note(run, EventKind.MERGE_REFUSED, host=tools.host, data={**data, "to": "", "command": ""})
    return f"{repository.name} is not promoted by this run; the next run with a merge there asks again."


def _waiting(run: str, repo: str, tools: Toolbox) -> tuple[Repository, dict[str, Any]]:
    """The repository that `repo` names and what is known of its promotion, which waits for an answer."""
    record = tools.ledger.runs.get(run)
    known = tools.ledger.runs.promotions(run)
    waiting = [one for one in _repositories(record) if known.get(one.key, {}).get("state") == WAITING]
    found = [one for one in waiting if one.key == repo] or [one for one in waiting if one.name == repo]
    if len(found) == 1:
        return found[0], known[found[0].key]
    if found:
        keys = ", ".join(one.key for one in found)
        raise OpsError(f"Several promotions of a {repo} wait for an answer in run {run}: name one of {keys}.")
    others = f" These do: {', '.join(one.name for one in waiting)}." if waiting else ""
    raise OpsError(f"No promotion of {one_line(repo, 60)} waits for an answer in run {run}.{others}")


def _repositories(run: RunRecord) -> list[Repository]:
    return [repository for project in run.request.portfolio.projects for repository in project.repositories]


def _warn(run: str, repository: Repository, text: str, tools: Toolbox) -> None:
    data = {"text": text, "repo": repository.name}
    tools.ledger.runs.note(run, EventKind.WARNING, host=tools.host, data=data)
