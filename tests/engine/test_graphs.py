"""Random graphs on real workers: order, cap, ownership and attempts, read off the events and off git itself.

The graphs are drawn from fixed seeds. One set of workers serves them all; for the last one the planner is
started anew with a lower cap.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.run import RequestedTask
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.core.task import Mode
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, requested, standing, work
from tests.laws import examples
from tests.repos import git

pytestmark = [pytest.mark.real]

REPOS = ("app", "web", "lib")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Three repositories and a worker of every pool."""
    with standing(tmp_path_factory.mktemp("graphs"), REPOS) as made:
        made.start()
        yield made


def draw(seed: int, count: int) -> list[RequestedTask]:
    """A random graph over the repositories. All of `app` is worked on under declared paths, a third of the rest too."""
    choose = random.Random(seed)
    names = [f"g{seed}t{number:02d}" for number in range(count)]
    tasks = []
    for number, name in enumerate(names):
        repo = choose.choice(REPOS)
        near = names[max(0, number - 8) : number]
        blockers = choose.sample(near, min(len(near), choose.choice((0, 1, 1, 2, 3))))
        paths = (f"src/{name}/",) if repo == "app" or choose.random() < 0.3 else ()
        tasks.append(requested(name, repo, blocked_by=blockers, paths=paths))
    return tasks


def run_through(
    rig: Rig, tasks: Sequence[RequestedTask], mode: Mode = Mode.SUBAGENTS, seconds: float = 0.0
) -> tuple[str, list[Event]]:
    """The whole graph from request to report, each agent at work for so long; the run and its events."""
    rig.play({task.id: [work(task.id, seconds=seconds, path=f"src/{task.id}/done.txt")] for task in tasks})
    run = rig.submit(tasks, mode=mode)
    return run, rig.finish(run, 120)


@dataclass(frozen=True)
class Stretch:
    """One attempt at work: its task, and the numbers of the events between which its agent had slot and ownership."""

    task: RequestedTask
    first: int
    last: int

    def meets(self, other: Stretch) -> bool:
        return self.first < other.last and other.first < self.last


def stretches(events: Sequence[Event], tasks: Sequence[RequestedTask]) -> list[Stretch]:
    """Every time that a slot was held."""
    by_id = {task.id: task for task in tasks}
    open_at: dict[tuple[str, int], int] = {}
    found = []
    for event in events:
        held = (event.task or "", event.fence or 0)
        if event.kind is EventKind.SLOT_TAKEN:
            open_at[held] = event.seq
        elif event.kind is EventKind.SLOT_RELEASED:
            found.append(Stretch(by_id[held[0]], open_at.pop(held), event.seq))
    assert open_at == {}
    return found


def most_at_once(held: Sequence[Stretch]) -> int:
    return max(sum(one.first <= other.first < one.last for one in held) for other in held)


def assert_order(events: Sequence[Event], tasks: Sequence[RequestedTask]) -> None:
    """Each attempt starts after every blocker of its task was settled as completed."""
    blockers = {task.id: set(task.blocked_by) for task in tasks}
    completed: set[str] = set()
    for event in events:
        if event.kind is EventKind.TASK_SETTLED and event.data["state"] == "completed":
            completed.add(event.task or "")
        if event.kind in (EventKind.SLOT_TAKEN, EventKind.ATTEMPT_STARTED):
            assert blockers[event.task or ""] <= completed, event
    assert completed == set(blockers)


def assert_alone(held: Sequence[Stretch]) -> None:
    """Two agents in one repository at once have both declared paths; the paths of these graphs never meet."""
    for one in held:
        for other in held:
            if one is not other and one.task.project == other.task.project and one.meets(other):
                assert one.task.paths and other.task.paths and one.task.paths != other.task.paths


