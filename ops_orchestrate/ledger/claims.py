"""Claims on findings: two runs never work on the same defect. A claim stays after its task has ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.ledger.keys import Keys, member
from ops_orchestrate.ledger.results import ClaimView
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server

#: Project and fingerprint.
Found = tuple[str, str]


class Claims:
    """Who has which finding."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys

    def look(self, keys: Sequence[Found]) -> dict[Found, ClaimView]:
        """The claims on these findings; those that nobody has are left out."""
        if not keys:
            return {}
        fields = [_field(*found) for found in keys]
        stored = self._server.ask(lambda: self._server.client.hmget(self._keys("claims"), fields))
        return self._views({found: text for found, text in zip(keys, stored, strict=True) if text})

    def take(
        self,
        run_id: str,
        items: Sequence[tuple[str, str, str, str]],
        *,
        over: Sequence[tuple[str, str]] = (),
    ) -> dict[Found, ClaimView]:
        """Take findings (project, fingerprint, task, cause) for a run, in one step.

        Answers those it could not take, with their owners. `over` names tasks whose claims may be taken over:
        one that could still start or waits for a person is cancelled, one in flight keeps its claim.
        """
        args = [str(len(over)), *(member(*owner) for owner in over)]
        for project, fingerprint, task, cause in items:
            args += [_field(project, fingerprint), task, cause]
        refused = self._scripts("claims_take", run_id, *args)
        pairs = zip(refused[::2], refused[1::2], strict=True)
        return self._views({_found(field): text for field, text in pairs})

    def _views(self, claims: dict[Found, str]) -> dict[Found, ClaimView]:
        owners: list[dict[str, str]] = [json.loads(text) for text in claims.values()]

        def fill(pipe: Any) -> None:
            for owner in owners:
                pipe.hmget(self._keys("task", owner["run"], owner["task"]), "state", "merge")
                pipe.hget(self._keys("run", owner["run"]), "state")

        answers = self._server.pipe(fill)
        pairs = zip(answers[::2], answers[1::2], strict=True)
        return {found: _view(owner, task, run) for found, owner, (task, run) in zip(claims, owners, pairs, strict=True)}


def _view(owner: dict[str, str], task: list[str | None], run: str | None) -> ClaimView:
    """A claim is taken just before its task is written: until then the task counts as queued."""
    return ClaimView(
        run=owner["run"],
        task=owner["task"],
        state=TaskState(task[0] or TaskState.QUEUED),
        run_state=RunState(run or RunState.AUDITING),
        cause=owner["cause"],
        merge=task[1] or "",
    )


def _field(project: str, fingerprint: str) -> str:
    return json.dumps([project, fingerprint])


def _found(field: str) -> Found:
    project, fingerprint = json.loads(field)
    return project, fingerprint
