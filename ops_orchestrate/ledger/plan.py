"""How a plan is written: each task as one line, many lines in one call. Linear in the plan."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ops_orchestrate.core.attempt import Settlement
from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskMode, TaskSpec
from ops_orchestrate.errors import PlanError
from ops_orchestrate.ledger.announced import SETTLED, announced
from ops_orchestrate.ledger.folded import FIELD, LINE, fold

#: Tasks, and characters of them, in one call of the script that writes them: some milliseconds of the server's time.
CHUNK = 2_000
CHUNK_CHARS = 1_000_000


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
        marks: list[str] = []
        lines: list[str] = []
        chars = 0
        for spec in self.specs:
            held = self.blocked.get(spec.id)
            line = f"{spec.id}{FIELD}{fold(spec, self.dependants[spec.id], self.path_left[spec.id], held)}{LINE}"
            if lines and (len(lines) == CHUNK or chars + len(line) > CHUNK_CHARS):
                yield [*next(work, ["0"]), " ".join(marks), "".join(lines)]
                marks, lines, chars = [], [], 0
            marks += (spec.id, SETTLED + spec.id) if held else (spec.id,)
            lines.append(line)
            chars += len(line)
        yield [*next(work, ["0"]), " ".join(marks), "".join(lines)]

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
        held = sum(spec.id in self.blocked for spec in self.specs)
        states = {TaskState.QUEUED.value: len(self.specs) - held, TaskState.BLOCKED.value: held}
        return [word for state, count in states.items() if count for word in (state, str(count))]

    def teams(self) -> str:
        """Whether anything in it may be started early, as plan_write takes it."""
        return "1" if any(spec.mode is TaskMode.TEAM for spec in self.specs) else "0"

    def data(self) -> dict[str, int]:
        """What run.planned says about the graph."""
        edges = sum(len(spec.blocked_by) for spec in self.specs)
        waves = 1 + max((spec.wave for spec in self.specs), default=-1)
        return {"tasks": len(self.specs), "waves": waves, "edges": edges, "blocked": len(self.blocked)}


def split_args(whole: TaskSpec, parts: Sequence[TaskSpec]) -> list[str]:
    """The parts of a task as task_split takes them; each is waited for by the whole, and by parts behind it.

    What the whole waited for has completed, and returns itself to no join any more: a part waits for parts alone.
    """
    args: list[str] = []
    done = set(whole.blocked_by).difference(whole.parts)
    for part in parts:
        waiting = [other.id for other in parts if part.id in other.blocked_by]
        line = fold(part, (*waiting, whole.id), part.estimate, done=done)
        kind, data = announced(part.id, line)
        args += [part.id, line, kind.value, json.dumps(data)]
    return args
