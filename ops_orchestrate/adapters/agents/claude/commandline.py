"""How Claude Code is started: its arguments, its variables, and the only settings file that it reads.

It holds no secret: its model is behind a proxy of ours. Nothing of the repository's or the user's own settings
counts: no hooks, no servers, no permissions. What is denied here is a courtesy to an agent that means well; the
sandbox and the guards hold the rest.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentJob
from ops_orchestrate.core.pathclass import secret_globs
from ops_orchestrate.core.permission import DENIED_COMMANDS, LOCAL_GIT

#: No tool that reaches the web, asks a person, sets a clock or makes worktrees.
TOOLS = "Bash Edit Glob Grep Monitor NotebookEdit Read Task TaskCreate TaskList TaskStop TaskUpdate TodoWrite Write"
#: Who is asked something reads; what it answers goes through a tool that its schema brings.
READING = "Glob Grep Read"
_NAMESPACE = uuid.UUID("6f1d3c1e-6f0b-4a39-9d53-3c0a0f6f7c55")
_QUIET = (
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
    "DISABLE_AUTOUPDATER",
    "DISABLE_BUG_COMMAND",
    # Instructions and memories of others, also where settings of theirs are off.
    "CLAUDE_CODE_DISABLE_CLAUDE_MDS",
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY",
)


def arguments(job: AgentJob, settings: Settings, rules: Path, *, sandboxed: bool, kept: str = "") -> tuple[str, ...]:
    """Everything after the program's name. `rules` is the file with `settings_text`; `kept`: a session to resume."""
    tools, shape = (READING, ("--json-schema", job.schema_text)) if job.purpose else (TOOLS, ())
    most = settings.max_attempt_usd if job.max_usd is None else job.max_usd  # what was reserved for it, if anything
    budget = ("--max-budget-usd", f"{most:f}") if most else ()
    # `bypassPermissions` asks nobody, and denies what is denied; the sandbox is what keeps it in.
    mode = "bypassPermissions" if sandboxed else "acceptEdits"
    return (
        *("--print", "--verbose", "--input-format", "stream-json", "--output-format", "stream-json"),
        *("--model", job.model or settings.model, "--max-turns", str(settings.max_turns), *budget),
        *(("--resume", kept) if kept else ("--session-id", session_id(job))),
        *("--tools", tools.replace(" ", ","), *shape),
        *("--settings", str(rules), "--setting-sources", "", "--strict-mcp-config", "--disable-slash-commands"),
        *("--permission-mode", mode, "--permission-prompts", "none"),
    )


def settings_text(*, sandboxed: bool) -> str:
    """The settings file: what is denied, and no footers of its own in commits."""
    files = [f"{tool}(**/{name})" for name in secret_globs() for tool in ("Read", "Edit")]
    commands = [f"Bash({words}:*)" for words in DENIED_COMMANDS]
    allowed = [] if sandboxed else [f"Bash(git {word}:*)" for word in LOCAL_GIT]
    rules = {"deny": [*commands, *files, "WebFetch", "WebSearch"], "allow": allowed}
    return json.dumps({"permissions": rules, "includeCoAuthoredBy": False, "attribution": {"commit": "", "pr": ""}})


def variables(box: Path, settings: Settings, *, sandboxed: bool) -> dict[str, str]:
    """Its variables, beside those of every agent. `box` is the attempt's own folder: two never share a state."""
    inside = {"IS_SANDBOX": "1"} if sandboxed else {}  # root may bypass permissions only where this is said
    return {
        **inside,
        **dict.fromkeys(_QUIET, "1"),
        "CLAUDE_CONFIG_DIR": str(box / "claude"),
        "CLAUDE_CODE_MAX_RETRIES": str(settings.model_retries),
    }


def session_id(job: AgentJob) -> str:
    """The same for the same attempt: Claude Code itself refuses to play one twice. A reviewer's differs."""
    key = job.key
    asked = f"/{job.purpose}/{key.seq}" if job.purpose else ""
    return str(uuid.uuid5(_NAMESPACE, f"{key.run}/{key.task}/{key.attempt}/{key.fence}{asked}"))
