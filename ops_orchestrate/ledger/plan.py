"""How a plan is written: each task as the fields of its hash and the events that announce it. Linear in the plan."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ops_orchestrate.core.attempt import Settlement
from ops_orchestrate.core.board import Candidate
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.tail import gist
from ops_orchestrate.core.task import Priority, TaskMode, TaskSpec
from ops_orchestrate.errors import PlanError

#: Tasks, and characters of them, in one call of the script that writes them: some milliseconds of the server's time.
CHUNK = 250
CHUNK_CHARS = 1_000_000

_ORDER = {priority: number for number, priority in enumerate(Priority)}
#: Characters of the description that the events carry.
_DETAIL = 300
#: Priority goes before any length: no path of work is this long (about thirty years).
_STEP = 1e9


class PlanWriter:
    """A plan, ready to be sent. Refuses a graph with unknown blockers or a cycle: it could never end."""

    def __init__(self, run: str, specs: Sequence[TaskSpec], blocked: Mapping[str, Settlement]) -> None:
        self.run = run
        self.specs = specs
        self.blocked = blocked
        if len({spec.id for spec in specs}) != len(specs):
            raise PlanError("Two tasks of the plan have the same id; give each its own.")
        graph = Graph({spec.id: spec.blocked_by for spec in specs})
        self.dependants = graph.dependants
        self.path_left = graph.path_left({spec.id: spec.estimate for spec in specs})

    def chunks(self) -> Iterator[list[str]]:
        """The plan as plan_write takes it, in so many parts: at least one, the first with the work of repositories."""
        work = self._work()
        args, tasks, chars = next(work, ["0"]), 0, 0
        for spec in self.specs:
            one = task_args(
                self.run, spec, self.dependants[spec.id], self.path_left[spec.id], self.blocked.get(spec.id)
            )
            size = sum(map(len, one))
            if tasks and (tasks == CHUNK or chars + size > CHUNK_CHARS):
                yield args
                args, tasks, chars = next(work, ["0"]), 0, 0
            args += one
            tasks, chars = tasks + 1, chars + size
        yield args

    def _work(self) -> Iterator[list[str]]:
        """The seconds of work in each repository, in as many parts as chunks of tasks at most."""
        work: defaultdict[str, float] = defaultdict(float)
        for spec in self.specs:
            if spec.id not in self.blocked:
                work[spec.repo] += spec.estimate
        pairs = [(repo, seconds) for repo, seconds in work.items() if seconds >= 0.001]
        for start in range(0, len(pairs), CHUNK):
            part = pairs[start : start + CHUNK]
            yield [str(len(part)), *(word for repo, seconds in part for word in (repo, f"{seconds:.6f}"))]

    def states(self) -> list[str]:
        """How many tasks the plan starts with in each state."""
        states: Counter[str] = Counter(_state(self.blocked.get(spec.id)) for spec in self.specs)
        return [word for state, count in states.items() for word in (state, str(count))]

    def data(self) -> dict[str, int]:
        """What run.planned says about the graph."""
        edges = sum(len(spec.blocked_by) for spec in self.specs)
        waves = 1 + max((spec.wave for spec in self.specs), default=-1)
        return {"tasks": len(self.specs), "waves": waves, "edges": edges, "blocked": len(self.blocked)}


def task_args(
    run: str, spec: TaskSpec, dependants: Sequence[str], path_left: float, settlement: Settlement | None = None
) -> list[str]:
    """One task as the scripts take it: id, its fields and their number, its events and theirs."""
    urgency = spec.urgency or spec.priority
    card = Candidate(
        run=run,
        task=spec.id,
        repo=spec.repo,
        project=spec.project,
        paths=spec.paths,
        priority=urgency,
        # Planning knows more than the graph (what the owner puts first); a plan without ranks has the graph's own.
        path_left=spec.rank or path_left,
        estimate=spec.estimate,
        part_of=spec.part_of,
        of_parts=spec.of_parts,
    )
    fields = {
        "spec": spec.model_dump_json(),
        "card": card.model_dump_json(),
        "score": repr(_ORDER[urgency] * _STEP - min(card.path_left, _STEP - 1)),
        "state": _state(settlement),
        "repo": spec.repo,
        "paths": json.dumps(spec.paths),
        "estimate": repr(spec.estimate),
        "wave": str(spec.wave),
        "attempt": "0",
        "team": "1" if spec.mode is TaskMode.TEAM else "",
        "blocked_by": " ".join(spec.blocked_by),
        "dependants": " ".join(dependants),
        "reason": settlement.reason if settlement else "",
        "ask": settlement.ask if settlement else "",
    }
    told = [(name, value) for name, value in fields.items() if value]
    args = [spec.id, str(len(told))]
    for name, value in told:
        args += [name, value]
    events = _events(spec, settlement)
    args.append(str(len(events)))
    for kind, data in events:
        args += [kind, json.dumps(data)]
    return args


def split_args(run: str, whole: TaskSpec, parts: Sequence[TaskSpec]) -> list[str]:
    """The parts of a task as the scripts take them; each is waited for by the whole, and by parts behind it."""
    args: list[str] = []
    for part in parts:
        waiting = [other.id for other in parts if part.id in other.blocked_by]
        args += task_args(run, part, (*waiting, whole.id), part.estimate)
    return args


def _state(settlement: Settlement | None) -> str:
    return TaskState.BLOCKED.value if settlement else TaskState.QUEUED.value


def _events(spec: TaskSpec, settlement: Settlement | None) -> list[tuple[str, dict[str, object]]]:
    names = (
        "title",
        "project",
        "repo",
        "priority",
        "label",
        "mode",
        "wave",
        "blocked_by",
        "estimate",
        "paths",
        "mode_reason",
        "member",
        "acceptance",
        "gate",
        "base",
    )
    planned = spec.model_dump(mode="json", include={*names, "sensitive", "human"})
    if spec.part_of:
        planned |= {"part_of": spec.part_of, "split_by": spec.split_by}
    if spec.big:
        planned["big"] = spec.big
    planned["detail"] = _detail(spec)
    events: list[tuple[str, dict[str, object]]] = [(EventKind.TASK_PLANNED.value, planned)]
    if settlement:
        data: dict[str, object] = {
            "state": TaskState.BLOCKED.value,
            "reason": settlement.reason,
            "ask": settlement.ask,
            "merge": "",
            "head": "",
        }
        events.append((EventKind.TASK_SETTLED.value, data))
    return events


def _detail(spec: TaskSpec) -> str:
    """What the task is about, in a line: the beginning of its description, of a gate's log what failed last."""
    text = spec.description
    if not text:
        return ""
    return one_line(" ".join(gist(text, _DETAIL)) if spec.fixes_base else text[: 4 * _DETAIL], _DETAIL)
