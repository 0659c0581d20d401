"""The parts of the adapter that need no agent: settings, presets, programs, probe, lines."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from acp import schema

from ops_orchestrate.adapters.agents import AcpAgent
from ops_orchestrate.adapters.agents.acp import PRESETS
from ops_orchestrate.adapters.agents.acp.events import Updates
from ops_orchestrate.adapters.agents.acp.presets import Room, preset_of
from ops_orchestrate.adapters.agents.acp.program import find
from ops_orchestrate.adapters.agents.acp.wire import Message, read_line
from ops_orchestrate.config import kind_of, settings_of_agent
from ops_orchestrate.core.agent import AgentEventKind
from ops_orchestrate.errors import AgentUnavailable
from tests.adapters.agents.claude.real import KEY
from tests.adapters.agents.work import job
from tests.adapters.foreign import needs_sandbox, settings

OWN = {"agent": "acp", "model": "m1", "model_url": "https://api.example.org/v1", "model_key": "MINE"}
OF_GEMINI = ("", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY", "x-goog-api-key")


def test_which_model_an_agent_has(tmp_path: Path) -> None:
    """Its kind's, then OPS_MODEL… where it works first, then its entry in OPS_MODELS."""
    models = {"codex": {"model": "big"}, "gemini": {"key": "OTHER"}}

    def of(name: str, **more: Any) -> tuple[str, str | None, str, str]:
        own = settings_of_agent(settings(tmp_path, **more), name)
        return own.model, own.model_url, own.model_key, own.model_key_header

    assert of("gemini", agent="gemini") == OF_GEMINI
    assert of("acp", agent="acp", acp_command=("/opt/x/bin/gemini",)) == OF_GEMINI
    assert of("gemini", agent="gemini", model="pro") == ("pro", *OF_GEMINI[1:])
    assert of("gemini", **OWN, agent_fallback=("gemini",)) == OF_GEMINI, "OPS_MODEL… are the first one's"
    assert of("gemini", **OWN, agent_fallback=("gemini",), models=models)[2] == "OTHER"
    assert of("codex", agent="claude", agent_fallback=("codex",), models=models) == (
        "big",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        "authorization",
    )
    assert of("claude", agent="claude") == ("sonnet", None, "ANTHROPIC_API_KEY", "x-api-key")
    assert of("acp", **OWN)[:3] == ("m1", "https://api.example.org/v1", "MINE")


@pytest.mark.parametrize(
    ("agent", "command", "kind", "argv"),
    [
        ("opencode", (), "opencode", ("opencode", "acp")),
        ("opencode", ("something", "else"), "opencode", ("opencode", "acp")),
        ("acp", ("gemini",), "gemini", ("gemini", "--acp")),
        ("acp", ("/opt/bin/gemini",), "gemini", ("/opt/bin/gemini", "--acp")),
        ("acp", ("gemini", "--acp", "--debug"), "gemini", ("gemini", "--acp", "--debug")),
        ("acp", ("codex",), "codex", ("codex-acp",)),
        ("acp", ("/x/codex-acp",), "codex", ("/x/codex-acp",)),
        ("acp", ("my-agent", "--stdio"), "my-agent", ("my-agent", "--stdio")),
        ("acp", (), "acp", ()),
    ],
)
def test_which_command_it_is(
    tmp_path: Path, agent: str, command: tuple[str, ...], kind: str, argv: tuple[str, ...]
) -> None:
    given = settings(tmp_path, agent=agent, acp_command=command)
    assert kind_of(given, agent) == kind
    assert preset_of(kind, command if agent == "acp" else ()).command == argv


@pytest.mark.parametrize("kind", PRESETS)
@pytest.mark.parametrize("sandboxed", [True, False])
def test_what_it_is_started_with_holds_no_key_and_is_json(tmp_path: Path, kind: str, sandboxed: bool) -> None:
    given = settings_of_agent(settings(tmp_path, agent=kind, model="m1"), kind)
    dressing = PRESETS[kind].dress(Room(tmp_path, given, sandboxed))
    for text in (*dressing.files.values(), *filter(lambda value: value.startswith("{"), dressing.env.values())):
        assert json.loads(text)
    assert given.model_key not in str(dressing)
    if kind == "codex":
        assert dressing.env["INITIAL_AGENT_MODE"] == ("agent-full-access" if sandboxed else "agent")


