"""Procfile, docker-compose.yml, the image and the workers say the same, and a Procfile's processes really come up."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

from ops_orchestrate.adapters.stack import Stack
from ops_orchestrate.celery import POOLS
from ops_orchestrate.core.duty import HOLDERS, READ_TOKEN, Duty
from ops_orchestrate.ledger import connect
from tests.adapters.stack_help import settings_for, until
from workers.pools import PROCESSES

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


def test_the_procfile_starts_every_process_by_its_name() -> None:
    assert {name: f"python -m workers {name}" for name in PROCESSES} == PROCFILE


def test_compose_starts_every_process_from_one_image_that_starts_workers() -> None:
    assert SERVICES.keys() == {*PROCESSES, "server", "ops"}
    assert {name: SERVICES[name]["command"] for name in PROCESSES} == {name: [name] for name in PROCESSES}
    assert len({SERVICES[name]["image"] for name in PROCESSES}) == 1
    assert 'ENTRYPOINT ["python", "-m", "workers"]' in (ROOT / "Dockerfile").read_text()


def test_the_image_holds_nothing_of_its_owners() -> None:
    """What compose takes from beside itself is not sent into the image, whose layers keep what was ever copied."""
    left_out = set((ROOT / ".dockerignore").read_text().splitlines())
    mounted = {volume.partition(":")[0] for one in SERVICES.values() for volume in one.get("volumes", ())}
    own = {name.removeprefix("./") for name in mounted if name.startswith("./")} - {"deploy"}
    assert {"ops", "checkouts"} <= own
    assert own | {".env*", ".git"} <= left_out


@pytest.mark.parametrize("name", PROCESSES)
def test_a_container_is_given_its_own_secrets_only(name: str) -> None:
    """As `core/duty.py` has it, for an owner who has a token that only reads."""
    held = HOLDERS.keys() & SERVICES[name]["environment"].keys()
    assert held <= {secret for secret in HOLDERS if Duty(pool=name, read_token=True).may_hold(secret)}
    assert ("GITHUB_TOKEN" in held) is (name == "ship")
    assert (READ_TOKEN in held) is (name in ("audit", "agent"))
    assert ("ANTHROPIC_API_KEY" in SERVICES[name]["environment"]) is (name == "agent")


@pytest.mark.parametrize("name", PROCESSES)
def test_each_role_comes_to_the_server_as_its_own_user(name: str) -> None:
    given = SERVICES[name]["environment"]
    urls = [
        given[key] for key in ("OPS_REDIS_URL", "OPS_BROKER_URL", "OPS_RESULTS_URL", "OPS_LEDGER_URL") if key in given
    ]
    assert urls
    for url in urls:
        assert url.startswith(f"redis://{name}:${{OPS_{name.upper()}_PASSWORD:?}}@server:6379")
    assert f"user {name} on >${{OPS_{name.upper()}_PASSWORD:?}}" in (ROOT / "deploy/server.sh").read_text()


def test_nothing_keeps_a_service_from_being_scaled() -> None:
    """No fixed names; and a port of the host only where there is one of it."""
    assert [name for name, one in SERVICES.items() if {"container_name", "hostname"} & one.keys()] == []
    assert [name for name, one in SERVICES.items() if "ports" in one] == ["flower"]
    assert SERVICES["flower"]["ports"] == ["127.0.0.1:5555:5555"]


def test_every_process_waits_for_a_healthy_server() -> None:
    assert "healthcheck" in SERVICES["server"]
    waits = {name: one["depends_on"] for name, one in SERVICES.items() if name != "server"}
    assert {str(one) for one in waits.values()} == {str({"server": {"condition": "service_healthy"}})}


def _compose() -> list[str]:
    """The tool that reads compose files here, in its new or its old form."""
    docker = shutil.which("docker")
    if docker and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else []


def test_compose_fits_the_published_schema() -> None:
    """It needs no engine, and knows every key that a service may have."""
    published = ROOT / ".schemas" / "compose-spec.json"
    if not published.exists():
        pytest.skip("the schema of compose files is not here (make schemas, from npm)")
    schema = json.loads(published.read_text())
    found = Draft201909Validator(schema).iter_errors(COMPOSE)
    assert [f"{problem.json_path}: {problem.message}" for problem in found] == []


def test_docker_compose_reads_it(tmp_path: Path) -> None:
    tool = _compose()
    if not tool:
        pytest.skip("neither `docker compose` nor `docker-compose` is here to read docker-compose.yml")
    said = subprocess.run(["sh", "deploy/passwords.sh"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    passwords = dict(line.split("=", 1) for line in said.splitlines())
    assert len(set(passwords.values())) == len(passwords)
    assert passwords.keys() == set(re.findall(r"\$\{(OPS_\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **passwords}
    done = subprocess.run(
        [*tool, "--file", ROOT / "docker-compose.yml", "config"], env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(done.stdout)["services"]
    assert {*PROCESSES, "server"} <= read.keys()
    assert read["ship"]["environment"]["OPS_REDIS_URL"].startswith(f"redis://ship:{passwords['OPS_SHIP_PASSWORD']}@")


@pytest.mark.parametrize("name", PROCESSES)
def test_systemd_reads_the_unit_of_the_documents(name: str, tmp_path: Path) -> None:
    """For every process of an installation; only the interpreter is the one that is here."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("there is no systemd-analyze here to read the unit (apt install systemd)")
    page = (ROOT / "docs" / "operating.md").read_text()
    block = page[page.index("    # /etc/systemd/system/ops@.service") : page.index("`/etc/ops/agent.env`")]
    unit = textwrap.dedent(block).replace("/opt/ops/bin/python", sys.executable)
    assert f"{sys.executable} -m workers %i" in unit
    (tmp_path / "ops@.service").write_text(unit)
    given = {"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    argv = [tool, "verify", "--man=no", "--recursive-errors=no", str(tmp_path / f"ops@{name}.service")]
    done = subprocess.run(argv, env=given, capture_output=True, text=True, check=False)
    about = [line for line in done.stderr.splitlines() if "ops@" in line]
    assert (done.returncode, about) == (0, []), done.stderr


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Stack]:
    """A server that is somebody else's, for the processes."""
    with Stack.open(settings_for(tmp_path / "server"), workers=[]) as stack:
        yield stack


