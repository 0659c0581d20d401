"""What is to be merged where, and with which words, for each change of the run's own."""

from __future__ import annotations

from typing import Literal

from ops_orchestrate.core.landing import is_main
from ops_orchestrate.core.message import TAKES_BACK, back_title, revert_message, revert_title, sync_body
from ops_orchestrate.core.own_change import OwnChange, OwnKind, needs_no_answer
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import Promotion, PromotionSnapshot
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.promotion.course import Plan
from ops_orchestrate.engine.toolbox import Toolbox


def promotion_plan(run: RunRecord, repository: Repository, seen: PromotionSnapshot) -> Plan:
    """Integration to main, by a merge commit: a squash would make the two branches diverge for ever."""
    main = seen.main or ""
    return Plan(
        own=OwnChange(kind=OwnKind.PROMOTE, repo=repository.key),
        commit=seen.head,
        head=seen.head,
        source=seen.integration,
        base=main,
        base_head=seen.main_head,
        method="merge",
        approved=seen.approved,
        force=seen.force,
        to_main=True,
        title=f"chore: sync {seen.integration} → {main}",
        body=sync_body(integration=seen.integration, main=main, run=run.id, head=seen.head),
    )


def own_plan(run: RunRecord, repository: Repository, own: OwnChange, known: Promotion, tools: Toolbox) -> Plan:
    """Of a back-merge or a revert, as git stands now; without a `head` where none can be made. Raises GitError."""
    if own.kind is OwnKind.REVERT:
        return _revert_plan(run, repository, own, known, tools)
    return _back_plan(run, repository, own, known, tools)


def _back_plan(run: RunRecord, repository: Repository, own: OwnChange, known: Promotion, tools: Toolbox) -> Plan:
    """Main's commit to integration, by a merge commit. It grows by integration's commits when that moves on."""
    work = tools.workshop
    integration, main = work.integration(repository), work.main(repository) or ""
    base_head = work.head(repository, integration) or ""
    line = f"{TAKES_BACK}: {main}"
    undoes = bool(base_head and work.find_commit(repository, main, since=base_head, trailer=line))
    return Plan(
        own=own,
        commit=known.commit,
        head=known.pursuit.head if known.pursuit else known.commit,
        source=main,
        base=integration,
        base_head=base_head,
        method="merge",
        approved=known.approved,
        force=_by_force(run, repository, own, integration, undoes=undoes),
        title=back_title(integration, main),
        body=sync_body(integration=main, main=integration, run=run.id, head=known.commit),
    )


def _revert_plan(run: RunRecord, repository: Repository, own: OwnChange, known: Promotion, tools: Toolbox) -> Plan:
    """What was before the merge, as one commit on top of it: the same one on every try, on every host."""
    assert known.watched is not None
    work, branch, commit = tools.workshop, known.watched.branch, known.watched.commit
    parent = next(iter(work.parents_of(repository, commit)), "")
    message = revert_message(commit, branch=branch, run=run.id)
    head = (
        work.commit_tree(
            repository,
            tree=work.tree_of(repository, parent),
            parents=(commit,),
            message=message,
            at=known.watched.began_at,
        )
        if parent
        else ""
    )
    to_main = branch != work.integration(repository)
    method: Literal["squash", "merge"] = "merge" if to_main else "squash"  # as everything gets into that branch
    return Plan(
        own=own,
        commit=commit,
        head=head,
        source=branch,
        base=branch,
        base_head=work.head(repository, branch) or "",
        method=method,
        approved=known.approved,
        force=_by_force(run, repository, own, branch),
        to_main=to_main,
        title=revert_title(commit),
        body=message,
    )


def _by_force(run: RunRecord, repository: Repository, own: OwnChange, base: str, *, undoes: bool = False) -> bool:
    request = run.request
    main = is_main(base, repository.main)
    return needs_no_answer(own.kind, force=request.force, spared=request.no_main and main, undoes=undoes)
