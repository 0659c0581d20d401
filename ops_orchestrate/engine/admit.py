"""Admission: offer a task whose blockers are done, and fill the free slots by rank.

The rule is `core.admission.choose`; the ledger grants in one step, or not at all when the board has moved.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ops_orchestrate import canvas
from ops_orchestrate.core.admission import Pick, choose, room
from ops_orchestrate.core.attempt import Settlement, StageKey
from ops_orchestrate.core.board import Board, Grant
from ops_orchestrate.core.placement import serving
from ops_orchestrate.core.split import composite_is_done
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.budget import budget_of, tell_who_waits
from ops_orchestrate.engine.early import hand_over
from ops_orchestrate.engine.placing import needed, needs_of, shown_title, tell_who_is_missing
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.ledger import Edge, Offered

log = logging.getLogger("ops_orchestrate.admit")

#: How often a board that moved under us is looked at again before the next tick of the reconciler takes over.
_LOOKS = 20


def admit(run: str, task: str, tools: Toolbox) -> None:
    """Offer `task` (empty: none) and grant whatever is admissible now."""
    if not task or offer(run, task, tools):
        fill(tools)


def offer(run: str, task: str, tools: Toolbox) -> bool:
    """Offer a task whose blockers are done; whether somebody has to `fill` a slot.

    A composite completes instead, once its parts have; to a member that has started early, what its blockers have made
    is handed over.
    """
    offered = tools.ledger.board.offer(run, task)
    return offered is Offered.ROOM or (not offered and _goes_on(run, task, tools))


def publish_edges(run: str, task: str, tools: Toolbox, edges: Sequence[Edge] | None = None) -> bool:
    """Tell those that wait for a completed task; whether somebody has to `fill` a slot for what that has freed here.

    What waited for it alone, the ledger has offered. Repeated after a crash, every part still counts once. `edges`:
    what the ledger has left to do, where that is known.
    """
    wanted = False
    for one in tools.ledger.tasks.edges(run, task) if edges is None else edges:
        if one.size == 1:
            wanted |= _goes_on(run, one.child, tools)
            continue
        if one.first:
            canvas.open_join(run, one.child, one.size, parts=one.parts)
        canvas.return_part(run, task, one.child, index=one.place, parts=one.parts)
    tools.ledger.tasks.edges_done(run, task)
    return wanted


def _goes_on(run: str, task: str, tools: Toolbox) -> bool:
    """What becomes of a task that may not be granted now; whether somebody has to `fill` a slot because of it."""
    if _completed(run, task, tools):
        return True
    hand_over(run, task, tools)
    return False


def _completed(run: str, task: str, tools: Toolbox) -> bool:
    """Complete a composite whose parts have all completed, and tell who waits for it. False for anything else."""
    record = tools.ledger.tasks.get(run, task)
    if not composite_is_done(record.spec, tools.ledger.tasks.many(run, record.spec.parts)):
        return False
    done = Settlement(state=TaskState.COMPLETED, reason=f"its {len(record.spec.parts)} parts are done")
    if tools.ledger.tasks.settle_planned(run, task, done):
        publish_edges(run, task, tools)
        canvas.publish(canvas.finish(run, again=f"whole-{task}"))
    return True


def fill(tools: Toolbox, *, stands_in: bool = False) -> bool:
    """Grant until nothing admissible is left, or a grant has used up the candidates or the slots of the board.

    `stands_in`: in a worker that is no planner. False where the planners go by other settings than it knows: then it
    grants nothing more. Caps, prices and the owner's midnight are told to the planners' machines, maybe no other.
    """
    for _ in range(_LOOKS):
        board = tools.ledger.board.look(tools.settings.max_agents)
        theirs = {one for host in serving("planner", board.hosts) for one in host.terms}
        if stands_in and theirs != {tools.means.terms()}:
            return False
        if not board.noticed:  # a new one is quiet for a lease: it may have forgotten who works
            tools.ledger.open(quiet=tools.settings.lease, restarted=0 if tools.kept else None)
            continue
        if not board.candidates:
            break
        budget = budget_of(board, tools)
        needs = needs_of(board, tools)
        picks = choose(board, board.now, budget, needs)
        if not picks:
            tell_who_is_missing(board, needs, tools)
            tell_who_waits(board, budget, tools)
            break
        if _grant(board, picks, tools) in (len(board.candidates), room(board, board.now)):
            break  # whoever offers another one, or leaves another slot, fills by itself
    return True


def _grant(board: Board, picks: tuple[Pick, ...], tools: Toolbox) -> int:
    grants = tools.ledger.board.grant(
        board,
        [pick.candidate for pick in picks],
        lease=tools.settings.grant_timeout,
        reserves=[pick.reserve for pick in picks],
        hosts=[pick.host for pick in picks],
    )
    for grant in grants:
        # What comes from a folder of that machine is verified and shipped there as well.
        stays = grant.host and needed(tools.ledger.runs.request(grant.run), grant.repo, board, tools).path
        home = grant.host if stays else ""
        canvas.publish(canvas.attempt(key_of(grant), title=shown_title(grant.title, tools), host=grant.host, home=home))
    return len(grants)


def key_of(grant: Grant) -> StageKey:
    """The key that every job of the granted attempt carries."""
    return StageKey(run=grant.run, task=grant.task, attempt=grant.attempt, fence=grant.fence)


def newest(record: TaskRecord) -> StageKey:
    """The key of a task's newest attempt as it was published last."""
    return StageKey(run=record.run, task=record.spec.id, attempt=record.attempt, fence=record.fence, seq=record.seq)
