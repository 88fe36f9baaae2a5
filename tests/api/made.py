"""Bodies and incidents as these tests need them."""

from __future__ import annotations

from typing import Any

from contracts import (
    CallId,
    CallReport,
    Decision,
    DecisionKind,
    Estimate,
    Hazard,
    Incident,
    IncidentId,
    LonLat,
    Polygon,
    Region,
    ReportId,
)
from incidents.fusing.alarms import AlarmPolicy
from incidents.fusing.decisions import Outcome
from incidents.fusing.enrichment import Enrichment
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.ids import new_id
from plumbing.settings import FusionSettings

LON, LAT = 106.9920, -6.2383
PLAIN = Enrichment(AlarmPolicy(FusionSettings()), lambda _: "Bekasi Timur", lambda *_: ())


def a_call(**changes: Any) -> dict[str, Any]:
    """A fire, called in from the city's centre."""
    return {
        "hazard": "fire",
        "note": "asap tebal",
        "location": {"lon": LON, "lat": LAT, "radius_m": 20, "confidence": 0.9},
        "method": "manual",
    } | changes


def a_pose(**changes: Any) -> dict[str, Any]:
    return {
        "position": {"lon": LON, "lat": LAT - 40 / 111_320},
        "height_m": 8,
        "bearing_deg": 0,
        "tilt_deg": -15,
        "hfov_deg": 60,
        "width_px": 1280,
        "height_px": 720,
    } | changes


def a_camera(**changes: Any) -> dict[str, Any]:
    """A camera 40 m south of the centre that looks north."""
    return {
        "name": "Simpang Bulan-Bulan",
        "url": "rtsp://127.0.0.1:8554/one",
        "position": {"lon": LON, "lat": LAT - 40 / 111_320},
        "pose": a_pose(),
    } | changes


def a_detection(camera_id: str, **changes: Any) -> dict[str, Any]:
    at = SystemClock().now().isoformat()
    return {
        "id": new_id("detection"),
        "camera_id": camera_id,
        "track_id": "track-1",
        "sighting": "fire",
        "box": {"x0": 300, "y0": 200, "x1": 340, "y1": 260},
        "frame_width_px": 1280,
        "frame_height_px": 720,
        "score": 0.7,
        "llr": 4.0,
        "captured_at": at,
        "received_at": at,
        "started_at": at,
        "model_version": "elsewhere-1",
    } | changes


async def found_incident(store: Store, probability: float = 0.9) -> Incident:
    """An incident as the fusion service founds it, of one call."""
    incident_id = IncidentId(new_id("incident"))
    now = SystemClock().now()
    report = CallReport(
        id=ReportId(new_id("report")),
        call_id=CallId(new_id("call")),
        hazard=Hazard.FIRE,
        note="",
        received_at=now,
    )
    (accepted,) = await store.reports.accept([report])
    estimate = Estimate(
        hazard=Hazard.FIRE,
        hazard_probabilities=((Hazard.FIRE, 1.0),),
        probability=probability,
        location=LonLat(LON, LAT),
        region50=_region(1e-4, 0.5),
        region90=_region(2e-4, 0.9),
        contributions=(),
        report_ids=(report.id,),
        camera_ids=(),
        call_ids=(report.call_id,),
        started_at=now,
        last_report_at=now,
    )
    decision = Decision(kind=DecisionKind.FOUND, incident_id=incident_id, estimate=estimate)
    await store.fusion.claim(1)
    await store.fusion.apply(
        [Outcome(accepted.report, (decision,))],
        fencing=1,
        known_seq=await store.log.last_seq(),
        enrichment=PLAIN,
    )
    return await store.incidents.get(incident_id)


def _region(half: float, confidence: float) -> Region:
    west, east, south, north = LON - half, LON + half, LAT - half, LAT + half
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return Region(area=Polygon((ring,)), confidence=confidence)
