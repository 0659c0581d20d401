"""Admission: offer a task whose blockers are done, and fill the free slots by rank.

The rule is `core.admission.choose`; the ledger grants in one step, or not at all when the board has moved.
"""

from __future__ import annotations

from ops_orchestrate import canvas
from ops_orchestrate.core.admission import Pick, choose
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.board import Board, Grant
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.budget import budget_of, tell_who_waits
from ops_orchestrate.engine.early import hand_over
from ops_orchestrate.engine.toolbox import Toolbox

#: How often a board that moved under us is looked at again before the next tick of the reconciler takes over.
_LOOKS = 20

#: So much of a task's title is shown where its jobs are watched.
_TITLE = 80


def admit(run: str, task: str, tools: Toolbox) -> None:
    """Offer `task` (empty: none) and grant whatever is admissible now.

    To a member that has started early, what its blockers have made is handed over instead.
    """
    if task and not tools.ledger.board.offer(run, task):
        hand_over(run, task, tools)
    fill(tools)


def fill(tools: Toolbox) -> int:
    """Grant until nothing admissible is left; returns how many were granted."""
    granted = 0
    for _ in range(_LOOKS):
        board = tools.ledger.board.look(tools.settings.max_agents)
        if not board.candidates:
            break
        budget = budget_of(board, tools)
        picks = choose(board, board.now, budget)
        if not picks:
            tell_who_waits(board, budget, tools)
            break
        granted += _grant(board, picks, tools)
    return granted


def _grant(board: Board, picks: tuple[Pick, ...], tools: Toolbox) -> int:
    grants = tools.ledger.board.grant(
        board,
        [pick.candidate for pick in picks],
        lease=tools.settings.grant_timeout,
        reserves=[pick.reserve for pick in picks],
    )
    for grant in grants:
        title = tools.ledger.tasks.get(grant.run, grant.task).spec.title
        canvas.publish(canvas.attempt(key_of(grant), title=one_line(tools.secrets.redact(title), _TITLE)))
    return len(grants)


def key_of(grant: Grant) -> StageKey:
    """The key that every job of the granted attempt carries."""
    return StageKey(run=grant.run, task=grant.task, attempt=grant.attempt, fence=grant.fence)


def newest(record: TaskRecord) -> StageKey:
    """The key of a task's newest attempt as it was published last."""
    return StageKey(run=record.run, task=record.spec.id, attempt=record.attempt, fence=record.fence, seq=record.seq)
