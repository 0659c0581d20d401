"""Agents and gates with doors: the real programs in the real sandbox, or without one where the owner opted out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.agents import CommandAgent
from ops_orchestrate.adapters.gates import SandboxedGates
from ops_orchestrate.adapters.waysout import WaysOut
from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.core.change import GateEnd
from ops_orchestrate.core.modelusage import Tokens
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import AgentUnavailable
from tests.adapters.agents.work import finish, job
from tests.adapters.foreign import both_ways, needs_sandbox, settings, without_sandbox
from tests.adapters.modelproxy.model import KEY, Model, model

ASK = """
import json, os, urllib.request
names = ("ANTHROPIC", "OPENAI", "GEMINI")
key = next(os.environ[f"{name}_API_KEY"] for name in names if f"{name}_API_KEY" in os.environ)
headers = {"x-api-key": key, "content-type": "application/json"}
ask = urllib.request.Request(os.environ["OPS_MODEL_URL"] + "/v1/messages", b'{"model": "m", "messages": []}', headers)
answer = urllib.request.urlopen(ask, timeout=10)
print(answer.read()[:0], answer.status, dict(os.environ))
"""


@pytest.fixture
def api() -> Iterator[Model]:
    with model() as made:
        yield made


def asking(folder: Path, api: Model, code: str = ASK, **more: Any) -> CommandAgent:
    script = folder / "agent.py"
    script.write_text(code)
    command = (sys.executable, "-I", "-S", str(script))
    used = settings(folder, **{"agent_command": command, "model_url": api.url, **more})
    return CommandAgent(used, lambda name: KEY if name == "ANTHROPIC_API_KEY" else None)


@both_ways
@pytest.mark.parametrize("network", [False, True])
def test_an_agent_reaches_its_model_and_never_holds_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: Model, sandboxed: bool, network: bool
) -> None:
    work = job(tmp_path)
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    agent = asking(tmp_path, api, unsandboxed_ok=not sandboxed, agent_network=network)
    result = finish(agent.start(work))
    assert (result.end, result.usage and result.usage.tokens) == (AgentEnd.DONE, {"m": Tokens(10, 5)}), result.log_tail
    assert api.asked[0][2]["x-api-key"] == KEY
    assert " 200 " in result.log_tail
    assert KEY not in result.log_tail
    assert list((Path(work.scratch) / "doors").glob("*")) == [] if sandboxed and not network else True


CALLS = (
    ASK.replace("answer = ", "answer = lambda: ").partition("print")[0]
    + """
for _ in range(3):
    try:
        print(len(answer().read()) and 200)
    except OSError as error:
        print(error.code)
