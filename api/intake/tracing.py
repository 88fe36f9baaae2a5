"""The root of a report's trace where it came by a request (`plumbing.tracing`)."""

from __future__ import annotations

from collections.abc import Iterable

from contracts import CallId, ReportBody
from plumbing.clock import Clock
from plumbing.tracing import Stage, is_tracing, trace


def trace_received(clock: Clock, bodies: Iterable[ReportBody], call_id: CallId | None) -> None:
    """Reports that a request brought are committed."""
    for body in bodies if is_tracing() else ():
        facts = {} if call_id is None else {"call_id": str(call_id)}
        trace(body.id, Stage.RECEIVE, body.received_at, clock.now(), **facts)
