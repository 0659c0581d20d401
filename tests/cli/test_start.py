"""What is looked at before a run begins: the server, its workers, the daemon's services, where the command stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.celery import POOLS
from ops_orchestrate.cli.connect import Connection
from ops_orchestrate.cli.ready import check_pools, say_quiet
from ops_orchestrate.cli.screen import Screen
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.board import Host
from ops_orchestrate.ledger import Ledger
from tests.cli.house import House, call, shell
from tests.conftest import start_server
from tests.repos import make_upstream


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """An installation that no run has touched."""
    with pytest.MonkeyPatch.context() as patch:
        made = House.build(patch)
        yield made
        made.close()


@pytest.fixture
def launch(server_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Starts a server of the owner's own and points OPS_REDIS_URL at it."""
    started = []

    def start(*options: str, url: str = "") -> str:
        process, address = start_server(server_folder, *options)
        started.append(process)
        monkeypatch.setenv("OPS_REDIS_URL", url or address)
        return address

    yield start
    for process in started:
        process.kill()
        process.wait(60)


@pytest.mark.real
def test_a_server_that_would_drop_the_ledger_is_refused(launch: Any, house: House) -> None:
    durable = ("--appendonly", "yes", "--appendfsync", "always")
    launch(*durable, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    said = shell("run", "--hybrid")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: `maxmemory-policy` is allkeys-lru: the server at ")
    assert said.err.endswith("Set it to noeviction.\n")


@pytest.mark.real
def test_no_worker_at_all_is_said_with_the_command_that_starts_one(launch: Any, house: House) -> None:
    address = launch("--appendonly", "no")
    path = address.removeprefix("unix://")
    said = shell("run", "--hybrid")
    assert said.code == 1
    assert said.err == (
        "warning: The append-only file is off: a restart loses the ledger. Set `appendonly yes`.\n"
        f"error: No worker is connected to your server at {path} (database 2). Start one on any machine with the same "
        "OPS_REDIS_URL: `celery -A ops_orchestrate worker`.\n"
    )
    assert json.loads(call("status", "--json").out)["runs"] == [], "nothing was submitted"


def test_a_pool_without_a_worker_is_said_at_once(
    ledger: Ledger, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.hosts.announce(
        Host(name="builder", pools={"planner": 4, "audit": 4}, seen_at=ledger.now()), process="1", ttl=60
    )
    connection = Connection(load_settings(), ledger, stack=None)
    check_pools(connection)
    missing = [pool for pool in POOLS if pool not in ("planner", "audit")]
    assert capsys.readouterr().err == "".join(
        f"warning: no worker serves the pool {pool}; its jobs wait. "
        f"Start one: `celery -A ops_orchestrate worker -Q {pool}`.\n"
        for pool in missing
    )


def test_a_quiet_board_is_explained(ledger: Ledger, house: House, capsys: pytest.CaptureFixture[str]) -> None:
    connection = Connection(load_settings(), ledger, stack=None)
    ledger.open(quiet=0)
    say_quiet(connection, Screen(as_json=False))
    assert capsys.readouterr().out == ""
    with pytest.MonkeyPatch.context() as patch:
        later = ledger.board.look(5).model_copy(update={"now": 100.0, "quiet_until": 175.0})
        patch.setattr(ledger.board, "look", lambda _cap: later)
        say_quiet(connection, Screen(as_json=False))
    assert capsys.readouterr().out.startswith("No agent is started for another 1 min 15 s: the server is new or was ")


@pytest.mark.real
def test_a_password_is_never_shown(launch: Any, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    address = launch("--appendonly", "yes", "--requirepass", "hush-hush-hush")
    for password, code in (("hush-hush-hush", 0), ("wrong-wrong-wrong", 1)):
        monkeypatch.setenv("OPS_REDIS_URL", address.replace("unix://", f"unix://:{password}@"))
        for verb in ("status", "doctor"):
            said = call(verb)
            assert said.code in (code, 1)
            assert password not in said.out + said.err


@pytest.mark.parametrize(
    ("required", "code", "says"),
    [
        ("", 1, "warning: Service voice is crashed (no microphone).\nerror: No agent is configured"),
        ("voice", 1, "error: Required: Service voice is crashed (no microphone). Mend that, or take it out"),
        ("gateway", 1, "warning: Service voice is crashed (no microphone).\nerror: No agent is configured"),
        ("pager", 1, "error: Required service pager: the daemon does not know it. Mend that"),
    ],
)
def test_only_a_required_service_blocks(
    required: str, code: int, says: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = {"voice": {"status": "crashed", "last_error": "no microphone"}, "gateway": {"status": "running"}}
    health = house.write("data/daemon-health.json", {"services": services})
    monkeypatch.setenv("OPS_REQUIRED_SERVICES", required)
    monkeypatch.setenv("OPS_AGENT", "command")
    said = call("run", "--hybrid")
    health.unlink()
    assert said.code == code
    assert says in said.err
    assert said.err.count("warning: Service voice") <= 1


def test_preferences_that_cannot_be_read_are_an_error_and_odd_ones_a_warning(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_AGENT", "command")
    odd = house.write("data/preferences.json", {"timezone": "Mars/Olympus"})
    assert "`timezone` is not known here (Mars/Olympus); UTC is used." in call("run", "--hybrid").err
    odd.write_text('{"merge_authors": "me"}')
    said = call("run", "--hybrid")
    odd.unlink()
    assert said.code == 2
    assert "`merge_authors` must be a list of GitHub logins." in said.err


def test_doctor_says_what_is_wrong_and_what_to_do(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_AGENT", "command")
    monkeypatch.setenv("OPS_DATA_DIR", str(house.home / "empty"))
    monkeypatch.setenv("OPS_MAX_DAYS_USD", "20")
    said = call("doctor")
    assert said.code == 1
    mistyped = "OPS_MAX_DAYS_USD is no setting and has no effect. Is OPS_MAX_DAY_USD meant?"
    assert f"! settings: {mistyped}\n" in said.out
    assert f"warning: {mistyped}\n" in call("run").err
    assert "✓ python: 3." in said.out
    assert "✓ server: embedded (OPS_REDIS_URL is not set): " in said.out
    no_agent = "set OPS_AGENT to the name of one, or OPS_AGENT_COMMAND to a command of your own."
    assert f"✗ agent command: No agent is configured: {no_agent}\n    → " in said.out
    assert f"✗ registry: There is no registry. Looked at: {house.home}/empty/registry.json." in said.out
    assert not (house.home / "empty").exists(), "looking changes nothing"


def test_where_the_command_stands_decides_what_it_works_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed's SCOPED and GLOBAL."""
    stranger = make_upstream(house.home / "elsewhere", "stranger")

    def projects(*words: str) -> tuple[list[str], str]:
        document = json.loads(call("projects", *words, "--json").out)
        return [project["alias"] for project in document["projects"]], document["scope"]

    assert projects() == (["api", "web"], "global"), "in the home folder"
    monkeypatch.chdir(house.upstreams["web"].checkout / "src")
    assert projects() == (["web"], "scoped")
    assert "Out of scope here: 1 project (api)." in call("projects").out
    assert projects("--project", "api") == (["api"], "scoped")
    registry = house.home / "data" / "registry.json"
    assert projects("--registry", str(registry)) == (["api", "web"], "global")
    monkeypatch.chdir(stranger.checkout)
    assert projects() == (["stranger"], "scoped")
    assert f"An entry in {registry} gives it some." in call("projects").out
    monkeypatch.setenv("OPS_DATA_DIR", str(house.home / "empty"))
    assert f"`ops-orchestrate init {stranger.checkout}` makes a registry that does." in call("projects").out
    assert call("plan", "--project", "web").code == 2
