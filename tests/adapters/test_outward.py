"""Out of a company's network: its proxy and its authority, for the model and for package managers in the sandbox."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.agents import CommandAgent
from ops_orchestrate.adapters.gates import SandboxedGates
from ops_orchestrate.adapters.outward import Outward
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.config.secrecy import known_secrets
from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.core.change import GateEnd, GateResult
from ops_orchestrate.core.modelusage import Tokens
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import AgentUnavailable, UsageError
from tests.adapters.agents.work import finish, job
from tests.adapters.company import PASSWORD, Company, company
from tests.adapters.foreign import needs_sandbox, settings
from tests.adapters.modelproxy.model import KEY, Model, model
from tests.adapters.packages import NPM, PYTHON, registries
from tests.adapters.test_waysout import ASK


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path) as made:
        yield made


def behind(network: Company, **more: Any) -> dict[str, Any]:
    return {"https_proxy": network.proxy, "no_proxy": (), "ca_file": network.ca_file, **more}


@pytest.fixture
def api(network: Company) -> Iterator[Model]:
    with model() as made:
        network.add("model.example.org", made.server)
        yield made


def ask_model(folder: Path, **more: Any) -> Any:
    script = folder / "agent.py"
    script.write_text(ASK)
    command = (sys.executable, "-I", "-S", str(script))
    used = settings(folder, agent_command=command, model_url="https://model.example.org", unsandboxed_ok=True, **more)
    return finish(CommandAgent(used, lambda _: KEY).start(job(folder)))


def test_the_model_is_reached_through_the_proxy_and_believed_by_the_companys_authority(
    tmp_path: Path, network: Company, api: Model
) -> None:
    result = ask_model(tmp_path, **behind(network))
    assert (result.end, result.usage and result.usage.tokens) == (AgentEnd.DONE, {"m": Tokens(10, 5)}), result.log_tail
    assert network.asked == ["model.example.org:443"]
    assert api.asked[0][2]["x-api-key"] == KEY
    assert PASSWORD not in result.log_tail and "c0rrect" not in result.log_tail


@pytest.mark.parametrize(
    "more",
    [{"ca_file": None}, {"https_proxy": "http://worker:wrong@127.0.0.1:{port}"}, {"https_proxy": "http://127.0.0.1:1"}],
    ids=["another authority", "a wrong password", "no proxy there"],
)
def test_what_is_not_believed_or_not_reached_gets_no_key(
    tmp_path: Path, network: Company, api: Model, more: dict[str, Any]
) -> None:
    given = {name: value.format(port=network.port) if value else value for name, value in more.items()}
    result = ask_model(tmp_path, **behind(network, **given))
    assert "HTTP Error 502" in result.log_tail
    assert api.asked == []


def gate(folder: Path, text: str, network: Company, **more: Any) -> GateResult:
    (folder / "tree").mkdir()
    hosts = {"gate_hosts": (PYTHON, NPM), "gate_seconds": 120}
    repo = Repository.model_validate({"key": "k", "name": "n", "path": "/x", "upstream": "/x", "gate": text} | hosts)
    return SandboxedGates(settings(folder, **behind(network, **more))).run(repo, folder / "tree")


@pytest.fixture
def packages(network: Company) -> Iterator[None]:
    with registries() as made:
        for name, server in made.items():
            network.add(name, server)
        yield


PIP = f"""
{sys.executable} -m pip --isolated download --no-deps --no-cache-dir --disable-pip-version-check \\
    --index-url https://{PYTHON}/simple/ -d got ops-tiny
python3 -c "import sys; sys.path.insert(0, 'got/ops_tiny-1.0-py3-none-any.whl'); import ops_tiny; print(ops_tiny.WORD)"
"""
NPM_INSTALL = f"""
npm install --registry https://{NPM}/ --no-audit --no-fund --fetch-retries 0 ops-tiny
node -e "console.log(require('ops-tiny'))"
npm pack --registry https://{NPM}/ --fetch-retries 0 ops-tiny
"""


@needs_sandbox
@pytest.mark.usefixtures("packages")
def test_pip_gets_a_package_from_a_named_host(tmp_path: Path, network: Company) -> None:
    result = gate(tmp_path, f"set -e{PIP}", network)
    assert result.end is GateEnd.PASSED, result.log_tail
    assert "from the wheel" in result.log_tail
    assert set(network.asked) == {f"{PYTHON}:443"}
    assert result.unlisted == ()


@needs_sandbox
@pytest.mark.usefixtures("packages")
@pytest.mark.skipif(shutil.which("npm", path="/usr/bin:/bin") is None, reason="no npm on this machine")
def test_npm_gets_a_package_from_a_named_host(tmp_path: Path, network: Company) -> None:
    result = gate(tmp_path, f"set -e{NPM_INSTALL}", network)
    assert result.end is GateEnd.PASSED, result.log_tail
    assert "from the tarball" in result.log_tail
    assert "ops-tiny-1.0.0.tgz" in result.log_tail
    assert set(network.asked) == {f"{NPM}:443"}


@needs_sandbox
@pytest.mark.usefixtures("packages")
def test_an_authority_that_is_not_ours_is_not_believed_inside(tmp_path: Path, network: Company) -> None:
    result = gate(tmp_path, f"set -e{PIP.replace(' download', ' download --retries 0')}", network, ca_file=None)
    assert result.end is GateEnd.FAILED
    assert "certificate verify failed" in result.log_tail


def test_the_settings_follow_everybody_elses_variables(monkeypatch: pytest.MonkeyPatch, network: Company) -> None:
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", network.proxy)
    monkeypatch.setenv("no_proxy", ".example.com,10.0.0.0/8 other.example")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(network.ca_file))
    made = load_settings()
    assert made.https_proxy is not None
    assert made.https_proxy.get_secret_value() == network.proxy
    assert (made.no_proxy, made.ca_file) == ((".example.com", "10.0.0.0/8", "other.example"), network.ca_file)
    assert PASSWORD not in repr(made)
    assert PASSWORD in known_secrets(made)
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent.pem")
    assert (load_settings().https_proxy, load_settings().ca_file) == (None, None)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OPS_HTTPS_PROXY", "https://u:s3cret@proxy.example", "OPS_HTTPS_PROXY: must be http://"),
        ("OPS_CA_FILE", "/nonexistent.pem", "OPS_CA_FILE: is no file"),
    ],
)
def test_our_own_variables_are_checked(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=words) as raised:
        load_settings()
    assert "s3cret" not in str(raised.value)


def test_certificates_that_are_none_are_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(AgentUnavailable, match=r"empty\.pem"):
        ask_model(tmp_path, ca_file=tmp_path / "empty.pem", https_proxy=None)


def test_nothing_of_it_is_shown(network: Company) -> None:
    assert "c0rrect" not in repr(Outward.of(Settings(**behind(network))))
