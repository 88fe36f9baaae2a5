"""Traces for OpenTelemetry, off until ``tracing.url`` is set: one a report, from the frame or the
call to the websocket.

A report's trace and its spans have ids that follow from the report's id. So each process records
its own stage of the way when that is over, and nothing has to be handed along: not through the
spool, the bus, the database or the log, and not for reports that came before tracing was turned
on. Which share of the reports is traced follows from the id too, so that all processes agree.

Life: `tracing` opens it as long as a role runs; spans wait in a bounded queue and are sent by a
thread, and a collector that is away costs the oldest of them and nothing else.
"""

from __future__ import annotations

import hashlib
import importlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import structlog

from contracts import ReportId
from plumbing.settings import TracingSettings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUEUE = 8_192
"""Spans that wait to be sent; more than that are left out."""
SEND_WITHIN_S = 5


class TracingUnavailable(Exception):
    """Traces are asked for, and what sends them isn't installed."""


class Stage(StrEnum):
    """What happens to a report on its way; the name of a span."""

    FRAME = "frame"
    """From a picture's capture to the detection that was made of it: the root of its trace."""
    RECEIVE = "receive"
    """From the request to the commit of what came by it: the root where there is no frame."""
    SEND = "send"
    """From the detection to the bus's word that it has it on disk."""
    ACCEPT = "accept"
    """From the bus into the database."""
    FUSE = "fuse"
    """What incidents it makes, up to the commit."""
    TELL = "tell"
    """From that commit to the hand-over to the readers of the feed."""


_ROOTS = frozenset({Stage.FRAME, Stage.RECEIVE})


class _Sender(Protocol):
    def on_end(self, span: Any) -> None: ...
    def shutdown(self) -> None: ...


class _Recorder:
    """Makes spans of stages and hands them to the library's queue."""

    def __init__(self, sender: _Sender, resource: Any, share: float) -> None:
        self._sender = sender
        self._resource = resource
        self._below = int(share * 2**64)

    def record(
        self,
        report_id: ReportId,
        stage: Stage,
        start: datetime,
        end: datetime,
        attributes: dict[str, str | int],
    ) -> None:
        """Queue one span, if the report is among the share that is traced."""
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, TraceFlags

        trace_id = int(trace_id_of(report_id), 16)
        if trace_id >> 64 >= self._below:
            return

        def context(span_id: int) -> SpanContext:
            sampled = TraceFlags(TraceFlags.SAMPLED)
            return SpanContext(trace_id, span_id, is_remote=False, trace_flags=sampled)

        root = _number(f"{report_id}\nroot", 8)
        # A report is told of more than once; each span of one trace needs an id of its own.
        told = "" if stage is not Stage.TELL else f"{attributes.get('siaga.seq')}"
        own = root if stage in _ROOTS else _number(f"{report_id}\n{stage}\n{told}", 8)
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id is not None:
            attributes = {"siaga.request_id": str(request_id), **attributes}
        span = ReadableSpan(
            name=stage.value,
            context=context(own),
            parent=None if stage in _ROOTS else context(root),
            resource=self._resource,
            attributes={"siaga.report_id": str(report_id), **attributes},
            start_time=_nanoseconds(start),
            # A camera's clock may be ahead of ours; a span that ends before it starts is refused.
            end_time=_nanoseconds(max(start, end)),
        )
        self._sender.on_end(span)


_recorder: _Recorder | None = None
"""The process's, as its log is; none while tracing is off."""


@contextmanager
def tracing(settings: TracingSettings, role: str) -> Iterator[None]:
    """Record and send stages as long as the context lasts; nothing where no address is set.

    Raises:
        TracingUnavailable: the ``tracing`` extra isn't installed.
    """
    global _recorder
    if settings.url is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingUnavailable(
            "tracing.url is set, and what sends traces isn't installed: "
            "pip install 'siaga[tracing]', or leave tracing.url out"
        ) from error
    resource = Resource.create(
        {
            "service.name": "siaga",
            "service.instance.id": f"{role}@{socket.gethostname()}",
            "siaga.role": role,
        }
    )
    exporter = OTLPSpanExporter(endpoint=settings.url, timeout=SEND_WITHIN_S)
    sender: _Sender = BatchSpanProcessor(
        exporter, max_queue_size=QUEUE, schedule_delay_millis=1_000
    )
    _recorder = _Recorder(sender, resource, settings.share)
    try:
        yield
    finally:
        _recorder = None
        sender.shutdown()


def trace(
    report_id: ReportId, stage: Stage, start: datetime, end: datetime, **facts: str | int
) -> None:
    """Record that a stage of a report's way took from ``start`` to ``end``; may be called from any
    thread. ``facts`` become the span's attributes under ``siaga.``.
    """
    if _recorder is not None:
        attributes = {f"siaga.{name}": value for name, value in facts.items()}
        _recorder.record(report_id, stage, start, end, attributes)


def is_tracing() -> bool:
    """Whether stages are recorded at all."""
    return _recorder is not None


def is_installed() -> bool:
    """Whether what sends traces is there (the ``tracing`` extra)."""
    try:
        importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError:
        return False
    return True


def trace_id_of(report_id: ReportId) -> str:
    """A report's trace, as tracing systems write it: 32 hexadecimal digits."""
    return f"{_number(report_id, 16):032x}"


def _number(text: str, size_bytes: int) -> int:
    digest = hashlib.sha256(f"siaga trace {text}".encode()).digest()
    # Zero is no id.
    return int.from_bytes(digest[:size_bytes], "big") or 1


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
