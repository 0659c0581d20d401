"""Claims on findings: two runs never work on the same defect. A claim stays after its task has ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ops_orchestrate.core.crossref import Blocker, Left
from ops_orchestrate.core.states import RUN_OPEN, STARTABLE, RunState, TaskState
from ops_orchestrate.ledger.folded import ask_fields, fields
from ops_orchestrate.ledger.keys import Keys, member
from ops_orchestrate.ledger.results import ClaimView
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server
from ops_orchestrate.ledger.taking import Taking

#: Project and fingerprint.
Found = tuple[str, str]


class Claims:
    """Who has which finding."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._taking = Taking(scripts)
        self._keys = keys

    def look(self, keys: Sequence[Found]) -> dict[Found, ClaimView]:
        """The claims on these findings; those that nobody has are left out."""
        if not keys:
            return {}
        stored = self._taking.look([_field(*found) for found in keys])
        return self._views({_found(field): text for field, text in stored.items()})

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
        refused = self._taking.take(run_id, claims, [member(*owner) for owner in over])
        return self._views({_found(field): text for field, text in refused.items()})

    def _views(self, claims: dict[Found, str]) -> dict[Found, ClaimView]:
        owners: list[dict[str, Any]] = [json.loads(text) for text in claims.values()]

        def fill(pipe: Any) -> None:
            for owner in owners:
                ask_fields(pipe, self._keys, owner["run"], owner["task"], _TASK)
                pipe.hmget(self._keys("run", owner["run"]), "state", "planned")

        answers = self._server.pipe(fill)
        tasks = [fields(_TASK, *told) for told in zip(answers[::3], answers[1::3], strict=True)]
        gates, behind = self._gates(owners, tasks), self._behind(owners, tasks, answers[2::3])
        whole = zip(claims, owners, tasks, answers[2::3], gates, behind, strict=True)
        return {found: _view(owner, task, run, gate, waits) for found, owner, task, run, gate, waits in whole}

    def _gates(self, owners: list[dict[str, Any]], tasks: list[dict[str, str]]) -> list[str]:
        """The gate of each task that waits to be verified: the one that it was planned with, or its run has now."""
        asked = [at for at, task in enumerate(tasks) if task["state"] == TaskState.BLOCKED and task["ask"] == "verify"]

        def fill(pipe: Any) -> None:
            for at in asked:
                ask_fields(pipe, self._keys, owners[at]["run"], owners[at]["task"], ("spec",))
                pipe.hget(self._keys("gates", owners[at]["run"]), tasks[at]["repo"])

        answers = self._server.pipe(fill) if asked else []
        gates = [""] * len(tasks)
        for at, stored, line, given in zip(asked, answers[::3], answers[1::3], answers[2::3], strict=True):
            spec = fields(("spec",), stored, line)["spec"]
            gates[at] = json.loads(given or spec or "{}").get("gate") or ""
        return gates

    def _behind(
        self, owners: list[dict[str, Any]], tasks: list[dict[str, str]], runs: list[list[str | None]]
    ) -> list[tuple[Blocker, ...]]:
        """What each task waits for that could be taken over from a run which has ended."""
        names = [
            (at, owner["run"], blocker)
            for at, (owner, task, (state, planned)) in enumerate(zip(owners, tasks, runs, strict=True))
            if planned == "1" and state not in RUN_OPEN and task["state"] in STARTABLE
            for blocker in task["blocked_by"].split()
        ]

        def fill(pipe: Any) -> None:
            for _, run, blocker in names:
                ask_fields(pipe, self._keys, run, blocker, _BLOCKER)

        answers = self._server.pipe(fill) if names else []
        behind: list[tuple[Blocker, ...]] = [()] * len(tasks)
        for (at, *_), stored, line in zip(names, answers[::2], answers[1::2], strict=True):
            blocker = fields(_BLOCKER, stored, line)
            if blocker["spec"] and blocker["state"] != TaskState.COMPLETED:
                behind[at] = (*behind[at], _blocker(json.loads(blocker["spec"])))
        return behind


#: What a claim shows of its task.
_TASK = ("state", "merge", "ask", "head", "repo", "blocked_by")
_BLOCKER = ("state", "spec")


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
    run_state, planned = run
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