@pytest.mark.real
def test_honcho_starts_the_procfile_as_it_is(server: Stack, tmp_path: Path) -> None:
    urls = server.urls
    given = {
        **os.environ,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "OPS_DATA_DIR": str(tmp_path / "data"),
        "OPS_BROKER_URL": urls.broker,
        "OPS_RESULTS_URL": urls.results,
        "OPS_LEDGER_URL": urls.ledger,
        "OPS_FLOWER_PORT": "0",
        "OPS_UNSANDBOXED_OK": "1",
        "PYTHONUNBUFFERED": "1",
    }
    said = tmp_path / "honcho.log"
    with said.open("w") as log:
        argv = [sys.executable, "-m", "honcho", "--no-colour", "start"]
        honcho = subprocess.Popen(argv, cwd=ROOT, env=given, stdout=log, stderr=log)
    ledger = connect(urls.ledger)
    try:
        until(lambda: {pool for host in ledger.hosts.live() for pool in host.pools} == set(POOLS), 40)
        until(lambda: "Visit me at" in said.read_text(), 20)
        assert honcho.poll() is None, said.read_text()
    finally:
        honcho.send_signal(signal.SIGTERM)
        honcho.wait(30)
    # Workers withdraw when they are told to stop; of one that honcho kills after 5 s the announcement runs out.
    # One that were left would go on renewing it.
    until(lambda: ledger.hosts.live() == [], 20)
    ledger.close()
