"""Claims on findings: two runs never work on the same defect. A claim stays after its task has ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ops_orchestrate.core.crossref import Blocker, Left
from ops_orchestrate.core.states import RUN_OPEN, STARTABLE, RunState, TaskState
from ops_orchestrate.ledger.folded import fields
from ops_orchestrate.ledger.keys import Keys, member
from ops_orchestrate.ledger.results import ClaimView
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server
from ops_orchestrate.ledger.taking import Taking

#: Claims whose tasks are read at once: a line of a plan may hold twenty thousand characters of text.
AT_ONCE = 500

#: Project and fingerprint.
Found = tuple[str, str]


class Claims:
    """Who has which finding."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._taking = Taking(scripts)
        self._keys = keys

    def look(self, keys: Sequence[Found]) -> dict[Found, ClaimView]:
        """The claims on these findings; those that nobody has, or a run that is being forgotten, are left out."""
        if not keys:
            return {}
        stored = self._taking.look([_field(*found) for found in keys])
        return self._views(stored)

    def take(
        self,
        run_id: str,
        items: Sequence[tuple[str, str, str, str]],
        *,
        over: Sequence[tuple[str, str]] = (),
        left: Mapping[str, Left] | None = None,
    ) -> dict[Found, ClaimView]:
        """Take findings (project, fingerprint, task, cause) for a run: all of them, or none.

        Answers those it cannot have, with their owners; then nothing has changed. `over` names tasks whose claims may
        be taken over: one that could still start or waits for a person is cancelled, one in flight keeps its claim.
        `left`: what the tasks of `items` take over; their claims show it until the run's plan is there.
        """
        left = left or {}
        claims: dict[str, str] = {}
        for project, fingerprint, task, cause in items:
            claim: dict[str, object] = {"run": run_id, "task": task, "cause": cause}
            if task in left:
                claim["left"] = left[task][:3]
            claims[_field(project, fingerprint)] = json.dumps(claim)
        # Where nothing of it is shown, the runs that refused it are being forgotten since.
        while refused := self._taking.take(run_id, claims, [member(*owner) for owner in over]):
            if views := self._views(refused):
                return views
        return {}

    def give_back(self, run_id: str, found: Sequence[Found]) -> None:
        """Give back those of these findings that the run has: nobody has them then."""
        held = self._taking.look([_field(*one) for one in found])
        self._taking.undo({field: text for field, text in held.items() if json.loads(text)["run"] == run_id}, {})

    def _views(self, claims: Mapping[str, str]) -> dict[Found, ClaimView]:
        """What each claim shows; those of a run that is being forgotten are left out."""
        stored, views = list(claims.items()), dict[Found, ClaimView]()
        for start in range(0, len(stored), AT_ONCE):
            part = stored[start : start + AT_ONCE]
            owners: list[dict[str, Any]] = [json.loads(text) for _, text in part]
            tasks = self._tasks([(owner["run"], owner["task"]) for owner in owners], _TASK)
            runs = self._runs(owners)  # after their tasks: what is forgotten is marked before anything of it goes
            gates, behind = self._gates(owners, tasks), self._behind(owners, tasks, runs)
            for (field, _), owner, task, run, gate, waits in zip(part, owners, tasks, runs, gates, behind, strict=True):
                if run[2] is None:
                    views[_found(field)] = _view(owner, task, run, gate, waits)
        return views

    def _tasks(self, asked: Sequence[tuple[str, str]], names: Sequence[str]) -> list[dict[str, str]]:
        """These fields, `state` first, of each task. Only of one that nobody has touched its whole line is read."""
        stored = self._server.pipe(lambda pipe: [pipe.hmget(self._keys("task", *one), names) for one in asked])
        bare = [at for at, values in enumerate(stored) if values[0] is None]

        def fill(pipe: Any) -> None:
            for at in bare:
                pipe.hget(self._keys("plan", asked[at][0]), asked[at][1])

        lines = dict(zip(bare, self._server.pipe(fill), strict=True)) if bare else {}
        return [fields(names, values, lines.get(at)) for at, values in enumerate(stored)]

    def _runs(self, owners: Sequence[dict[str, Any]]) -> list[list[str | None]]:
        """Of the run of each: its state, whether it has a plan, whether it is being forgotten."""
        names = sorted({owner["run"] for owner in owners})
        told = self._server.pipe(lambda pipe: [pipe.hmget(self._keys("run", name), _RUN) for name in names])
        known = dict(zip(names, told, strict=True))
        return [known[owner["run"]] for owner in owners]

    def _gates(self, owners: list[dict[str, Any]], tasks: list[dict[str, str]]) -> list[str]:
        """The gate of each task that waits to be verified: the one that it was planned with, or its run has now."""
        asked = [at for at, task in enumerate(tasks) if task["state"] == TaskState.BLOCKED and task["ask"] == "verify"]
        if not asked:
            return [""] * len(tasks)

        def fill(pipe: Any) -> None:
            for at in asked:
                pipe.hget(self._keys("gates", owners[at]["run"]), tasks[at]["repo"])

        specs = self._tasks([(owners[at]["run"], owners[at]["task"]) for at in asked], _BLOCKER)
        gates = [""] * len(tasks)
        for at, spec, given in zip(asked, specs, self._server.pipe(fill), strict=True):
            gates[at] = json.loads(given or spec["spec"] or "{}").get("gate") or ""
        return gates

    def _behind(
        self, owners: list[dict[str, Any]], tasks: list[dict[str, str]], runs: list[list[str | None]]
    ) -> list[tuple[Blocker, ...]]:
        """What each task waits for that could be taken over from a run which has ended."""
        names = [
            (at, owner["run"], blocker)
            for at, (owner, task, (state, planned, _)) in enumerate(zip(owners, tasks, runs, strict=True))
            if planned == "1" and state not in RUN_OPEN and task["state"] in STARTABLE
            for blocker in task["blocked_by"].split()
        ]
        behind: list[tuple[Blocker, ...]] = [()] * len(tasks)
        for start in range(0, len(names), AT_ONCE):
            part = names[start : start + AT_ONCE]
            for (at, *_), blocker in zip(part, self._tasks([name[1:] for name in part], _BLOCKER), strict=True):
                if blocker["spec"] and blocker["state"] != TaskState.COMPLETED:
                    behind[at] = (*behind[at], _blocker(json.loads(blocker["spec"])))
        return behind