def assert_once(rig: Rig, run: str, events: Sequence[Event], tasks: Sequence[RequestedTask]) -> None:
    """One attempt a task, one settlement, one merge; git has exactly these merges, blockers before dependants."""
    ids = [task.id for task in tasks]
    for kind in (EventKind.ATTEMPT_STARTED, EventKind.ATTEMPT_ENDED, EventKind.TASK_SETTLED, EventKind.MERGE_PROVED):
        assert Counter(event.task for event in events if event.kind is kind) == Counter(ids)
    merged: list[str] = []
    for repo in REPOS:
        trailer = "--format=%(trailers:key=Ops-Task,valueonly,separator=)"
        line = git("log", "--first-parent", "--reverse", trailer, "dev", cwd=rig.upstreams[repo].bare)
        own = [task.id for task in tasks if task.project == repo]
        merged_here = [name for name in line.splitlines() if name in ids]
        assert sorted(merged_here) == own
        for task in tasks:
            for blocker in task.blocked_by:
                if task.id in own and blocker in own:
                    assert merged_here.index(blocker) < merged_here.index(task.id)
        merged += merged_here
    assert sorted(merged) == sorted(ids)


def prove(rig: Rig, run: str, events: Sequence[Event], tasks: Sequence[RequestedTask], *, cap: int) -> None:
    """Everything that must hold of a run in which nothing failed."""
    assert rig.ledger.runs.get(run).state is RunState.DONE
    assert {task.state for task in rig.ledger.tasks.all(run)} == {TaskState.COMPLETED}
    assert violations(events) == []
    held = stretches(events, tasks)
    assert 2 <= most_at_once(held) <= cap
    assert_order(events, tasks)
    assert_alone(held)
    assert_once(rig, run, events, tasks)
    assert rig.agents() == []
    assert rig.ledger.board.slots() == [] and rig.ledger.board.owners() == []


#: The first of them, or all and more seeds when thorough.
GRAPHS = [(2, 15), (1, 12), *((seed, 12) for seed in range(4, 20))]


@pytest.mark.parametrize(("seed", "count"), GRAPHS[: examples(1)])
def test_a_random_graph_is_done_in_its_order(rig: Rig, seed: int, count: int) -> None:
    tasks = draw(seed, count)
    run, events = run_through(rig, tasks)
    prove(rig, run, events, tasks, cap=5)


def test_members_of_a_team_start_early_and_ship_in_order(rig: Rig) -> None:
    """Who started before its blockers had completed ships after them, and four slots at most are theirs."""
    tasks = draw(5, 12)
    run, events = run_through(rig, tasks, Mode.TEAMS, seconds=0.5)
    assert rig.ledger.runs.get(run).state is RunState.DONE
    assert violations(events) == []
    early = {event.fence for event in events if event.kind is EventKind.SLOT_TAKEN and event.data.get("early")}
    assert early
    completed: set[str] = set()
    held: set[int | None] = set()
    for event in events:
        if event.kind is EventKind.SLOT_TAKEN and event.fence in early:
            held.add(event.fence)
        elif event.kind is EventKind.SLOT_RELEASED:
            held.discard(event.fence)
        elif event.kind is EventKind.MERGE_INTENDED:
            assert set(next(t.blocked_by for t in tasks if t.id == event.task)) <= completed, event
        elif event.kind is EventKind.TASK_SETTLED and event.data["state"] == "completed":
            completed.add(event.task or "")
        assert len(held) < 5
    assert_alone(stretches(events, tasks))
    assert_once(rig, run, events, tasks)


def test_agents_with_disjoint_paths_share_a_repository(rig: Rig) -> None:
    tasks = [requested(f"d{number}", paths=(f"src/d{number}/",)) for number in range(3)]
    rig.play({task.id: [work(task.id, seconds=0.5, path=f"src/{task.id}/done.txt")] for task in tasks})
    run = rig.submit(tasks)
    events = rig.finish(run)
    held = stretches(events, tasks)
    assert all(one.meets(other) for one in held for other in held)
    assert violations(events) == []


def test_a_lower_cap_holds_and_everything_is_done_all_the_same(rig: Rig) -> None:
    rig.kill("planner")
    rig.env["OPS_MAX_AGENTS"] = "2"
    rig.start("planner")
    tasks = draw(3, 8)
    run, events = run_through(rig, tasks)
    prove(rig, run, events, tasks, cap=2)
    assert {event.data["slot"] for event in events if event.kind is EventKind.SLOT_TAKEN} == {1, 2}