"""
)


def test_a_cap_in_tokens_holds_whatever_the_agent_does(tmp_path: Path, api: Model) -> None:
    result = finish(asking(tmp_path, api, CALLS, max_attempt_tokens=20, unsandboxed_ok=True).start(job(tmp_path)))
    assert result.log_tail.split() == ["200", "200", "402"]
    assert result.usage is not None
    assert (result.usage.calls, result.usage.total) == (2, Tokens(20, 10))


def test_a_model_like_openais(tmp_path: Path, api: Model) -> None:
    agent = asking(tmp_path, api, model_key_header="authorization", unsandboxed_ok=True)
    assert finish(agent.start(job(tmp_path))).end is AgentEnd.DONE
    assert api.asked[0][2]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"model_key": "OTHER_KEY"}, "nobody has OTHER_KEY"),
        ({"model_url": "http://api.example.com"}, "must be https"),
    ],
)
def test_a_model_that_cannot_be_asked_is_said_before_any_agent_starts(
    tmp_path: Path, api: Model, more: dict[str, str], words: str
) -> None:
    found = asking(tmp_path, api, **{"unsandboxed_ok": True, **more}).probe()
    assert not found.ok
    assert words in found.detail


@both_ways
def test_without_a_list_the_only_door_leads_nowhere_and_hears_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandboxed: bool
) -> None:
    """What asks in clear gets no answer at all, as without a network. Without a sandbox there is no door."""
    work = job(tmp_path)
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    script = tmp_path / "agent.py"
    script.write_text(f"import os\nprint('HTTP_PROXY' in os.environ, 'HTTPS_PROXY' in os.environ)\n{REFUSED}")
    command = (sys.executable, "-I", "-S", str(script))
    agent = CommandAgent(settings(tmp_path, agent_command=command, unsandboxed_ok=not sandboxed))
    result = finish(agent.start(work))
    assert result.log_tail.splitlines()[0] == f"False {sandboxed}"
    assert result.unlisted == (("evil.example",) if sandboxed else ())
    assert result.usage is None


@needs_sandbox
def test_whether_there_is_any_way_out(tmp_path: Path) -> None:
    """Who is asked something and has none has used no model, so that nothing is unknown about its cost."""
    used = settings(tmp_path)
    asked: list[dict[str, Any]] = [{}, {"hosts": ("pypi.org",)}, {"network": True}]
    made = [WaysOut(tmp_path / "doors", used, **more) for more in asked]
    try:
        assert [ways.nowhere for ways in made] == [True, False, False]
    finally:
        for ways in made:
            ways.close()


@needs_sandbox
def test_a_gate_without_a_list_is_heard_too(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "ask.py").write_text(REFUSED)
    repo = Repository(key="k", name="n", path="/x", upstream="/x", gate="python3 -I -S ask.py; exit 1")
    result = SandboxedGates(settings(tmp_path)).run(repo, tmp_path / "tree")
    assert (result.end, result.unlisted) == (GateEnd.FAILED, ("evil.example",))


REFUSED = """
import os, urllib.request
try:
    urllib.request.urlopen("https://evil.example/", timeout=10)
except OSError as error:
    print("SAID", error)
"""


@needs_sandbox
def test_an_agent_reaches_named_hosts_alone(tmp_path: Path, api: Model) -> None:
    result = finish(asking(tmp_path, api, REFUSED, agent_hosts=("pypi.org",)).start(job(tmp_path)))
    assert "SAID <urlopen error Tunnel connection failed: 403" in result.log_tail
    assert result.unlisted == ("evil.example",)


@needs_sandbox
def test_a_gate_reaches_the_hosts_of_its_repository_alone(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "ask.py").write_text(REFUSED)
    repo = Repository(
        key="k", name="n", path="/x", upstream="/x", gate="python3 -I -S ask.py; env", gate_hosts=("pypi.org",)
    )
    result = SandboxedGates(settings(tmp_path)).run(repo, tmp_path / "tree")
    assert result.end is GateEnd.PASSED
    assert "Tunnel connection failed: 403" in result.log_tail
    assert "HTTPS_PROXY=http://127.0.0.1:4142" in result.log_tail
    assert result.unlisted == ("evil.example",)


@needs_sandbox
def test_an_agent_that_cannot_be_started_leaves_no_door(tmp_path: Path, api: Model) -> None:
    agent = asking(tmp_path, api)
    work = job(tmp_path)
    (tmp_path / "scratch" / "watch").mkdir(parents=True)
    (tmp_path / "scratch" / "watch" / "log").mkdir()
    with pytest.raises(AgentUnavailable, match="could not be started"):
        agent.start(work)
    assert list((Path(work.scratch) / "doors").glob("*")) == []


def test_what_our_proxy_counted_wins_over_what_an_agent_says(tmp_path: Path, api: Model) -> None:
    from ops_orchestrate.core.change import Collected
    from ops_orchestrate.core.ending import Ended, ending

    report = json.dumps({"status": "done", "cost_usd": 0.0, "tokens": 1})
    code = ASK + f"\nopen(os.environ['OPS_REPORT'], 'w').write({report!r})"
    result = finish(asking(tmp_path, api, code, unsandboxed_ok=True).start(job(tmp_path)))
    outcome = ending(Ended(result=result), Collected(head="a" * 40), base="b" * 40)
    assert outcome.tokens == 15
