"""The one door to the server: a client with short timeouts, and every error of it said in one sentence.

It never puts a password into a message, and it never hides that the server is away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from ops_orchestrate.config import is_sentinel
from ops_orchestrate.errors import LedgerUnavailable, OtherVersion, UnknownRun, UnknownTask, UsageError
from ops_orchestrate.ledger.primary import close, primary, sentinels_of
from ops_orchestrate.ledger.records import other_version

T = TypeVar("T")

#: Answers come within milliseconds; a server that is silent for this long is treated as gone.
ANSWER_SECONDS = 5.0
CONNECT_SECONDS = 3.0
#: Growing pauses ride over a restart of a second or two. redis-py repeats connecting within repeating a call, so
#: a server that is away costs about this number squared of tries: some four seconds.
TRIES = 4

CLUSTER = "runs in Cluster mode, which Celery does not support; use a single server, or Sentinel"

#: What the server says, and what to do about it.
_REMEDIES = (
    ("LOADING", "it is still loading its data; wait until it has started"),
    ("READONLY", "it is a read-only replica; point OPS_REDIS_URL at the primary"),
    ("OOM", "it is out of memory; raise `maxmemory` (and keep `maxmemory-policy noeviction`)"),
    ("NOAUTH", "it wants a password; put it into OPS_REDIS_URL"),
    ("WRONGPASS", "it refuses the user name or password of OPS_REDIS_URL"),
    ("NOPERM", "the user of OPS_REDIS_URL lacks rights; allow it every command the ledger needs on its keys"),
    ("MISCONF", "it cannot write to its disk; free space or repair its `dir`, then look at its log"),
    ("Not enough good replicas", "no replica follows it closely enough (`min-replicas-to-write`); bring one back"),
    ("No master found", "its Sentinels name no primary that lives; look at them, and at the name in the address"),
    ("WRONGTYPE", "a key of ours holds something else; give the ledger a database of its own"),
    ("not allowed in cluster mode", f"it {CLUSTER}"),
    ("DB index is out of range", "it has fewer than three databases; set `databases 16`"),
    ("CLUSTERDOWN", f"it {CLUSTER}"),
    ("MOVED", f"it {CLUSTER}"),
    ("invalid password", "it refuses the user name or password of OPS_REDIS_URL"),
    ("Authentication required", "it wants a password; put it into OPS_REDIS_URL"),
)
_REFUSAL = re.compile(r"OPS:(RUN|TASK|MOVE|LINE):([^\s,]*)")


class Refused(redis.RedisError):
    """The server knows us and says no: asking again changes nothing."""


class Patience(Retry):
    """Repeats lost calls. A refused password is one of redis-py's connection errors, but it is not lost."""

    def call_with_retry(self, do: Callable[[], T], *args: Any, **kwargs: Any) -> T:
        """Call until there is an answer, or the tries are used up."""

        def once() -> T:
            try:
                return do()
            except redis.AuthenticationError as error:
                raise Refused(str(error)) from None

        return super().call_with_retry(once, *args, **kwargs)


class Server:
    """A client, its address, and the translation of its errors."""

    def __init__(self, client: Any) -> None:
        if not client.get_encoder().decode_responses:
            raise UsageError("The ledger needs a client made with decode_responses=True.")
        self.client = client
        self.address = address_of(client)

    def script(self, text: str) -> Any:
        """A script to be run with `run`; sends nothing yet."""
        return self.client.register_script(text)

    def run(self, script: Any, keys: Sequence[str], args: Sequence[str]) -> Any:
        """Run a script by its SHA, loading it first where the server does not know it."""
        return self.ask(lambda: script(keys=keys, args=args))

    def ask(self, call: Callable[[], T]) -> T:
        """Make one call of the client.

        Raises LedgerUnavailable; for refusals of our scripts UnknownRun, UnknownTask, OtherVersion or ValueError.
        """
        try:
            return call()
        except redis.RedisError as error:
            raise translated(error, self.address) from None

    def pipe(self, fill: Callable[[Any], object]) -> list[Any]:
        """Send many reads in one round trip; `fill` queues them on the pipeline it is given."""

        def send() -> list[Any]:
            with self.client.pipeline(transaction=False) as pipeline:
                fill(pipeline)
                return list(pipeline.execute())

        return self.ask(send)

    def close(self) -> None:
        """Give the connections back."""
        close(self.client)

    def run_id(self) -> str:
        """The id of the server's present life; empty where the server does not tell."""
        try:
            return str(self.client.info("server").get("run_id", ""))
        except redis.ResponseError:  # INFO is forbidden to this user, or the server has none
            return ""
        except redis.RedisError as error:
            raise translated(error, self.address) from None


def client_for(url: str) -> Any:
    """A client with short timeouts that repeats lost calls.

    Raises UsageError if the address cannot be read.
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": CONNECT_SECONDS,
        "health_check_interval": 15,
        "retry": Patience(ExponentialWithJitterBackoff(base=0.05, cap=1.0), TRIES),
        "retry_on_error": [redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError],
    }
    try:
        return primary(url, options) if is_sentinel(url) else redis.Redis.from_url(url, **options)
    except ValueError:
        # The text of the library's error may quote the address, and the address may hold a password.
        raise UsageError(
            "OPS_REDIS_URL must look like redis://, rediss://, unix:// or sentinel://HOST:PORT,HOST:PORT/NAME."
        ) from None


def address_of(client: Any) -> str:
    """Where the client connects to, for people: no user, no password."""
    known = client.connection_pool.connection_kwargs
    if sentinels := sentinels_of(client):
        hosts = ", ".join(f"{host}:{port}" for host, port in sentinels)
        return f"{client.connection_pool.service_name} of the Sentinels {hosts} (database {known.get('db') or 0})"
    place = known.get("path") or f"{known.get('host', 'localhost')}:{known.get('port', 6379)}"
    return f"{place} (database {known.get('db') or 0})"


def translated(error: redis.RedisError, address: str) -> Exception:
    """Our error for one of the client's."""
    text = str(error)
    refusal = _REFUSAL.search(text)
    if refusal:
        return _refused(refusal[1], refusal[2])
    for word, remedy in _REMEDIES:
        if word in text:
            return LedgerUnavailable(f"The ledger's server at {address} cannot serve: {remedy}.")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return LedgerUnavailable(
            f"The ledger's server at {address} does not answer: start it, or correct OPS_REDIS_URL."
        )
    said = " ".join(text.split())[:200]
    return LedgerUnavailable(f"The ledger's server at {address} refused a call ({said}); look at its log.")


def _refused(code: str, what: str) -> Exception:
    if code == "RUN":
        return UnknownRun(f"There is no run {what}; `ops-orchestrate status` lists them.")
    if code == "TASK":
        return UnknownTask(f"There is no task {what} in that run; `ops-orchestrate plan` lists them.")
    if code == "LINE":
        return OtherVersion(other_version(f"the plan of run {what}", ""))
    here, _, there = what.partition(">")
    return ValueError(f"A task may not move from {here or 'nowhere'} to {there}.")
