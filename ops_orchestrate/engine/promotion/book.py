"""What the ledger keeps of each repository's last steps, and which of them are due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.own_change import OwnKind, own_key
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import OPEN, Promotion, PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.toolbox import Toolbox


def promotions_due(run: str, tools: Toolbox) -> list[tuple[str, str]]:
    """(key, stamp) of last steps that the run has to wait for; with a stamp they are to be published now.

    They are due when the repository has more merges of this run than when they were last decided, when their time to
    look again has come, and when the job that had them has not been heard of for two leases.
    """
    now = tools.ledger.now()
    due = []
    merges, all_known = tools.ledger.runs.merges(run), _all(run, tools)
    for repo, count in merges.items():
        known = all_known.get(repo)
        if known is not None and known.merges == count:
            if known.state not in OPEN:
                continue
            if now < _next_look(known, now, tools):
                due.append((repo, ""))
                continue
        state = PromotionState.WATCHING if _watching(known, count) else PromotionState.UNDER_WAY
        remember(run, repo, tools, state=state, reason="", merges=count, wake_at=now + 2 * tools.settings.lease)
        due.append((repo, f"{count}-{now:.3f}"))
    return due + _own_due(run, now, all_known, tools)


def _own_due(run: str, now: float, all_known: Mapping[str, Promotion], tools: Toolbox) -> list[tuple[str, str]]:
    """The same of back-merges and reverts: from when they are begun until they have an end."""
    due = []
    for key, known in all_known.items():
        if own_key(key).kind is OwnKind.PROMOTE or known.state not in OPEN:
            continue
        if now < _next_look(known, now, tools):
            due.append((key, ""))
            continue
        remember(run, key, tools, state=PromotionState.UNDER_WAY, wake_at=now + 2 * tools.settings.lease)
        due.append((key, f"{now:.3f}"))
    return due


def is_watching(run: str, repo: str, tools: Toolbox) -> bool:
    """Whether what is left to do there is to look at what is deployed."""
    known = promotion_of(run, repo, tools)
    return known is not None and known.state is PromotionState.WATCHING


def _next_look(known: Promotion, now: float, tools: Toolbox) -> float:
    """When it is due. What was last seen at a time to come is due now: the clock has gone back since."""
    if known.at > now:
        return now
    return max(known.wake_at, known.at + 2 * tools.settings.lease if known.state is PromotionState.UNDER_WAY else 0.0)


def _watching(known: Promotion | None, count: int) -> bool:
    return known is not None and known.merges == count and known.state is PromotionState.WATCHING


def promotion_of(run: str, repo: str, tools: Toolbox) -> Promotion | None:
    """What is known; None where nothing was decided yet."""
    stored = tools.ledger.runs.promotion(run, repo)
    return Promotion.model_validate(stored) if stored else None


def waiting(run: str, tools: Toolbox) -> dict[str, Promotion]:
    """Those that wait for a person, by the ledger's key."""
    return {key: one for key, one in _all(run, tools).items() if one.state is PromotionState.WAITING}


def _all(run: str, tools: Toolbox) -> dict[str, Promotion]:
    return {key: Promotion.model_validate(one) for key, one in tools.ledger.runs.promotions(run).items()}


def remember(run: str, repo: str, tools: Toolbox, **changes: Any) -> Promotion:
    """Keep what has changed."""
    before = promotion_of(run, repo, tools) or Promotion(state=PromotionState.UNDER_WAY)
    after = before.model_copy(update={"at": tools.ledger.now(), **changes})
    tools.ledger.runs.set_promotion(run, repo, after.model_dump(mode="json"))
    if after.state in (PromotionState.PENDING, PromotionState.WATCHING):
        tools.ledger.runs.wake(run, after.wake_at)
    return after


def already_said(run: str, kind: EventKind, repo: str, head: str, tools: Toolbox) -> bool:
    """Whether the run's story has such an event of that head."""
    return any(
        event.kind is kind and event.data.get("repo") == repo and event.data.get("head") == head
        for event in tools.ledger.events.all(run)
    )


def repositories(run: RunRecord) -> list[Repository]:
    """Every repository of the run."""
    return [repository for project in run.request.portfolio.projects for repository in project.repositories]


def warn(run: str, repository: Repository, text: str, tools: Toolbox) -> None:
    """Something a person should know about a repository."""
    data = {"text": text, "repo": repository.name}
    tools.ledger.runs.note(run, EventKind.WARNING, host=tools.host, data=data)


def evidence(run: str, repository: Repository, what: str, text: str, tools: Toolbox) -> None:
    """Something that was looked at."""
    data = {"what": what, "project": repository.name, "text": text}
    tools.ledger.runs.note(run, EventKind.EVIDENCE, host=tools.host, data=data)
