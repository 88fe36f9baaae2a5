"""One report, one trace: from the request or the bus through fusion to the feed's readers."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest
from websockets.asyncio.client import connect

from contracts import ReportId, from_plain
from contracts.detections import Detection
from incidents.people.accounts import Role
from plumbing.bus import DETECTIONS, Bus
from plumbing.ids import new_id
from plumbing.settings import TracingSettings
from plumbing.tracing import Stage, TracingUnavailable, is_tracing, trace, trace_id_of, tracing
from tests.api.made import a_call, a_camera, a_detection
from tests.incidents.running import decided, leading, now, running, until
from tests.support.api import RunningApi
from tests.support.collector import collecting


async def test_a_call_is_one_trace_from_the_request_to_the_websocket(
    own_api: RunningApi, bus: Bus
) -> None:
    with collecting() as collector, tracing(TracingSettings(url=collector.url), "test"):
        async with (
            running(own_api.store, bus, own_api.settings) as fusion,
            own_api.client(Role.DISPATCH) as client,
            connect(own_api.feed_url, additional_headers=own_api.headers()) as feed,
        ):
            await leading(fusion)
            await feed.recv()
            answer = await client.post(
                "/api/v1/calls", json=a_call(), headers={"X-Request-Id": "cad-2026-11-22-0007"}
            )
            fix = answer.json()["call"]["fixes"][0]["id"]

            async def told() -> bool:
                change = json.loads(await feed.recv())
                changes = change.get("items", [change])
                return any(
                    fix in one["subject"].get("estimate", {}).get("report_ids", ())
                    for one in changes
                )

            await until(told)
    spans = collector.traces()[trace_id_of(ReportId(fix))]
    assert set(spans) == {Stage.RECEIVE, Stage.FUSE, Stage.TELL}
    root = spans[Stage.RECEIVE][0]
    assert root.parent_id == ""
    # The dispatch system's own id, which is in our log lines and in our answer, is in the trace.
    assert root.facts["siaga.request_id"] == "cad-2026-11-22-0007"
    assert root.facts["siaga.report_id"] == fix
    for name in (Stage.FUSE, Stage.TELL):
        for span in spans[name]:
            assert span.parent_id == root.span_id
            assert span.start_ns <= span.end_ns
    incident_ids = str(spans[Stage.FUSE][0].facts["siaga.incident_ids"]).split()
    assert {one.facts["siaga.subject_id"] for one in spans[Stage.TELL]} >= set(incident_ids)
    assert any(one.facts["siaga.readers"] == 1 for one in spans[Stage.TELL])
    ids = [span.span_id for group in spans.values() for span in group]
    assert len(ids) == len(set(ids))


async def test_a_detection_of_the_bus_goes_on_in_the_trace_its_worker_began(
    own_api: RunningApi, bus: Bus
) -> None:
    async with own_api.client() as client:
        camera = (await client.post("/api/v1/cameras", json=a_camera())).json()["camera"]["id"]
    detection = from_plain(Detection, a_detection(camera))
    with collecting() as collector, tracing(TracingSettings(url=collector.url), "test"):
        # As the worker says it, when the detection is in its spool and when the bus has it.
        trace(detection.id, Stage.FRAME, detection.captured_at, now(), camera_id=camera)
        trace(detection.id, Stage.SEND, now(), now())
        async with running(own_api.store, bus, own_api.settings) as fusion:
            await leading(fusion)
            await bus.publish_all(DETECTIONS, [detection, detection])
            await decided(fusion, 1)
    spans = collector.traces()[trace_id_of(detection.id)]
    assert set(spans) >= {Stage.FRAME, Stage.SEND, Stage.ACCEPT, Stage.FUSE}
    assert len(spans[Stage.ACCEPT]) == 1, "what comes twice is accepted once"
    assert {one.parent_id for one in spans[Stage.FUSE]} == {spans[Stage.FRAME][0].span_id}


def test_a_share_is_the_same_reports_in_every_process() -> None:
    ids = [ReportId(new_id("report")) for _ in range(300)]
    kept: dict[str, set[object]] = {}
    with collecting() as collector:
        for role in ("worker-1", "api"):
            with tracing(TracingSettings(url=collector.url, share=0.3), role):
                for report_id in ids:
                    trace(report_id, Stage.FUSE, now(), now())
        for span in collector.spans:
            kept.setdefault(span.role, set()).add(span.facts["siaga.report_id"])
    assert kept["worker-1"] == kept["api"]
    assert 40 < len(kept["api"]) < 140


def test_it_is_off_until_it_has_an_address_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tracing(TracingSettings(), "api"):
        assert not is_tracing()
        trace(ReportId("r"), Stage.FUSE, now(), now())
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with (
        pytest.raises(TracingUnavailable, match=r"pip install 'siaga\[tracing\]'"),
        tracing(TracingSettings(url="http://127.0.0.1:1/v1/traces"), "api"),
    ):
        pass


async def test_a_collector_that_is_away_costs_no_call(
    own_api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "opentelemetry")
    with tracing(TracingSettings(url="http://127.0.0.1:9/v1/traces"), "api"):
        async with own_api.client() as client:
            for _ in range(3):
                assert (await client.post("/api/v1/calls", json=a_call())).status_code == 201


def test_log_lines_of_a_report_name_its_trace() -> None:
    program = """
from plumbing.logs import configure_logging, get_logger
from plumbing.settings import TracingSettings
from plumbing.tracing import tracing
configure_logging("debug", "json", "fusion")
log = get_logger("fusion")
log.debug("decided", report_id="report-1")
with tracing(TracingSettings(url="http://127.0.0.1:9/v1/traces"), "fusion"):
    log.debug("decided", report_id="report-1")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    off, on = [json.loads(line) for line in done.stderr.splitlines()]
    assert "trace_id" not in off
    assert on["trace_id"] == trace_id_of(ReportId("report-1"))
