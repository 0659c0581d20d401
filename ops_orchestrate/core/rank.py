"""Who starts first: priority, then what keeps the five slots busy to the end.

Inside a priority two ranks compete: the longest path of work that waits for a task, and the larger of that
path and the work left in its repository (one writer a repository makes a hot one the bottleneck). Neither is
best everywhere, so both are played through on the present board, and the shorter end wins. A task whose declared
paths meet a change that is made and not merged comes after those that meet none. Where it has declared nothing that
only settles a tie: a busy repository always has such a change, and its tasks would always come last. Waiting raises
rank inside a priority, never across: a P3 does not become a fire by being old. It decides an order only; who fits is
admission's question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from ops_orchestrate.core.board import Board, Candidate, Unmerged
from ops_orchestrate.core.ownership import overlap
from ops_orchestrate.core.project import Project
from ops_orchestrate.core.simulate import Piece, Rule, by_both, by_path, simulate
from ops_orchestrate.core.task import Priority

#: Seconds of rank for one second of waiting: after 20 minutes a task counts as if its path were a minute
#: longer.
AGING = 0.05

#: Beyond this many candidates the larger-of-both rank is taken without playing both through.
MOST_PLAYED = 300

#: What the project's standing adds to the rank, at most, in seconds: it settles ties, not the schedule.
BONUS_SECONDS = 60.0

_STAGES = {"pre-launch": 1, "development": 1, "growth": 3, "active": 3, "production": 4}
_DEADLINE_DAYS = 90.0


def bonus(project: Project, now: float) -> float:
    """Seconds that the project's standing adds to the rank of its tasks, below BONUS_SECONDS.

    The registry's priority (1 before 99) decides, then the revenue stage, then how near the deadline is.
    """
    place = (99 - min(max(project.priority, 1), 99)) / 100  # steps of 0.01, at most 0.98
    stage = _STAGES.get(project.stage or "", 0) / 500  # at most 0.008
    return BONUS_SECONDS * (place + stage + _nearness(project.deadline, now) / 600)  # below 0.002


def first_in_repository(ranks: Mapping[str, float], repos: Mapping[str, str], first: Iterable[str]) -> dict[str, float]:
    """The ranks, with each of `first` raised above everything else in its repository.

    A red baseline is repaired before work is judged against it. It blocks nobody, and a fire (P0) still goes
    first, because priority counts before rank.
    """
    best: dict[str, float] = {}
    for task, rank in ranks.items():
        best[repos[task]] = max(rank, best.get(repos[task], rank))
    return {**ranks, **{task: best[repos[task]] + 1.0 for task in first}}


def order(candidates: Sequence[Candidate], board: Board, now: float) -> tuple[Candidate, ...]:
    """The candidates, first to start first. The same board gives the same order."""
    meets = _meeting(candidates, board.unmerged)
    larger = _sorted(candidates, board, now, by_both, meets)
    if len(candidates) > MOST_PLAYED or len(candidates) < 2:
        return larger
    path = _sorted(candidates, board, now, by_path, meets)
    if path == larger:
        return larger
    return path if _played(path, board, now) < _played(larger, board, now) else larger


def _sorted(
    candidates: Iterable[Candidate], board: Board, now: float, rule: Rule, meets: set[tuple[str, str]]
) -> tuple[Candidate, ...]:
    def key(one: Candidate) -> tuple[Priority, bool, float, float, bool, str, str]:
        waited = AGING * max(0.0, now - one.offered_at)
        path = one.path_left + waited
        score = rule(path, board.repo_work.get(one.repo, 0.0))  # the same for all of a hot one: there the path decides
        late = (one.run, one.task) in meets
        known = late and bool(one.paths)
        return one.priority, known, -score, -path, late, one.run, one.task

    return tuple(sorted(candidates, key=key))


def _meeting(candidates: Iterable[Candidate], unmerged: Iterable[Unmerged]) -> set[tuple[str, str]]:
    changes: dict[str, list[Unmerged]] = {}
    for change in unmerged:
        changes.setdefault(change.repo, []).append(change)
    return {
        (one.run, one.task)
        for one in candidates
        if any(
            (change.run, change.task) != (one.run, one.task) and overlap(one.paths, change.paths)
            for change in changes.get(one.repo, ())
        )
    }


def _played(ordered: Sequence[Candidate], board: Board, now: float) -> float:
    """Seconds until the present board would be empty if its candidates start in this order.

    What follows a candidate (the rest of its path, the rest of its repository's work) is added to its end
    without taking a slot: the board does not know that work, only how long it is.
    """
    pieces = [
        Piece(
            id=f"{one.run}/{one.task}",
            repo=one.repo,
            seconds=one.estimate,
            path_left=-float(at),
            paths=one.paths,
        )
        for at, one in enumerate(ordered)
    ]
    played = simulate(pieces, max(1, board.cap), by_path, busy=_busy(ordered, board, now))
    end = played.makespan
    last: dict[str, float] = {}
    rest = dict(board.repo_work)
    for piece, one in zip(pieces, ordered, strict=True):
        ended = played.ends[piece.id]
        end = max(end, ended + one.path_left - one.estimate)
        last[one.repo] = max(ended, last.get(one.repo, 0.0))
        rest[one.repo] = rest.get(one.repo, 0.0) - one.estimate
    return max([end, *(ended + rest[repo] for repo, ended in last.items())])


def _busy(candidates: Sequence[Candidate], board: Board, now: float) -> list[Piece]:
    """The present writers; how long they still need is a guess: an average task, less what has passed."""
    average = sum(one.estimate for one in candidates) / len(candidates)
    since = {(slot.run, slot.task): slot.taken_at for slot in board.slots}
    return [
        Piece(
            id=f"writer {at}",
            repo=owner.repo,
            seconds=max(average / 4, average - (now - since.get((owner.run, owner.task), now))),
            paths=owner.paths,
        )
        for at, owner in enumerate(board.owners)
    ]


def _nearness(deadline: str | None, now: float) -> float:
    """0 for none, far or unreadable, to 1 for due or past."""
    try:
        due = date.fromisoformat(deadline or "")
    except ValueError:
        return 0.0
    days = (due - date.fromordinal(719163 + int(now // 86400))).days  # 719163: 1970-01-01
    return min(1.0, max(0.0, 1 - days / _DEADLINE_DAYS))
