"""The plain `celery -A ops_orchestrate worker`: one process of prefork children serves every queue and needs no other.

It is one trust domain, and says so.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ops_orchestrate.celery import POOLS
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.report.check import violations
from tests.engine.rig import Rig, requested, standing, work
from tests.repos import read

pytestmark = [pytest.mark.real]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Two repositories and the plain worker alone."""
    with collector() as (url, spans):
        SPANS.append(spans)
        where = tmp_path_factory.mktemp("plain")
        with standing(where, ("app", "web"), OPS_LOG_FORMAT="json", OPS_TRACES_URL=url) as made:
            made.start_plain()
            yield made


SPANS: list[Callable[[], list[Span]]] = []


@contextmanager
def collector() -> Iterator[tuple[str, Callable[[], list[Span]]]]:
    """What receives spans by OTLP over HTTP, as Jaeger or Tempo would: its address, and what it has so far."""
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            if self.headers.get("content-encoding") == "gzip":
                bodies[-1] = gzip.decompress(bodies[-1])
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    def spans() -> list[Span]:
        asked = [ExportTraceServiceRequest.FromString(body) for body in list(bodies)]
        return [s for one in asked for part in one.resource_spans for scope in part.scope_spans for s in scope.spans]

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", spans
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


@pytest.fixture(scope="module")
def run(rig: Rig) -> str:
    """A diamond over two repositories with a join, a first attempt that fails, and a promotion: every kind of job."""
    rig.play(
        {
            "left": [[{"write": {"path": "broken", "text": "x"}}, {"commit": {"message": "Break it"}}], work("left")],
            "*": [work("any")],
            **{name: [work(name)] for name in ("root", "right", "last")},
        }
    )
    made = rig.submit(
        [
            requested("root", "app"),
            requested("left", "app", blocked_by=["root"]),
            requested("right", "web", blocked_by=["root"]),
            requested("last", "web", blocked_by=["left", "right"]),
        ],
        portfolio=rig.portfolio("app", "web", promote=True),
    )
    rig.finish(made, 90)
    return made


def test_it_runs_a_whole_graph_by_itself(rig: Rig, run: str) -> None:
    events = rig.events(run)
    assert rig.ledger.runs.get(run).state is RunState.DONE
    assert {task.state for task in rig.ledger.tasks.all(run)} == {TaskState.COMPLETED}
    assert violations(events) == []
    attempts = Counter(event.task for event in events if event.kind is EventKind.ATTEMPT_STARTED)
    assert attempts == {"root": 1, "left": 2, "right": 1, "last": 1}
    assert {event.data["name"] for event in events if event.kind is EventKind.PROMOTED} == {"app", "web"}
    for upstream in rig.upstreams.values():
        assert read(upstream.bare, "main", "src/.keep") is not None
    assert read(rig.upstreams["web"].bare, "main", "src/last.txt") == "last"
    assert rig.agents() == []


def test_it_serves_every_queue_and_keeps_one_place_free_of_agents(rig: Rig) -> None:
    (host,) = rig.ledger.hosts.live()
    assert dict(host.pools) == {**dict.fromkeys(POOLS, 4), "agent": 3}


@pytest.mark.usefixtures("run")
def test_each_line_of_its_log_says_which_attempt_it_is_about(rig: Rig) -> None:
    said = [json.loads(line) for line in (rig.home / "plain.log").read_text().splitlines() if line.startswith("{")]
    stages = {(one["task"], one["attempt"]) for one in said if one["message"].startswith("agent.implement: go-on")}
    assert stages == {("root", 1), ("left", 1), ("left", 2), ("right", 1), ("last", 1)}
    assert {one["host"] for one in said} == {"rig"}


CHAIN = {"task", "agent.implement", "audit.verify", "ship.land", "planner.settle"}


@pytest.mark.usefixtures("run")
def test_each_task_is_one_trace_over_all_jobs_of_its_chain(rig: Rig) -> None:
    def traces() -> dict[bytes, list[Span]]:
        found: dict[bytes, list[Span]] = {}
        for span in SPANS[0]():
            if value(span, "ops.task"):
                found.setdefault(span.trace_id, []).append(span)
        return found

    def all_there() -> bool:
        """Each child of the pool sends what it has every few seconds."""
        return [{span.name for span in spans} >= CHAIN for spans in traces().values()] == [True] * 4

    rig.until(all_there, 30, "the spans of four tasks")
    for spans in traces().values():
        (task,) = {value(span, "ops.task") for span in spans}
        first = next(span for span in spans if span.name == "task")
        assert value(first, "ops.state") == "completed"
        assert {span.parent_span_id for span in spans if span.name != "task"} == {first.span_id}
        attempts = {value(span, "ops.attempt") for span in spans if span.name == "agent.implement"}
        assert attempts <= ({1, 2} if task == "left" else {1})


def value(span: Span, name: str) -> str | int | None:
    found = next((one.value for one in span.attributes if one.key == name), None)
    return (found.string_value or found.int_value) if found else None


def test_it_says_that_it_is_one_trust_domain(rig: Rig) -> None:
    log = (rig.home / "plain.log").read_text()
    assert "this worker serves planner, audit, agent, ship: it is one trust domain" in log
