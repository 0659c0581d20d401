"""What is known of single agents: how they are started, where they look for their model, how they are kept quiet.

None of them reads a setting, a hook, a server or an instruction of the repository's, as far as it can be told not to;
the sandbox holds the rest. Keys stay outside: what stands in their files is where the placeholder is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from ops_orchestrate.adapters.agents.model import CLAUDES, Names
from ops_orchestrate.config import AgentModel, Settings
from ops_orchestrate.core.pathclass import secret_globs

_OPENAIS = Names(("OPENAI_BASE_URL",), ("OPENAI_API_KEY",))


class Room(NamedTuple):
    """Where one attempt's agent is at home."""

    rules: Path
    """A folder of ours that it may read."""
    box: Path
    """Its own folder."""
    settings: Settings


class Dressing(NamedTuple):
    """What it is started with, beside its command."""

    env: dict[str, str]
    files: Mapping[str, str] = {}
    """By their names in the folder of its rules."""
    words: tuple[str, ...] = ()
    """Further words of its command."""


def _plain(_room: Room) -> Dressing:
    return Dressing({})


@dataclass(frozen=True, slots=True)
class Preset:
    """One known agent."""

    command: tuple[str, ...]
    package: str = ""
    """What installs it; empty where nobody can say."""
    tested: str = ""
    """The version that the tests drive; empty: it was never driven."""
    model: AgentModel = field(default_factory=AgentModel)
    """The API that it is made for."""
    names: Names = _OPENAIS
    dress: Callable[[Room], Dressing] = _plain
    sign_in: str = ""
    """The method of ACP's `authenticate` that a key in its environment is for; empty where it needs none."""
    steers: bool = False
    """Whether a second prompt reaches it within its turn. Elsewhere it would end the first, or wait for its end."""


def _opencode(room: Room) -> Dressing:
    model = room.settings.model
    kinds = {"x-api-key": "anthropic", "x-goog-api-key": "google"}
    kind = kinds.get(room.settings.model_key_header, "openai-compatible")
    base = "{env:OPS_MODEL_URL}" + {"anthropic": "/v1", "google": "/v1beta"}.get(kind, "")
    ask = dict.fromkeys(("edit", "bash", "external_directory"), "ask")
    rules: dict[str, Any] = {
        "model": f"ops/{model}",
        "small_model": f"ops/{model}",
        "provider": {
            "ops": {
                "npm": f"@ai-sdk/{kind}",
                "options": {"baseURL": base, "apiKey": "{env:OPS_MODEL_KEY}"},
                "models": {model: {}},
            }
        },
        "enabled_providers": ["ops"],
        "autoupdate": False,
        "share": "disabled",
        "snapshot": False,
        "permission": {**ask, "read": {"*": "allow", **{f"*{name}": "deny" for name in secret_globs()}}},
    }
    switches = (
        *("AUTOUPDATE", "CLAUDE_CODE", "DEFAULT_PLUGINS", "EXTERNAL_SKILLS", "LSP_DOWNLOAD", "MODELS_FETCH"),
        *("PROJECT_CONFIG", "SHARE"),
    )
    env = {f"OPENCODE_DISABLE_{switch}": "1" for switch in switches}
    env |= {"OPENCODE_CONFIG": str(room.rules / "opencode.json"), "OPENCODE_PURE": "1"}
    return Dressing(env, {"opencode.json": json.dumps(rules)})


def _gemini(room: Room) -> Dressing:
    rules = {
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": True}},
        "general": {"enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "context": {"fileName": "OPS_NO_SUCH_FILE.md"},
        "tools": {"exclude": ["google_web_search", "web_fetch"]},
    }
    env = {"GEMINI_CLI_SYSTEM_SETTINGS_PATH": str(room.rules / "gemini.json")}
    return Dressing(env, {"gemini.json": json.dumps(rules)}, ("--model", room.settings.model))


_OPENAI = AgentModel(url="https://api.openai.com/v1", key="OPENAI_API_KEY", key_header="authorization")
_OURS = Names(("OPS_MODEL_URL",), ("OPS_MODEL_KEY",))

#: By the name in OPS_AGENT or OPS_ACP_COMMAND.
PRESETS: dict[str, Preset] = {
    "opencode": Preset(
        command=("opencode", "acp"),
        package="npm install --global opencode-ai@1.18.33",
        tested="1.18.33",
        model=AgentModel(key="OPENAI_API_KEY", key_header="authorization"),
        names=_OURS,
        dress=_opencode,
        steers=True,
    ),
    "gemini": Preset(
        command=("gemini", "--acp"),
        package="npm install --global @google/gemini-cli@0.61.0",
        tested="0.61.0",
        model=AgentModel(
            model="auto",
            url="https://generativelanguage.googleapis.com",
            key="GEMINI_API_KEY",
            key_header="x-goog-api-key",
        ),
        names=Names(("GOOGLE_GEMINI_BASE_URL",), ("GEMINI_API_KEY",)),
        dress=_gemini,
        sign_in="gemini-api-key",
    ),
    "codex": Preset(
        command=("codex-acp",), package="npm install --global @agentclientprotocol/codex-acp", model=_OPENAI
    ),
    "claude": Preset(
        command=("claude-agent-acp",),
        package="npm install --global @agentclientprotocol/claude-agent-acp",
        names=CLAUDES,
        steers=True,
    ),
}


def preset_of(name: str, command: tuple[str, ...]) -> tuple[str, Preset]:
    """(which agent it is, what is known of it); `name` is the one in OPS_AGENT, `command` OPS_ACP_COMMAND.

    A command is known by its program's name, wherever that lies.
    """
    if name in PRESETS:
        return name, PRESETS[name]
    program = command[0].rpartition("/")[2] if command else ""
    for kind, preset in PRESETS.items():
        if program in (kind, preset.command[0]):
            first = command[0] if program == preset.command[0] else preset.command[0]
            return kind, replace(preset, command=(first, *(command[1:] or preset.command[1:])))
    return name, Preset(command=command, names=Names((*_OURS.url, "OPENAI_BASE_URL"), (*_OURS.key, "OPENAI_API_KEY")))
