"""The server: what is said when it is away, wrong or unsafe, and that a repeated call is one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops_orchestrate.config import Urls
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import Stage, TaskState
from ops_orchestrate.errors import LedgerUnavailable, UsageError
from ops_orchestrate.ledger import Edge, Ledger, check_server, connect, examine_server, examine_servers
from ops_orchestrate.ledger.check import problems_of
from ops_orchestrate.ledger.server import translated
from tests.builders import make_review, make_settlement, make_task, stage_key
from tests.conftest import start_server
from tests.ledger.play import DONE, planned, story


def impatient(url: str) -> Ledger:
    """A ledger that gives up at the first error."""
    return Ledger(redis.Redis.from_url(url, decode_responses=True, retry=Retry(NoBackoff(), 0)))


def test_a_server_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    ledger = impatient(f"unix://ann:hush@{tmp_path}/none?db=3")
    with pytest.raises(LedgerUnavailable, match="does not answer") as caught:
        ledger.now()
    assert f"{tmp_path}/none (database 3)" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://ann:hush@host", "redis://ann:hush@host:port/0"])
def test_an_address_that_cannot_be_read_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(url)
    assert "hush" not in str(caught.value)


def test_an_address_shows_neither_user_nor_password() -> None:
    assert connect("redis://ann:hush@db.example:6380/2").address == "db.example:6380 (database 2)"


def test_a_client_that_answers_bytes_is_refused(server_url: str) -> None:
    with redis.Redis.from_url(server_url) as client, pytest.raises(UsageError, match="decode_responses"):
        Ledger(client)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("LOADING Redis is loading the dataset in memory", "wait"),
        ("READONLY You can't write against a read only replica.", "primary"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "maxmemory"),
        ("NOAUTH Authentication required.", "password"),
        ("WRONGPASS invalid username-password pair", "password"),
        ("MISCONF Redis is configured to save RDB snapshots", "disk"),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", "database of its own"),
        ("NOPERM this user has no permissions", "rights"),
        ("MOVED 3999 127.0.0.1:6381", "Cluster"),
        ("ERR something new", "log"),
    ],
)
def test_every_answer_that_is_a_no_comes_with_a_remedy(said: str, remedy: str) -> None:
    error = translated(redis.ResponseError(said), "db:6379 (database 0)")
    assert isinstance(error, LedgerUnavailable)
    assert remedy in str(error)
    assert "db:6379 (database 0)" in str(error)


def test_a_key_of_the_wrong_type_is_the_servers_problem(ledger: Ledger) -> None:
    ledger._server.client.set("{ops}:run:r1", "not a hash")
    with pytest.raises(LedgerUnavailable, match="database of its own"):
        ledger.runs.get("r1")
    with pytest.raises(LedgerUnavailable):
        ledger.runs.resume("r1")


# Losing replies -----------------------------------------------------------------------------------------------------


class Echo:
    """A client whose every script is sent twice: as when the first reply was lost and the client repeats the call."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def register_script(self, text: str) -> Any:
        script = self._client.register_script(text)

        def twice(keys: list[str], args: list[str]) -> Any:
            script(keys=keys, args=list(args))
            return script(keys=keys, args=list(args))

        return twice


@pytest.fixture(params=["fake", "real"])
def stammering(request: pytest.FixtureRequest) -> Ledger:
    return Ledger(Echo(request.getfixturevalue(f"{request.param}_redis")))


def test_every_call_may_be_repeated(stammering: Ledger) -> None:
    """The whole life of a task, every script sent twice: same answers, and the story of one life."""
    ledger = stammering
    ledger.open(quiet=0)
    planned(ledger, make_task("t1"), make_task("t2"), make_task("t3", blocked_by=("t1", "t2")))
    assert ledger.claims.take("r1", [("app", "fp-t1", "t1", "")]) == {}
    assert ledger.board.offer("r1", "t1")
    board = ledger.board.look(5)
    (grant,) = ledger.board.grant(board, board.candidates, lease=30)
    key = stage_key(attempt=grant.attempt, fence=grant.fence)
    for stage in (Stage.IMPLEMENT, Stage.VERIFY, Stage.REVIEW, Stage.VERIFY, Stage.LAND):
        assert ledger.attempts.claim(key, stage, holder="me", host="h", lease=30).ok
        if stage is Stage.IMPLEMENT:
            assert ledger.attempts.describe(key, branch="b", brief_digest="d")
        if stage is Stage.VERIFY and not ledger.attempts.review(key):
            newer = ledger.attempts.again(key, holder="me", frm=Stage.VERIFY, to=Stage.REVIEW)
            assert newer is not None
            key = newer
            continue
        if stage is Stage.REVIEW:
            assert ledger.attempts.seat(key, holder="me", cap=5, pause=60, note="full") == 1
            assert ledger.attempts.reviewed(key, holder="me", review=make_review(), told={"what": "security review"})
        assert ledger.attempts.end(key, stage, holder="me", outcome=DONE[stage], goes_on=stage is not Stage.LAND)
    assert ledger.attempts.settle(key, make_settlement()).edges == (Edge("t3", 0, 2, parts=False, first=True),)
    assert ledger.tasks.edges("r1", "t1") == (Edge("t3", 0, 2, parts=False, first=True),)
    assert ledger.attempts.spent("r1", "t1") == 1
    assert [event.seq for event in story(ledger)] == list(range(1, len(story(ledger)) + 1))
    told = Counter((event.kind, event.task, str(event.data)) for event in story(ledger))
    # Verify is there before the review and after it, and the agent and its reviewer have a slot each.
    assert {what[0]: times for what, times in told.items() if times > 1} == {
        EventKind.STAGE_CLAIMED: 2,
        EventKind.SLOT_RELEASED: 2,
    }


