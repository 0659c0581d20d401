"""The control side over HTTP, for the demo and other processes: `POST /_control/METHOD` with its arguments as JSON.

`GET /_control/journal?since=N` (all entries after N), `GET /_control/pending`, `GET /_control/` (what there is).
An answer is what the method gave, things of the stand-in as their number, name and SHA. Nothing here asks for a
token: the stand-in listens on loopback only and holds nothing real.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ops_orchestrate.standin.control_work import Control
from ops_orchestrate.standin.exchange import Refused, Reply, Request

METHODS = frozenset({
    "add_user", "add_repository", "permit", "protect", "unprotect", "change_repository", "rename",
    "delete", "ci", "fault", "clear_faults", "limits", "limit", "mergeable_after", "latency", "skip", "settle", "push",
    "delete_branch", "notice", "open_pull", "change_pull", "review", "thread", "reply", "resolve", "comment", "merge",
    "auto_merge", "issue", "check", "status", "release", "trigger", "queue",
})  # fmt: skip


class ControlSide:
    """Turns requests into calls of `Control`."""

    control: Control

    def answer(self, request: Request) -> Reply:
        """One call."""
        name = request.path.removeprefix("/_control").strip("/")
        if request.method == "GET":
            return self._look(name, request)
        if name not in METHODS:
            return Reply(404, {"error": f"no control {name!r}", "there is": sorted(METHODS)})
        try:
            arguments = json.loads(request.body or b"{}")
            if name == "add_repository" and arguments.get("source"):
                arguments["source"] = Path(arguments["source"])
            if name == "issue":
                arguments = self._with_issues(arguments)
            result = getattr(self.control, name)(**arguments)
        except (KeyError, TypeError, ValueError, RuntimeError, Refused) as error:
            return Reply(400, {"error": f"{type(error).__name__}: {error}"})
        return Reply(200, {"result": _plain(result)})

    def _look(self, name: str, request: Request) -> Reply:
        if name == "journal":
            with self.control.world.lock:
                entries = self.control.journal.entries[int(request.query.get("since", "0")) :]
            return Reply(200, [entry.as_json() for entry in entries])
        if name == "pending":
            return Reply(200, self.control.pending())
        return Reply(200, {"methods": sorted(METHODS), "look": ["journal", "pending"]})

    def _with_issues(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Issues are named `owner/name#number` on the wire."""

        def find(text: str) -> Any:
            name, _, number = text.partition("#")
            return self.control.repository(name).issues[int(number)]

        if "blocked_by" in arguments:
            arguments["blocked_by"] = [find(text) for text in arguments["blocked_by"]]
        if "parent" in arguments:
            arguments["parent"] = find(arguments["parent"])
        return arguments


def _plain(result: Any) -> Any:
    if result is None or isinstance(result, str | int | float | bool):
        return result
    names = ("number", "id", "node_id", "full_name", "login", "head_sha", "conclusion", "state")
    return {name: value for name in names if isinstance(value := getattr(result, name, None), str | int)}
