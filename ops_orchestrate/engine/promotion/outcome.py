"""How a step of a repository's last steps ended: what an error amounts to, and what a person is told."""

from __future__ import annotations

from collections.abc import Callable

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.own_change import OwnChange
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.promotion.answer import answer_command
from ops_orchestrate.engine.promotion.course import Step
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import LedgerUnavailable, OpsError, SourceUnavailable


def outcome_of(step: Callable[[], Step], tools: Toolbox) -> tuple[PromotionState, str, float]:
    """Where it stands, why, and after how many seconds it is looked at again where it is not over."""
    pause = tools.settings.ci_poll
    try:
        return *step(), pause
    except SourceUnavailable as error:  # not a no: it is asked again
        return PromotionState.PENDING, str(error), max(pause, error.retry_after)
    except LedgerUnavailable:
        raise
    except OpsError as error:
        return PromotionState.REFUSED, str(error), pause


def tell(
    run: RunRecord, repository: Repository, own: OwnChange, end: Step, tools: Toolbox, *, to: str, command: str = ""
) -> None:
    """Say what was refused, or waits for a person; `command`: what they could do by hand. Anything else is no news."""
    state, reason = end
    if state not in (PromotionState.REFUSED, PromotionState.WAITING):
        return
    asked = state is PromotionState.WAITING
    asks = {"ask": str(own.kind), "command": answer_command(run, own)} if asked else {"command": command}
    data = {"repo": repository.key, "name": repository.name, "what": own.noun, "reason": reason, "to": to, **asks}
    tools.ledger.runs.note(run.id, EventKind.MERGE_REFUSED, host=tools.host, data=data)
