"""A server's files copied while it writes them: whole, or not at all."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from ops_orchestrate.adapters.server_copy import copy_data
from ops_orchestrate.errors import OpsError
from tests.conftest import start_server


@pytest.fixture
def writing(server_folder: Path) -> Iterator[tuple[Path, redis.Redis]]:
    """A server with an append-only file, and a client of it."""
    process, url = start_server(server_folder, "--appendonly", "yes", "--appendfsync", "always")
    client = redis.Redis.from_url(url, decode_responses=True)
    yield server_folder, client
    client.close()
    process.kill()
    process.wait(60)


def started_from(folder: Path) -> tuple[subprocess.Popen[bytes], redis.Redis]:
    process, url = start_server(folder, "--appendonly", "yes")
    return process, redis.Redis.from_url(url, decode_responses=True)


def test_a_server_begins_with_what_the_other_one_had(writing: tuple[Path, redis.Redis]) -> None:
    source, client = writing
    client.set("before", "1")
    client.bgrewriteaof()
    for number in range(200):
        client.set(f"k{number}", number)
    target = source.parent / f"{source.name}-copy"
    target.mkdir()
    assert copy_data(source, target)
    process, copy = started_from(target)
    try:
        assert copy.get("before") == "1"
        assert copy.get("k199") == "199"
        copy.set("own", "1")
        assert client.get("own") is None
    finally:
        copy.close()
        process.kill()
        process.wait(60)
        shutil.rmtree(target)


def test_where_there_is_nothing_nothing_is_copied(tmp_path: Path) -> None:
    assert not copy_data(tmp_path / "nowhere", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_part_that_is_gone_is_an_error_not_half_a_ledger(tmp_path: Path) -> None:
    data = tmp_path / "source" / "appendonlydir"
    data.mkdir(parents=True)
    (data / "appendonly.aof.manifest").write_text("file appendonly.aof.1.base.rdb seq 1 type b\n")
    with pytest.raises(OpsError, match="changes too fast to be copied"):
        copy_data(tmp_path / "source", tmp_path / "target")


def test_a_manifest_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    data = tmp_path / "source" / "appendonlydir"
    data.mkdir(parents=True)
    (data / "appendonly.aof.manifest").write_text("file ../../secret seq 1 type b\n")
    with pytest.raises(OpsError):
        copy_data(tmp_path / "source", tmp_path / "target")
