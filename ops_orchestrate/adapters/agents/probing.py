"""What the probes of Claude Code and of the agents over ACP ask alike: version, model with its key, sandbox."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ops_orchestrate.adapters.process import run
from ops_orchestrate.adapters.sandbox import probe
from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentProbe
from ops_orchestrate.errors import AgentUnavailable

_VERSION = re.compile(r"\d{1,4}\.\d{1,6}\.\d{1,6}")


def version_of(runs: Sequence[str]) -> str:
    """What the program that these words run says of itself; empty where it does not run."""
    with tempfile.TemporaryDirectory(prefix="ops") as home:
        env = {"HOME": home, "PATH": "/usr/local/bin:/usr/bin:/bin", "DISABLE_AUTOUPDATER": "1"}
        try:
            ended = run([*runs, "--version"], cwd=home, env=env, timeout=60)
        except OSError:
            return ""
    said = _VERSION.search(ended.output_tail) if ended.exit_code == 0 else None
    return said[0] if said else ""


def tested_with(version: str, tested: str) -> str:
    """What to say about a version that the tests do not drive."""
    return "" if version == tested else f" (tested with {tested})"


def probed(
    name: str, called: str, path: Path, settings: Settings, *, version: str | None, model: Callable[[], object]
) -> AgentProbe:
    """Whether the agent whose program is at `path` can work: a sentence for each thing that is missing.

    `called`: what to call it where all is well. `version`: empty where it does not say, None where it was not asked.
    `model`: raises AgentUnavailable where it has none, or no key.
    """
    problems = [f"{path} does not say its version, so it does not run here."] if version == "" else []
    try:
        model()
    except AgentUnavailable as error:
        problems.append(str(error))
    box = probe(settings)
    if not (box.ok or settings.unsandboxed_ok):
        problems.append(f"No sandbox works here: {box.detail}.")
    where = f"in {box.version}" if box.ok else f"UNSANDBOXED ({box.detail})"
    detail = " ".join(problems) or f"{called} at {path}, with a key, {where}"
    return AgentProbe(name=name, ok=not problems, detail=detail, version=version or "")