#: What a claim shows of its task.
_TASK = ("state", "merge", "ask", "head", "repo", "blocked_by")
_BLOCKER = ("state", "spec")
_RUN = ("state", "planned", "forgetting")


def _blocker(spec: dict[str, Any]) -> Blocker:
    return Blocker(
        task=spec["id"], project=spec["project"], fingerprint=spec["fingerprint"], sources=spec.get("sources", ())
    )


def _view(
    owner: dict[str, Any],
    task: dict[str, str],
    run: list[str | None],
    gate: str,
    behind: tuple[Blocker, ...],
) -> ClaimView:
    """A claim is taken just before its task is written: until the plan is there the task counts as queued."""
    run_state, planned, _ = run
    task = task if planned == "1" else {}
    return ClaimView(
        run=owner["run"],
        task=owner["task"],
        state=TaskState(task.get("state") or TaskState.QUEUED),
        run_state=RunState(run_state or RunState.AUDITING),
        cause=owner["cause"],
        merge=task.get("merge") or "",
        ask=task.get("ask") or "",
        head=task.get("head") or "",
        gate=gate,
        behind=behind,
        left=None if planned == "1" or "left" not in owner else Left(*owner["left"]),
    )


def _field(project: str, fingerprint: str) -> str:
    return json.dumps([project, fingerprint])


def _found(field: str) -> Found:
    project, fingerprint = json.loads(field)
    return project, fingerprint
