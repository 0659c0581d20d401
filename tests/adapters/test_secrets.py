"""The chain of secrets, asked of real little tools on a PATH of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ops_orchestrate.adapters.secrets import SecretChain, secret_in
from ops_orchestrate.core.duty import Duty
from ops_orchestrate.core.preferences import Preferences
from ops_orchestrate.errors import UsageError

VALUE = "s3cr3t-v4lu3"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def _tool(folder: Path, name: str, body: str) -> None:
    """A program that writes its arguments, one a line, beside itself, and then runs `body`."""
    path = folder / name
    record = f'import sys; open({str(path)!r} + ".args", "a").write("\\n".join(sys.argv[1:]) + "\\n")\n'
    path.write_text(f"#!{sys.executable}\n{record}{body}\n")
    path.chmod(0o700)


def _arguments(folder: Path, name: str) -> list[str]:
    path = folder / f"{name}.args"
    return path.read_text().splitlines() if path.exists() else []


def _chain(tools: Path, preferences: Preferences | None = None, timeout: float = 20, **env: str) -> SecretChain:
    environment = {"PATH": str(tools), **env}
    return SecretChain(environment, preferences or Preferences(), cwd=tools, timeout=timeout)


def _manager(command: str) -> Preferences:
    return Preferences(secrets_manager="none", password_manager="1password", query_command=command)


def test_the_environment_comes_first_and_nobody_else_is_asked(tools: Path) -> None:
    _tool(tools, "doppler", "print('other')")
    chain = _chain(tools, GITHUB_TOKEN=VALUE)
    assert chain.get("GITHUB_TOKEN") == VALUE
    assert _arguments(tools, "doppler") == []
    assert chain.tried("GITHUB_TOKEN") == ("environment: found",)


def test_a_worker_asks_nobody_for_another_pools_secret(tools: Path) -> None:
    _tool(tools, "doppler", "print('other')")
    chain = SecretChain({"PATH": str(tools)}, Preferences(), cwd=tools, duty=Duty(pool="agent"))
    assert chain.get("GITHUB_TOKEN") is None
    assert chain.tried("GITHUB_TOKEN") == ("environment: not for the pool agent",)
    assert _arguments(tools, "doppler") == []
    assert chain.get("A_MODEL_KEY") == "other"


def test_the_values_known_so_far_are_those_that_were_found(tools: Path) -> None:
    chain = _chain(tools, GITHUB_TOKEN=VALUE, OTHER="never asked for")
    assert chain.values() == ()
    assert chain.get("GITHUB_TOKEN") and chain.get("LINEAR_API_KEY") is None
    assert chain.values() == (VALUE,)


def test_then_doppler_with_its_project_and_config(tools: Path) -> None:
    _tool(tools, "doppler", f"print({VALUE!r})")
    _tool(tools, "op", "print('other')")
    preferences = Preferences(doppler_project="p", doppler_config="prd", query_command="op {{name}}")
    assert _chain(tools, preferences).get("LINEAR_API_KEY") == VALUE
    assert _arguments(tools, "doppler") == [
        "secrets", "get", "LINEAR_API_KEY", "--plain", "--project=p", "--config=prd"
    ]  # fmt: skip
    assert _arguments(tools, "op") == []


def test_then_the_password_manager(tools: Path) -> None:
    _tool(tools, "doppler", "sys.exit(1)")
    _tool(tools, "op", f'print(\'{{"id": "x", "value": "{VALUE}"}}\')')
    preferences = Preferences(query_command='op item get "{{name}}" --fields label=password --format=json')
    chain = _chain(tools, preferences)
    assert chain.get("SENTRY_AUTH_TOKEN") == VALUE
    assert _arguments(tools, "op") == [
        "item", "get", "SENTRY_AUTH_TOKEN", "--fields", "label=password", "--format=json"
    ]  # fmt: skip
    assert chain.tried("SENTRY_AUTH_TOKEN") == (
        "environment: not set",
        "Doppler: does not have it (exit code 1)",
        "password manager: found",
    )


def test_a_template_is_no_shell(tools: Path, tmp_path: Path) -> None:
    _tool(tools, "op", f"print({VALUE!r})")
    fired = tmp_path / "fired"
    chain = _chain(tools, _manager(f'op "pre {{{{name}}}} post" ; touch {fired} $(touch {fired})'))
    assert chain.get("A_KEY") == VALUE
    assert _arguments(tools, "op")[0] == "pre A_KEY post"
    assert not fired.exists()


@pytest.mark.parametrize("name", ["", "-x", "a b", "$(id)", "A;B", "--plain", "é", "A\nB", "x" * 200])
def test_a_name_is_only_a_name(tools: Path, name: str) -> None:
    with pytest.raises(UsageError, match="letters, digits"):
        _chain(tools).get(name)


def test_b17_nobody_has_it_and_everybody_who_was_asked_is_named(tools: Path) -> None:
    chain = _chain(tools, Preferences(), GITHUB_TOKEN="")
    assert chain.get("GITHUB_TOKEN") is None
    assert chain.tried("GITHUB_TOKEN") == (
        "environment: set, but empty",
        "Doppler: not set up",
        "password manager: not set up",
    )


def test_doppler_is_left_alone_where_the_owner_uses_none(tools: Path) -> None:
    _tool(tools, "doppler", f"print({VALUE!r})")
    assert _chain(tools, Preferences(secrets_manager="none")).get("A_KEY") is None
    assert _arguments(tools, "doppler") == []


def test_a_tool_that_is_declared_and_missing_is_broken(tools: Path) -> None:
    looked = _chain(tools, Preferences(secrets_manager="doppler")).look("A_KEY")[1]
    assert looked.broken and looked.note == "doppler is not installed"


@pytest.mark.parametrize("command", ["op item get", 'op "{{name}}', "   "])
def test_a_template_that_cannot_be_used_is_broken_not_absent(tools: Path, command: str) -> None:
    looked = _chain(tools, _manager(command)).look("A_KEY")[-1]
    assert looked.broken and "query_cmd" in looked.note


@pytest.mark.parametrize("body", ["pass", "print('[]')", "print('{}')", "print('x' * 100_000)"])
def test_an_answer_without_a_value_is_broken_not_absent(tools: Path, body: str) -> None:
    _tool(tools, "op", body)
    looked = _chain(tools, _manager("op {{name}}")).look("A_KEY")[-1]
    assert looked.value is None and looked.broken


def test_a_tool_that_hangs_is_stopped(tools: Path) -> None:
    _tool(tools, "op", "import time; time.sleep(60)")
    chain = _chain(tools, _manager("op {{name}}"), timeout=0.5)
    assert chain.get("A_KEY") is None
    assert chain.tried("A_KEY")[-1] == "password manager: no answer within 0.5 s"


def test_each_name_is_asked_once(tools: Path) -> None:
    _tool(tools, "op", f"print({VALUE!r})")
    chain = _chain(tools, _manager("op {{name}}"))
    assert [chain.get("A_KEY"), chain.get("A_KEY"), *chain.tried("A_KEY")][:2] == [VALUE, VALUE]
    assert _arguments(tools, "op") == ["A_KEY"]


def test_b18_no_value_is_ever_shown(tools: Path, caplog: pytest.LogCaptureFixture) -> None:
    _tool(tools, "doppler", f"print({VALUE!r}, file=sys.stderr); sys.exit(1)")
    _tool(tools, "op", f"print({VALUE!r})")
    chain = _chain(tools, Preferences(query_command="op {{name}}"))
    assert chain.get("A_KEY") == VALUE
    looked = chain.look("A_KEY")
    shown = [
        repr(chain),
        str(chain),
        repr(looked),
        str(looked),
        looked[-1].model_dump_json(),
        *chain.tried("A_KEY"),
    ]
    assert not [text for text in (*shown, caplog.text) if VALUE in text]


@pytest.mark.parametrize(
    ("output", "secret"),
    [
        ("abc\n", "abc"),
        ("", None),
        ('{"value": "abc"}', "abc"),
        ('[{"password": "abc"}]', "abc"),
        ('{"login": {"username": "me", "password": "abc"}}', "abc"),
        ('{"id": "x"}', None),
        ('{"value": ""}', None),
        ("{not json", "{not json"),
        ("[" * 50_000, "[" * 50_000),
    ],
)
def test_raw_and_json_answers(output: str, secret: str | None) -> None:
    assert secret_in(output) == secret


def test_the_chain_does_not_read_the_process_environment(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "A_KEY", VALUE)
    assert _chain(tools).get("A_KEY") is None
