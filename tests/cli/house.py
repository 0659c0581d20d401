"""A small installation as an owner has it: a data folder, two repositories with remotes, tasks, a scripted agent.

Verbs are called with the house's environment. Only the agent's brain is a stand-in.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ops_orchestrate.cli.main import main
from tests.repos import Upstream, make_upstream

PERIODS = {
    "OPS_LEASE": "9",
    "OPS_HEARTBEAT": "1",
    "OPS_GRANT_TIMEOUT": "9",
    "OPS_RECONCILE_EVERY": "1",
    "OPS_GRACE": "2",
}
FILES = {"gate.sh": "test ! -e broken\n", "src/.keep": "", "README.md": "# read me\n"}

Steps = list[dict[str, Any]]


def work(task: str, path: str = "", *, text: str = "", hand_over: str = "") -> Steps:
    """The usual course of an attempt: one file, one commit, a report."""
    report = {"status": "done", "summary": f"Did {task}", "hand_over": hand_over, "cost_usd": 0.25, "tokens": 100}
    return [
        {"write": {"path": path or f"src/{task}.txt", "text": text or f"{task}\n"}},
        {"commit": {"message": f"Do {task}"}},
        {"report": report},
    ]


class Said(NamedTuple):
    """What a verb printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass
class House:
    """One installation in one folder of a short, fixed length."""

    home: Path
    patch: pytest.MonkeyPatch
    upstreams: dict[str, Upstream] = field(default_factory=dict)

    @classmethod
    def build(cls, patch: pytest.MonkeyPatch, repos: Mapping[str, Mapping[str, Any]] | None = None) -> House:
        """Repositories with a gate that passes unless a file `broken` exists, and a registry of them."""
        house = cls(Path(tempfile.mkdtemp(prefix="ops", dir="/tmp")), patch)
        flags = ("OPS_TEAMS", "CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS")
        for name in ("OPS_REDIS_URL", "OPS_REGISTRY", "OPS_CONFIG", "CLAUDE_PLUGIN_ROOT", *flags):
            patch.delenv(name, raising=False)
        for name, value in house.env.items():
            patch.setenv(name, value)
        patch.chdir(house.home)
        chosen = repos if repos is not None else {"api": {}, "web": {"consumes": ["api"]}}
        house.upstreams = {name: make_upstream(house.home / "code", name, FILES) for name in chosen}
        house.write("data/registry.json", {"projects": [house._entry(name, ops) for name, ops in chosen.items()]})
        house.play({"*": [work("any")]})
        return house

    @property
    def env(self) -> dict[str, str]:
        """Its environment, beside what is there anyway."""
        return {
            **PERIODS,
            "HOME": str(self.home),
            "OPS_DATA_DIR": str(self.home / "data"),
            "OPS_HOST": "host-1",
            "OPS_AGENT": "scripted",
            "OPS_PLAYBOOK": str(self.home / "playbook.json"),
            "OPS_UNSANDBOXED_OK": "1",
            "COLUMNS": "110",
        }

    def write(self, path: str, value: object) -> Path:
        """A JSON file below the house."""
        target = self.home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(value), encoding="utf-8")
        target.chmod(0o600)
        return target

    def play(self, playbook: Mapping[str, list[Steps]]) -> None:
        """What the agent does, by task id."""
        self.write("playbook.json", playbook)

    def tasks(self, *tasks: dict[str, Any]) -> str:
        """A tasks file, for --tasks."""
        return str(self.write("tasks.json", list(tasks)))

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _entry(self, name: str, ops: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "alias": name,
            "paths": [str(self.upstreams[name].checkout)],
            "repos": [],
            "ops": {"gate": "sh gate.sh", "ci": "none", **ops},
        }


def call(*argv: str) -> Said:
    """Call the program with these words in this process: only verbs that publish no job.

    (Celery keeps its connections to the first server of a process.) Nothing of it is a terminal.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = main(list(argv))
    return Said(code, _text(out), _text(err))


def shell(*argv: str, seconds: float = 100.0) -> Said:
    """Call the program in a process of its own."""
    command = [sys.executable, "-m", "ops_orchestrate", *argv]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds, check=False
    )
    return Said(done.returncode, done.stdout, done.stderr)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


_NORMAL = (
    (r"r\d{4}-\d{4}-[0-9a-f]{4}", "r0101-0000-0000"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d ", "2030-01-01 00:00 "),
    (r"\b[0-9a-f]{40}\b", "c0ffee" + "0" * 34),
    (r"\b(?=[0-9a-f]*\d)[0-9a-f]{12}\b", "c0ffee000000"),
    (r"\b(?=[0-9a-f]*\d)[0-9a-f]{10}\b", "c0ffee0000"),
    (r"\b(?=[0-9a-f]*\d)[0-9a-f]{8}\b", "c0ffee00"),
    (r"\b\d+(\.\d+)? (?:d|h|min|s)\b(?: \d+ (?:h|min|s)\b)?", "N s"),
    (r"(Valkey|Redis) \d+\.\d+\.\d+", "Valkey 1.2.3"),
    (r"(?m)^( Sandbox: ).*$", r"\1as this machine has it"),
    (r"sandbox: .*?;", "sandbox: as this machine has it;"),
    (r"\b\d+ of 5 slots", "N of 5 slots"),
)


def normal(text: str, house: House) -> str:
    """`text` without what differs from run to run: ids, times, commits, the folder."""
    text = text.replace(str(house.home), "/home/owner")
    for pattern, word in _NORMAL:
        text = re.sub(pattern, word, text)
    return text.rstrip()
