"""Records what the real Claude Code says, for the tests that need no Claude Code: `make recordings`.

Nothing in a recording is invented. Its first line is ours (how the process exited, which version it was); in the others
only names that differ from time to time are made the same: folders, identifiers, times, ports.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ops_orchestrate.adapters.agents.claude.agent import TESTED
from ops_orchestrate.adapters.agents.claude.commandline import arguments, session_id, variables
from ops_orchestrate.adapters.agents.claude.wire import said
from tests.adapters.agents.claude.real import CLAUDE, KEY, claude, follow, work
from tests.adapters.foreign import settings
from tests.standins.model import Model, serving_model

FOLDER = Path(__file__).parent / "recordings"
#: Recording to its scenario and settings; those with a hand in them have a function of their own below.
PLAYED: dict[str, tuple[str, dict[str, Any]]] = {
    "done": ("works", {}),
    "denied": ("denied", {}),
    "plans": ("plans", {}),
    "hiccup": ("hiccup", {}),
    "credit": ("credit", {}),
    "rate": ("rate", {}),
    "overloaded": ("overloaded", {}),
    "key": ("key", {}),
    "broken": ("broken", {}),
    "wrong": ("wrong", {}),
    "turns": ("loops", {"max_turns": 2}),
    "budget": ("loops", {"max_attempt_usd": 0.0005}),
    "killed": ("dies", {}),
    "unpriced": ("says", {"model": "nonsense-9"}),
}
_SAME = (
    (
        re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        "00000000-0000-4000-8000-000000000000",
    ),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "2026-01-01T00:00:00.000Z"),
    (re.compile(r"-tmp-tmp\w+-tree"), "-attempt-tree"),
    (re.compile(r"/tmp/cc-socks/\d+"), "/tmp/cc-socks/2"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:1"),
    (re.compile(r'"(\w*(?:duration|latency|ttft|time_to)\w*)":\d+'), r'"\1":1'),
    (re.compile(r'"(retry_delay_ms)":\d+'), r'"\1":1'),
)


def main() -> None:
    """Record all of them anew."""
    FOLDER.mkdir(exist_ok=True)
    with serving_model() as model:
        for name, folder, log, code in _all(model):
            text = log.replace(str(folder), "/attempt").replace(KEY, "KEY")
            for pattern, same in _SAME:
                text = pattern.sub(same, text)
            first = {"type": "ops/recorded", "exit_code": code, "version": TESTED}
            (FOLDER / f"{name}.jsonl").write_text(json.dumps(first) + "\n" + text, encoding="utf-8")
            print(f"{name}: exit code {code}, {len(text)} bytes")


def _all(model: Model) -> Iterator[tuple[str, Path, str, int | None]]:
    for name, (scenario, more) in PLAYED.items():
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            session = claude(folder, model.url(scenario, name), **more).start(work(folder))
            yield name, folder, *_end_of(folder, session)
    for name, record in {"interrupted": _interrupted, "twice": _twice, "resumed": _resumed}.items():
        with tempfile.TemporaryDirectory() as made:
            yield name, Path(made), *record(Path(made), model)
    yield "option", Path("/none"), *_direct(Path("/tmp"), ["--no-such-option"], {})


def _interrupted(folder: Path, model: Model) -> tuple[str, int | None]:
    session = claude(folder, model.url("sleeps", "interrupted")).start(work(folder, grace_seconds=20.0))
    follow(session, lambda _: (folder / "tree" / "ready").exists())
    session.stop("interrupt")
    return _end_of(folder, session)


def _twice(folder: Path, model: Model) -> tuple[str, int | None]:
    """Two turns in one process."""
    session = claude(folder, model.url("thinks", "twice")).start(work(folder))
    while not model.bodies("twice"):
        session.events(0.05)
    session.message("One more thing.")
    model.flag("go").set()
    return _end_of(folder, session)


def _resumed(folder: Path, model: Model) -> tuple[str, int | None]:
    """A session that goes on in a second process: its `total_cost_usd` begins where the first one's ended."""
    job, used = work(folder), settings(folder)
    follow(claude(folder, model.url("says", "resumed")).start(job))
    words = list(arguments(job, used, folder / "scratch" / "claude-settings.json", sandboxed=True))
    words[words.index("--session-id")] = "--resume"
    assert session_id(job) in words
    env = variables(folder / "scratch" / "agent", used, sandboxed=True)
    env |= {"ANTHROPIC_BASE_URL": model.url("says", "resumed"), "ANTHROPIC_API_KEY": KEY}
    return _direct(folder / "tree", words, env)


def _direct(folder: Path, words: list[str], env: dict[str, str]) -> tuple[str, int | None]:
    plain = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"} | env
    told, argv = said("Go on.") + "\n", [str(CLAUDE), *words]
    done = subprocess.run(argv, cwd=folder, env=plain, input=told, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, done.returncode


def _end_of(folder: Path, session: Any) -> tuple[str, int | None]:
    result, _ = follow(session)
    return (folder / "scratch" / "watch" / "log").read_text(encoding="utf-8"), result.exit_code


if __name__ == "__main__":
    main()
