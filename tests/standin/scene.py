"""A stand-in with one repository, a bot that may write, a reviewer, and requests in one line."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import httpx

from ops_orchestrate.standin.run import Standin

REPO = "acme/app"
#: Seconds for one answer: a busy machine takes its time over a git, and httpx alone gives up after five.
PATIENCE = 60


class Scene:
    """What most tests of the stand-in begin with."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self.control = standin.control
        self.control.add_user("bot", token="token-of-bot")
        self.control.add_user("owner", token="token-of-owner")
        self.control.add_user("reader", token="token-of-reader")
        self.control.add_user("rita", token="token-of-rita")
        self.control.add_repository(REPO, files={"README.md": "Hello\n", "a.txt": "one\n"}, organization=True)
        for login, level in {"bot": "write", "owner": "admin", "reader": "read", "rita": "write"}.items():
            self.control.permit(REPO, login, level)

    def client(self, login: str = "bot", prefix: str = "") -> httpx.Client:
        """A client that sends a person's token."""
        headers = {"Authorization": f"Bearer token-of-{login}"}
        return httpx.Client(base_url=self.standin.url + prefix, headers=headers, timeout=PATIENCE)

    def ask(self, method: str, path: str, login: str = "bot", **body: Any) -> httpx.Response:
        """One request; a path without a slash in front is inside the repository."""
        url = path if path.startswith("/") else f"/repos/{REPO}/{path}"
        with self.client(login) as client:
            return client.request(method, url, json=body or None)

    def graphql(self, query: str, login: str = "bot", **variables: Any) -> dict[str, Any]:
        """One query; the whole answer."""
        answer: dict[str, Any] = self.ask("POST", "/graphql", login, query=query, variables=variables).json()
        return answer

    def pull(self, branch: str = "feature", base: str = "main", **files: str) -> dict[str, Any]:
        """A pull request of the bot, opened through the API, from a branch with these files changed."""
        self.control.push(REPO, branch, dict(files) or {f"{branch}.txt": "new\n"}, by="bot", start=base)
        answer = self.ask("POST", "pulls", title=f"Add {branch}", head=branch, base=base)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def git(self, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """git as a client has it."""
        who = ["-c", "user.name=Bot", "-c", "user.email=bot@example.com"]
        return subprocess.run(["git", *who, *args], cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
