"""Hand-written event lists, told shortly: each call adds the events that the ledger would write then."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.core.event import Event, EventKind

BEGAN = 1_790_000_000.0
HEAD = "ab" * 20
BASE = "cd" * 20
TREE = "ef" * 20
MERGE = "12" * 20


class Story:
    """The events of one run, in order, one second apart unless `wait` says otherwise."""

    def __init__(self, run: str = "r1") -> None:
        self.run = run
        self.events: list[Event] = []
        self.now = BEGAN
        self.fence = 1000
        self.held: dict[str, tuple[int, int, int, str]] = {}
        self.repos: dict[str, tuple[str, list[str]]] = {}
        self.tries: dict[str, int] = {}

    def add(
        self,
        kind: str,
        task: str | None = None,
        data: dict[str, Any] | None = None,
        **where: Any,
    ) -> Event:
        self.now += 1
        event = Event(
            seq=len(self.events) + 1,
            at=self.now,
            kind=EventKind(kind),
            run=self.run,
            task=task,
            data=data or {},
            **where,
        )
        self.events.append(event)
        return event

    def wait(self, seconds: float) -> Story:
        self.now += seconds
        return self

    def begin(self, **data: Any) -> Story:
        known = {
            "mode": "hybrid",
            "mode_note": "",
            "scope": "global",
            "origin": "registry.json",
            "digest": "0" * 64,
            "projects": ["api", "web"],
            "skipped": [],
            "warnings": [],
            "force": False,
            "no_main": False,
            "fires_only": False,
            "max_waves": None,
            "dry_run": False,
            "agent": "command",
            "version": "0.1.0",
        }
        self.add("run.begun", data={**known, **data}, host="host-1")
        return self

    def plan(self, *tasks: dict[str, Any], **data: Any) -> Story:
        waves = len({task.get("wave", 0) for task in tasks})
        self.add(
            "run.planned",
            data={"tasks": len(tasks), "waves": waves, "skipped": [], "unknown": [], "notes": [], **data},
        )
        for task in tasks:
            known = {
                "title": task["id"],
                "project": "api",
                "repo": "api",
                "priority": "P2",
                "label": "P2",
                "mode": "subagent",
                "mode_reason": "one repository, nothing sensitive",
                "wave": 0,
                "blocked_by": [],
                "estimate": 600.0,
                "paths": [],
                "sensitive": None,
                "human": None,
                "acceptance": [],
                "gate": "make test",
                "base": "dev",
            }
            facts = {**known, **{key: value for key, value in task.items() if key != "id"}}
            self.repos[task["id"]] = (facts["repo"], facts["paths"])
            self.add("task.planned", task["id"], facts)
        return self

    def start(self, task: str, slot: int = 0, host: str = "host-1", agent: str = "command") -> Story:
        self.fence += 1
        number = self.tries[task] = self.tries.get(task, 0) + 1
        self.held[task] = (slot, number, self.fence, host)
        repo, paths = self.repos[task]
        granted = {"attempt": number, "fence": self.fence}
        self.add("slot.taken", task, {"slot": slot}, **granted)
        self.add("ownership.taken", task, {"repo": repo, "paths": paths}, **granted)
        self.add("attempt.started", task, {"agent": agent, "branch": f"ops/{task}"}, host=host, **granted)
        return self

    def where(self, task: str) -> dict[str, Any]:
        _, number, fence, host = self.held[task]
        return {"attempt": number, "fence": fence, "host": host}

    def end(self, task: str, outcome: str = "succeeded", **data: Any) -> Story:
        slot, where = self.held[task][0], self.where(task)
        good = outcome == "succeeded"
        known = {
            "outcome": outcome,
            "summary": "",
            "head": HEAD if good else "",
            "seconds": 60.0,
            "unsandboxed": False,
        }
        self.add("attempt.ended", task, {**known, **data}, **where)
        self.add("slot.released", task, {"slot": slot}, **where)
        self.add("ownership.released", task, {"repo": self.repos[task][0]}, **where)
        return self

    def judge(self, task: str, kind: str = "verified", **data: Any) -> Story:
        self.add("stage.claimed", task, {"stage": "verify"}, **self.where(task))
        known = {"kind": kind, "rule": "", "summary": "", "head": HEAD, "base": BASE, "tree": TREE}
        self.add("verdict", task, {**known, **data}, **self.where(task))
        return self

    def review(self, task: str, verdict: str = "approve", **data: Any) -> Story:
        self.add("stage.claimed", task, {"stage": "review"}, **self.where(task))
        known = {"what": "security review", "verdict": verdict, "head": HEAD, "base": BASE, "agent": "claude"}
        self.add("evidence", task, {**known, **data}, **self.where(task))
        return self

    def merge(self, task: str, branch: str = "dev", commit: str = MERGE) -> Story:
        data = {
            "commit": commit,
            "branch": branch,
            "base": BASE,
            "head": HEAD,
            "tree": TREE,
            "method": "squash",
        }
        self.add("stage.claimed", task, {"stage": "land"}, **self.where(task))
        self.add("merge.intended", task, data, **self.where(task))
        self.add("merge.proved", task, data, **self.where(task))
        return self.settle(task, "completed", reason="merged", merge=commit, head=HEAD)

    def settle(self, task: str, state: str, reason: str = "", ask: str = "", merge: str = "", head: str = "") -> Story:
        where = self.where(task) if task in self.held else {}
        data = {"state": state, "reason": reason, "ask": ask, "merge": merge, "head": head}
        self.add("task.settled", task, data, **where)
        return self

    def ship(self, task: str, slot: int = 0, **ended: Any) -> Story:
        """Start, end, verify and merge a task that gives no trouble."""
        return self.start(task, slot).end(task, **ended).judge(task).merge(task)

    def finish(self, state: str = "done", reason: str = "every task has ended") -> Story:
        self.add("run.finished", data={"state": state, "reason": reason, "counts": {}})
        return self
