"""Traces of what the jobs did, where OPS_TRACES_URL says so: one trace a task across its whole chain, over all hosts.

No context travels in messages: a trace's id and that of its first span follow from the run's and the task's names, so a
job that the reconciler published anew stands in the same trace as the one that was lost. The first span is sent last,
when the task has come to its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING

from celery.exceptions import Ignore

from ops_orchestrate import __version__
from ops_orchestrate.config import process_settings
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.states import FINAL
from ops_orchestrate.errors import UsageError
from ops_orchestrate.ledger import Ledger

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import SpanContext

Subject = Mapping[str, str | int]
"""What a job is about: `run`, `task`, `attempt`, as far as it is about any."""

#: The ids of the next span; without any they are drawn.
_FORCED: ContextVar[SpanContext | None] = ContextVar("forced", default=None)
_MISSING = "OPS_TRACES_URL needs OpenTelemetry: pip install 'ops-orchestrate[traces]'."


def check() -> None:
    """Raises UsageError where traces are asked for and cannot be sent."""
    if process_settings().traces_url:
        try:
            import opentelemetry.exporter.otlp.proto.http.trace_exporter
            import opentelemetry.sdk.trace  # noqa: F401 - only whether they are there
        except ImportError:
            raise UsageError(_MISSING) from None


@contextmanager
def span(name: str, subject: Subject) -> Iterator[None]:
    """What runs in the block is one span of its task's trace, or of its run's where it is about no task."""
    if not process_settings().traces_url or "run" not in subject:
        yield
        return
    from opentelemetry import trace

    tracer = _provider().get_tracer("ops_orchestrate")
    where = trace.set_span_in_context(trace.NonRecordingSpan(_first(subject)))
    with tracer.start_as_current_span(
        name, context=where, attributes=_attributes(subject), record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield
        except Ignore:  # the chain ends here, on purpose
            raise
        except Exception as error:
            # Only its kind: what an exception says may be anything, and leaves the house here.
            made.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def task_settled(key: StageKey, ledger: Ledger) -> None:
    """Send the first span of a task's trace, if the task has come to its end."""
    if not process_settings().traces_url:
        return
    record = ledger.tasks.get(key.run, key.task)
    if record.state in FINAL:
        attempts = ledger.tasks.attempts(key.run, key.task)
        began = min((one.started_at for one in attempts if one.started_at), default=ledger.now())
        more = {"ops.title": record.spec.title, "ops.repo": record.spec.repo, "ops.state": str(record.state)}
        _whole("task", {"run": key.run, "task": key.task}, began=began, ended=ledger.now(), more=more)


def _whole(name: str, subject: Subject, *, began: float, ended: float, more: Mapping[str, str]) -> None:
    """Times are seconds since 1970."""
    tracer = _provider().get_tracer("ops_orchestrate")
    token = _FORCED.set(_first(subject))
    try:
        made = tracer.start_span(name, attributes={**_attributes(subject), **more}, start_time=int(began * 1e9))
    finally:
        _FORCED.reset(token)
    made.end(end_time=int(ended * 1e9))


def end() -> None:
    """Send what is left; nothing where nothing was traced."""
    if _provider.cache_info().currsize:
        _provider().shutdown()
        _provider.cache_clear()


def _first(subject: Subject) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    digest = hashlib.sha256(f"{subject.get('run', '')}\n{subject.get('task', '')}".encode()).digest()
    trace_id, span_id = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _attributes(subject: Subject) -> dict[str, str | int]:
    return {f"ops.{name}": value for name, value in subject.items()}


@lru_cache(maxsize=1)
def _provider() -> TracerProvider:
    """Made when the first job runs: the threads of an exporter do not survive the fork of a pool's child."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """Draws ids, but for a span whose id others have named already."""

        def generate_span_id(self) -> int:
            forced = _FORCED.get()
            return forced.span_id if forced else super().generate_span_id()

        def generate_trace_id(self) -> int:
            forced = _FORCED.get()
            return forced.trace_id if forced else super().generate_trace_id()

    settings = process_settings()
    about = {"service.name": "ops-orchestrate", "service.version": __version__, "host.name": settings.host}
    provider = TracerProvider(resource=Resource.create(about), id_generator=Ids(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.traces_url, timeout=5)))
    return provider