def test_a_program_of_npm_is_shown_with_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "lib" / "node_modules"
    real = packages / "x" / "bin" / "x.js"
    real.parent.mkdir(parents=True)
    real.write_text("#!/usr/bin/env node\n")
    real.chmod(0o755)
    for name in ("bin", "own"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "x").symlink_to(real)
    node = tmp_path / "own" / "node"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{tmp_path}/own")
    found = find(("x", "--acp", "/etc/hosts"))
    assert found is not None
    assert found.argv == (str(node), str(real), "--acp", "/etc/hosts")
    assert {packages, node, Path("/etc/hosts")} <= set(found.reads)
    assert find(("y",)) is None


PROBES: list[tuple[dict[str, Any], str]] = [
    ({"acp_command": ()}, "set OPS_ACP_COMMAND"),
    ({"acp_command": ("claude",)}, "set OPS_AGENT to claude"),
    ({"acp_command": ("/opt/claude-agent-acp",)}, "set OPS_AGENT to claude"),
    ({"acp_command": ("no-such-agent", "--acp")}, "no-such-agent is not on the PATH."),
    ({"acp_command": ("/no/opencode",)}, "Install it: `npm install --global opencode-ai@"),
    ({"model_url": None}, "It has no model: set OPS_MODEL_URL"),
    ({"model_key": "NOBODYS"}, "nobody knows NOBODYS"),
    ({"model_url": "http://api.example.org"}, "must be https"),
]


@needs_sandbox
@pytest.mark.parametrize(("more", "says"), PROBES)
def test_what_is_missing_is_said(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    given = OWN | {"acp_command": ("sh", "-c", "true")}
    agent = AcpAgent(settings(tmp_path, **(given | more)), {"MINE": KEY}.get)
    found = agent.probe()
    assert (found.ok, says in found.detail) == (False, True), found
    with pytest.raises(AgentUnavailable):
        agent.start(job(tmp_path))


@needs_sandbox
def test_an_agent_that_nobody_knows_is_taken_as_it_is(tmp_path: Path) -> None:
    found = AcpAgent(settings(tmp_path, **OWN, acp_command=("sh", "-c", "true")), {"MINE": KEY}.get).probe()
    assert found.ok, found
    assert "(never tested)" in found.detail


def test_without_its_library_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = AcpAgent(settings(tmp_path, **OWN, acp_command=("sh",)), {}.get).probe()
    assert "pip install 'ops-orchestrate[acp]'" in found.detail


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"method": "m", "id": 1, "params": {"a": 1}}, Message("m", 1, {"a": 1})),
        ({"method": "m", "params": None}, Message("m", None, None)),
        ({"id": "x", "result": {}}, Message("", "x", {})),
        ({"id": 1, "error": {"code": -1, "message": "no"}}, Message("", 1, None, -1, "no")),
        ({"id": 1, "error": {"code": "odd"}}, Message("", 1, None, 0, "")),
        ({"id": True, "result": 1}, Message("", None, 1)),
    ],
)
def test_a_line(line: dict[str, Any], message: Message) -> None:
    assert read_line(json.dumps({"jsonrpc": "2.0", **line}).encode()) == message


@pytest.mark.parametrize(
    "line", [b"", b"null", b"[]", b"{}", b"[" * 100_000, b"9" * 5_000, b"\xff", b'{"jsonrpc":"1.0"}']
)
def test_what_is_no_line(line: bytes) -> None:
    assert read_line(line) is None


def test_words_become_messages_once_they_are_whole() -> None:
    updates = Updates()

    def chunk(text: str, message: str | None = None) -> schema.AgentMessageChunk:
        block = schema.TextContentBlock(type="text", text=text)
        return schema.AgentMessageChunk(session_update="agent_message_chunk", content=block, message_id=message)

    seen = [
        event
        for update in (chunk("a", "1"), chunk("b", "1"), chunk("\x1b[31mc", "2"))
        for event in updates.take(update)
    ]
    seen += updates.flush()
    assert [event.text for event in seen if event.kind is AgentEventKind.MESSAGE] == ["ab", "[31mc"]
    assert len(seen) == 5, "each piece is a sign of life"


@pytest.mark.parametrize(("cost", "known"), [((1.5, "USD"), 1.5), ((1.5, "EUR"), None), ((-1.0, "USD"), None)])
def test_a_cost_counts_in_dollars_alone(cost: tuple[float, str], known: float | None) -> None:
    updates = Updates()
    spent = schema.Cost(amount=cost[0], currency=cost[1])
    list(updates.take(schema.UsageUpdate(session_update="usage_update", used=1, size=2, cost=spent)))
    assert updates.cost_usd == known
