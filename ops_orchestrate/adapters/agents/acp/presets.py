"""What is known of single agents: how they are started, where they look for their model, how they are kept quiet.

None of them reads a setting, a hook, a server or an instruction of the repository's, as far as it can be told not to;
the sandbox holds the rest. Keys stay outside: what stands in their files is where the placeholder is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from ops_orchestrate.adapters.agents.model import Names
from ops_orchestrate.config import Settings
from ops_orchestrate.core.pathclass import secret_globs

_OPENAIS = Names(("OPENAI_BASE_URL",), ("OPENAI_API_KEY",))


class Room(NamedTuple):
    """Where one attempt's agent is at home."""

    rules: Path
    """A folder of ours that it may read."""
    settings: Settings
    sandboxed: bool


class Dressing(NamedTuple):
    """What it is started with, beside its command."""

    env: dict[str, str]
    """`{OPS_MODEL_URL}` in a value stands for where its model is."""
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
    names: Names = _OPENAIS
    dress: Callable[[Room], Dressing] = _plain
    sign_in: str = ""
    """The method of ACP's `authenticate` that a key in its environment is for; empty where it needs none."""
    needs_model: bool = False
    """Whether it has no model of its own choice."""
    joins: bool = False
    """Whether a second prompt joins its turn. Elsewhere it would end the first, or wait for its end."""
    lingers: bool = False
    """Whether it stays when its input has ended: then nobody waits for it to go."""


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
        # Else it ends its turn at the first call that is denied, as if it were done.
        "experimental": {"continue_loop_on_deny": True},
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
    named = ("--model", room.settings.model) if room.settings.model else ()
    return Dressing(env, {"gemini.json": json.dumps(rules)}, named)


def _codex(room: Room) -> Dressing:
    provider = {"name": "ops", "base_url": "{OPS_MODEL_URL}", "env_key": "OPS_MODEL_KEY", "wire_api": "responses"}
    retries = dict.fromkeys(("request_max_retries", "stream_max_retries"), room.settings.model_retries)
    rules = {
        "model_providers": {"ops": provider | retries},
        "model_provider": "ops",
        "project_doc_max_bytes": 0,
        "check_for_update_on_startup": False,
        "analytics": {"enabled": False},
        "web_search": "disabled",
    }
    named = {"model": room.settings.model} if room.settings.model else {}
    # Its own sandbox does not work within ours, and would keep `.git` from it.
    mode = "agent-full-access" if room.sandboxed else "agent"
    env = {"CODEX_CONFIG": json.dumps(rules | named), "INITIAL_AGENT_MODE": mode}
    return Dressing(env | {"MODEL_PROVIDER": "ops", "NO_BROWSER": "1"})


_OURS = Names(("OPS_MODEL_URL",), ("OPS_MODEL_KEY",))

#: By the name in OPS_AGENT or OPS_ACP_COMMAND.
PRESETS: dict[str, Preset] = {
    "opencode": Preset(
        command=("opencode", "acp"),
        package="npm install --global opencode-ai@1.18.33",
        tested="1.18.33",
        names=_OURS,
        dress=_opencode,
        needs_model=True,
        joins=True,
    ),
    "gemini": Preset(
        command=("gemini", "--acp"),
        package="npm install --global @google/gemini-cli@0.61.0",
        tested="0.61.0",
        names=Names(("GOOGLE_GEMINI_BASE_URL",), ("GEMINI_API_KEY",)),
        dress=_gemini,
        sign_in="gemini-api-key",
    ),
    "codex": Preset(
        command=("codex-acp",),
        package="npm install --global @agentclientprotocol/codex-acp@2.6.0",
        tested="2.6.0",
        names=_OURS,
        dress=_codex,
        lingers=True,
    ),
}


def preset_of(kind: str, command: tuple[str, ...]) -> Preset:
    """What is known of a kind of agent; `command`: what starts it, where the owner says so."""
    known = PRESETS.get(kind)
    if known is None:
        names = Names((*_OURS.url, *_OPENAIS.url), (*_OURS.key, *_OPENAIS.key))
        return Preset(command=command, names=names)
    first = command[0] if command and command[0] != kind else known.command[0]
    return replace(known, command=(first, *(command[1:] or known.command[1:])))