def test_an_answer_is_kept_for_a_while_only(ledger: Ledger) -> None:
    planned(ledger)
    client = ledger._server.client
    kept = list(client.scan_iter("{ops}:reply:*"))
    assert kept
    assert all(0 < client.ttl(name) <= 300 for name in kept)


def test_a_server_that_forgot_the_scripts_gets_them_again(real_redis: Any) -> None:
    ledger = Ledger(real_redis)
    planned(ledger)
    real_redis.script_flush()
    assert ledger.board.offer("r1", "t1")


# Before a server is trusted -----------------------------------------------------------------------------------------


@pytest.fixture
def launch(server_folder: Path) -> Iterator[Any]:
    """Starts a server with options of its own; ends it after the test."""
    started = []

    def start(*options: str) -> str:
        process, url = start_server(server_folder, *options)
        started.append(process)
        return url

    yield start
    for process in started:
        process.kill()
        process.wait(60)


DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


def test_a_fit_server_has_no_problems(launch: Any) -> None:
    assert check_server(launch(*DURABLE)) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--appendonly", "no"), ["append-only"]),
        (("--appendonly", "yes"), ["`appendfsync` is everysec: a power cut takes the last second"]),
        ((*DURABLE, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"), ["noeviction"]),
        ((*DURABLE, "--maxmemory-policy", "allkeys-lru"), []),
    ],
)
def test_what_would_hurt_later_is_said(launch: Any, options: tuple[str, ...], says: list[str]) -> None:
    problems = check_server(launch(*options))
    assert len(problems) == len(says)
    assert all(word in problem for word, problem in zip(says, problems, strict=True))


def test_a_server_of_the_broker_alone_is_examined_too(launch: Any, tmp_path: Path) -> None:
    """That it forgets does not matter; that it evicts does. RabbitMQ is none of ours to judge."""
    url, evicts = launch(*DURABLE), tmp_path / "s"
    process, other = start_server(tmp_path, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    try:
        broker = f"redis+socket://{evicts}?virtual_host=0"
        found = examine_servers(Urls(broker, url.replace("unix", "redis+socket"), f"{url}?db=2"))
        assert [said.startswith("The server of the broker: `maxmemory-policy`") for said in found.refused] == [True]
        assert found.shown == []
        assert len(examine_servers(Urls(url, f"{other}?db=1", f"{url}?db=2")).refused) == 1
        assert examine_servers(Urls("amqp://guest:guest@mq//", f"{url}?db=1", f"{url}?db=2")) == ([], [])
    finally:
        process.kill()
        process.wait()


def test_what_is_refused_is_parted_from_what_is_only_shown(launch: Any) -> None:
    found = examine_server(launch("--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"))
    assert [word in said for word, said in zip(["noeviction"], found.refused, strict=True)] == [True]
    assert [word in said for word, said in zip(["append-only"], found.shown, strict=True)] == [True]


def test_a_wanted_password_is_said(launch: Any) -> None:
    url = launch("--requirepass", "hush")
    with pytest.raises(LedgerUnavailable, match="password"):
        check_server(url)


def test_a_primary_without_replicas_is_a_lost_connection(launch: Any) -> None:
    """So that whoever meets it, Celery included, connects again and asks the Sentinels who has taken over."""
    url = launch("--min-replicas-to-write", "1")
    with (
        redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client,
        pytest.raises(redis.ConnectionError) as caught,
    ):
        client.set("a", "b")
    assert "no replica follows it" in str(translated(caught.value, "x"))


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ({"redis_version": "6.0.16"}, "6.0.16"),
        ({"redis_version": "7.2.4", "redis_mode": "cluster"}, "Cluster"),
        ({"redis_version": "7.2.4", "cluster_enabled": 1}, "Cluster"),
    ],
)
def test_an_old_or_clustered_server_is_refused(info: dict[str, Any], says: str) -> None:
    problems = problems_of(info | {"aof_enabled": 1}, {"path": "/run/s"}, "/run/s")
    assert [says in problem for problem in problems] == [True]


@pytest.mark.parametrize(
    ("connection", "exposed"),
    [
        ({"host": "db.example"}, True),
        ({"host": "10.0.0.7"}, True),
        ({"host": "10.0.0.7", "password": "hush"}, False),
        ({"host": "127.0.0.1"}, False),
        ({"host": "::1"}, False),
        ({"host": "localhost"}, False),
        ({"path": "/run/s"}, False),
    ],
)
def test_a_network_without_a_password_is_said(connection: dict[str, str], exposed: bool) -> None:
    problems = problems_of({"redis_version": "7.2.4", "aof_enabled": 1}, connection, "x")
    assert [("password" in problem) for problem in problems] == [True] * exposed


def test_a_restarted_server_is_quiet_again(launch: Any) -> None:
    ledger = connect(launch(*DURABLE))
    ledger.open(quiet=0)
    planned(ledger)
    assert ledger.board.look(5).quiet_until <= ledger.now()
    ledger._server.client.shutdown(nosave=True)
    launch(*DURABLE)
    ledger.open(quiet=100)
    assert ledger.board.look(5).quiet_until > ledger.now() + 50
    assert ledger.tasks.get("r1", "t1").state is TaskState.QUEUED
    ledger.close()
