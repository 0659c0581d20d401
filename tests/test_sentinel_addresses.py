"""Addresses of Redis Sentinel: what is read out of them, who gets which part, and what is wrong with a group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.celery import _places
from ops_orchestrate.config import Settings, read_sentinel
from ops_orchestrate.config.secrecy import known_secrets
from ops_orchestrate.errors import UsageError
from ops_orchestrate.ledger import connect
from ops_orchestrate.ledger.check import failover_problems

ADDRESS = "sentinels://ann:h%40sh-hush@one:1,two,[::1]:3/ledger?sentinel_password=own-secret&ssl_ca_certs=/ca.pem"


def test_what_it_says() -> None:
    read = read_sentinel(f"{ADDRESS}&db=2")
    assert read.sentinels == (("one", 1), ("two", 26379), ("::1", 3))
    assert (read.name, read.database) == ("ledger", 2)
    assert read.servers == {"username": "ann", "password": "h@sh-hush"}
    assert read.own == {"password": "own-secret"}
    assert read.tls == {"ssl_cert_reqs": "required", "ssl_ca_certs": "/ca.pem"}


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("sentinel://one:26379", "call the primary"),
        ("sentinel://one:26379/2", "a database is"),
        ("sentinel://one:26379/0;sentinel://two:26379/0", "call the primary"),
        ("sentinel://one:port/ledger", "HOST:PORT"),
        ("sentinel://one,,two/ledger", "HOST:PORT"),
        ("sentinel://one/ledger?db=two", "a number"),
        ("sentinel://one/ledger?master=x", "may stand"),
        ("sentinel://one/ledger?ssl_ca_certs=/ca.pem", "sentinels://"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_without_showing_it(address: str, says: str) -> None:
    shown = address.replace("://", "://ann:hush-hush@")
    with pytest.raises(ValueError, match=says) as caught:
        Settings.model_validate({"redis_url": shown})
    assert "redis_url" in str(caught.value)
    with pytest.raises(UsageError) as refused:
        connect(shown)
    assert "hush" not in str(refused.value)


def test_broker_results_and_ledger_are_three_databases_of_it(tmp_path: Path) -> None:
    urls = Settings.model_validate({"data_dir": tmp_path, "redis_url": ADDRESS}).urls
    assert urls is not None
    assert [read_sentinel(url).database for url in urls] == [0, 1, 2]
    assert connect(urls.ledger).address == "ledger of the Sentinels ::1:3, one:1, two:26379 (database 2)"
    given = _places(urls)
    assert given["broker_url"].split(";")[0] == "sentinel://ann:h%40sh-hush@one:1/0"
    assert given["result_backend"].split(";")[2] == "sentinel://ann:h%40sh-hush@[::1]:3/1"
    for options in (given["broker_transport_options"], given["result_backend_transport_options"]):
        assert options["master_name"] == "ledger"
        assert options["sentinel_kwargs"]["password"] == "own-secret"
        assert options["global_keyprefix"] == "ops:"
    assert given["broker_use_ssl"] == given["redis_backend_use_ssl"] == read_sentinel(ADDRESS).tls


def test_each_password_in_it_is_known_as_a_secret(tmp_path: Path) -> None:
    known = known_secrets(Settings.model_validate({"data_dir": tmp_path, "redis_url": ADDRESS}))
    assert {"h%40sh-hush", "h@sh-hush", "own-secret"} <= set(known)


@pytest.mark.parametrize(
    ("info", "state", "lag", "refused", "shown"),
    [
        ({"min_slaves_good_slaves": 2}, {"num-slaves": 2, "num-other-sentinels": 2}, 10, [], []),
        ({}, {"num-slaves": 2, "num-other-sentinels": 2}, None, ["min-replicas-to-write"], []),
        ({"min_slaves_good_slaves": 2}, {"num-slaves": 2, "num-other-sentinels": 2}, 16, ["Set it to 15"], []),
        ({"min_slaves_good_slaves": 1}, {"num-slaves": 1, "num-other-sentinels": 2}, 10, [], ["two replicas"]),
        ({"min_slaves_good_slaves": 2}, {"num-slaves": 2, "num-other-sentinels": 1}, None, [], ["three Sentinels"]),
    ],
)
def test_what_would_go_wrong_when_a_replica_takes_over(
    info: dict[str, Any], state: dict[str, Any], lag: float | None, refused: list[str], shown: list[str]
) -> None:
    found = failover_problems(info, state, lag=lag, most_lag=15)
    assert [word in said for word, said in zip(refused, found.refused, strict=True)] == [True] * len(refused)
    assert [word in said for word, said in zip(shown, found.shown, strict=True)] == [True] * len(shown)
