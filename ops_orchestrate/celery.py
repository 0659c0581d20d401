"""The Celery app: queues, routes, JSON only, and every setting with its reason.

`celery -A ops_orchestrate worker` finds `app` here. The package never imports `workers`; Celery does, by name,
when a worker starts. Celery carries the work and nothing else: the ledger is the truth, so no result is read
back and nothing is retried by Celery itself (docs/adr/0001).
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue

from ops_orchestrate import broker
from ops_orchestrate.config import SentinelAddress, Urls, is_sentinel, process_settings, read_sentinel
from ops_orchestrate.errors import UsageError

#: A pool is a trust boundary; each has its own queue. docs/safety.md says what each may reach.
POOLS = ("planner", "audit", "agent", "ship")

_EXCHANGE = Exchange("ops", type="direct")

QUEUES = tuple(Queue(name, _EXCHANGE, routing_key=name) for name in POOLS)


def own_queue(pool: str, host: str) -> Queue:
    """The queue of one pool on one machine, for work that only that one can do."""
    name = f"{pool}@{host}"
    return Queue(name, _EXCHANGE, routing_key=name)


#: kombu's own default. The shortest value of any client governs, so only the default is safe to rely on;
#: every job that is acknowledged late stays under 45 minutes.
VISIBILITY_SECONDS = 3600

_SOCKET: dict[str, Any] = {
    "visibility_timeout": VISIBILITY_SECONDS,
    # A half-open connection must not hang a publish for ever (kombu's default is no timeout).
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "global_keyprefix": "ops:",
    # Nothing of ours is published with a priority (admission decides what is first): one list a queue, not four that
    # every BRPOP names.
    "priority_steps": [0],
}

SETTINGS: dict[str, Any] = {
    "task_queues": QUEUES,
    "task_default_queue": "planner",
    "task_default_exchange": "ops",
    "task_default_routing_key": "planner",
    "task_create_missing_queues": False,  # a typo in a queue's name must fail, not make a queue nobody reads
    "task_serializer": "json",
    "result_serializer": "json",
    "accept_content": ["json"],  # no pickle from a shared server
    "result_accept_content": ["json"],
    "task_acks_late": False,  # chosen job by job, see workers/job.py
    "worker_prefetch_multiplier": 1,
    # With early acknowledgement a multiplier of 1 still hoards one message behind a four-hour agent.
    "worker_disable_prefetch": True,
    # A blip of the connection must not kill a running agent; explicit because Celery 6 changes the default.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_pool_acquire_timeout": 30,
    "broker_transport_options": {
        **_SOCKET,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    },
    "visibility_timeout": VISIBILITY_SECONDS,
    "result_backend_transport_options": {
        "visibility_timeout": VISIBILITY_SECONDS,
        "global_keyprefix": "ops:",
    },
    "redis_socket_timeout": 30.0,
    "redis_backend_health_check_interval": 10,
    "task_publish_retry_policy": {"max_retries": 10, "interval_start": 0, "interval_step": 0.2, "interval_max": 2},
    "result_expires": 24 * 3600,
    # A chord must outlive its run; not 0, or stray sizes would stay for ever.
    "result_chord_expires": 30 * 24 * 3600,
    "result_failure_expires": 7 * 24 * 3600,
    # Sent only while somebody watches: Flower asks for them every five seconds (`enable_events`). What a job
    # costs would grow by a fifth, for nobody. None when a job is published either: it is in its queue for milliseconds,
    # because admission comes first, and the lengths of the queues are shown all the same.
    "worker_send_task_events": False,
    "task_send_sent_event": False,
    # The log is ours (ops_orchestrate.log); Celery must not take the root logger.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "task_ignore_result": True,  # nobody reads one; parts of a chord count all the same
}

broker.install()

app = Celery(
    "ops_orchestrate",
    include=[f"workers.{name}" for name in (*POOLS, "lifecycle")],
    set_as_current=True,
)

_pointed: list[Urls] = []
_lock = threading.Lock()


@app.add_defaults
def _defaults() -> dict[str, Any]:
    """Read late, when Celery first needs its configuration: importing this module touches no environment."""
    settings = process_settings()
    urls = _pointed[-1] if _pointed else settings.urls
    if urls is None:
        raise UsageError(
            "No server is known to this process: set OPS_REDIS_URL (for example redis://127.0.0.1:6379). "
            "`ops-orchestrate run` brings a server and workers of its own and needs no worker started by hand."
        )
    # Read by name: the schedule is operations' file, and nothing in the package depends on what it holds.
    schedule = import_module("beat_schedule").BEAT_SCHEDULE
    return {
        **SETTINGS,
        "task_queues": (*QUEUES, *(own_queue(pool, settings.host) for pool in POOLS)),
        "beat_schedule": schedule,
        **_places(urls),
    }


def _places(urls: Urls) -> dict[str, Any]:
    """The settings that say where broker and results are."""
    broker, results = _sentinel(urls.broker), _sentinel(urls.results)
    return {
        "broker_url": broker.celery_url if broker else urls.broker,
        "broker_transport_options": _options("broker_transport_options", broker),
        "broker_use_ssl": broker.tls if broker else None,
        "result_backend": results.celery_url if results else urls.results,
        "result_backend_transport_options": _options("result_backend_transport_options", results),
        "redis_backend_use_ssl": results.tls if results else None,
        # A unix socket knows no keep-alive, and redis-py refuses the option there.
        "redis_socket_keepalive": not urls.results.startswith("redis+socket"),
    }


def _sentinel(url: str) -> SentinelAddress | None:
    return read_sentinel(url) if is_sentinel(url) else None


def _options(name: str, address: SentinelAddress | None) -> dict[str, Any]:
    return {**SETTINGS[name], **(address.celery_options if address else {})}


def point_at(urls: Urls) -> None:
    """Make this process publish to these URLs: the command, once it knows its embedded server."""
    with _lock:
        _pointed.append(urls)
        if app.configured:
            app.conf.update(_places(urls))
