"""Nouns as these tests need them, with the fields that matter given by name."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts import (
    AlarmLevel,
    Box,
    CallerFix,
    CallId,
    CallReport,
    Camera,
    CameraHealth,
    CameraId,
    CameraPose,
    CameraState,
    Decision,
    DecisionKind,
    Detection,
    Disc,
    Estimate,
    EvidenceId,
    FixMethod,
    Hazard,
    Incident,
    IncidentId,
    IncidentState,
    LonLat,
    Polygon,
    Region,
    ReportId,
    Sighting,
    TrackId,
)
from incidents.fusing.alarms import AlarmPolicy
from incidents.fusing.enrichment import Enrichment
from plumbing.settings import FusionSettings
from tests.support.store import START

CENTRE = LonLat(106.9920, -6.2383)
PLAIN = Enrichment(AlarmPolicy(FusionSettings()), lambda _: "Bekasi Timur", lambda *_: ())
"""An enrichment without areas and cameras."""


def call(number: int = 1, *, hazard: Hazard | None = Hazard.FIRE, **changes: object) -> CallReport:
    values: dict[str, object] = {
        "id": ReportId(f"report-call-{number}"),
        "call_id": CallId(f"call-{number}"),
        "hazard": hazard,
        "note": "asap tebal",
        "received_at": START,
    }
    return CallReport(**(values | changes))  # type: ignore[arg-type]


def fix(
    number: int = 1, *, call_number: int = 1, place: LonLat = CENTRE, **changes: object
) -> CallerFix:
    values: dict[str, object] = {
        "id": ReportId(f"report-fix-{number}"),
        "call_id": CallId(f"call-{call_number}"),
        "shape": Disc(centre=place, radius_m=30),
        "confidence": 0.68,
        "method": FixMethod.GNSS,
        "source": "aml",
        "positioned_at": START,
        "received_at": START,
    }
    return CallerFix(**(values | changes))  # type: ignore[arg-type]


def detection(number: int = 1, *, track: int = 1, camera: int = 1, **changes: object) -> Detection:
    at = START + timedelta(seconds=number / 10)
    values: dict[str, object] = {
        "id": ReportId(f"report-detection-{number}"),
        "camera_id": CameraId(f"camera-{camera}"),
        "track_id": TrackId(f"track-{track}"),
        "sighting": Sighting.FIRE,
        "box": Box(300, 200, 340, 260),
        "frame_width_px": 640,
        "frame_height_px": 360,
        "score": 0.7,
        "llr": 6.0,
        "captured_at": at,
        "received_at": at,
        "started_at": START,
        "model_version": "test",
    }
    return Detection(**(values | changes))  # type: ignore[arg-type]


def picture(number: int) -> EvidenceId:
    return EvidenceId(f"{number:064x}")


def camera(number: int = 1, **changes: object) -> Camera:
    """A camera 20 m south of the centre that looks north."""
    place = LonLat(CENTRE.lon, CENTRE.lat - 20 / 111_320)
    values: dict[str, object] = {
        "id": CameraId(f"camera-{number}"),
        "name": f"ATCS {number}",
        "url": f"rtsp://camera.example/{number}",
        "position": place,
        "pose": CameraPose(
            position=place,
            height_m=8,
            bearing_deg=0,
            tilt_deg=-20,
            hfov_deg=60,
            width_px=640,
            height_px=360,
        ),
    }
    return Camera(**(values | changes))  # type: ignore[arg-type]


def health(
    number: int = 1, state: CameraState = CameraState.LIVE, **changes: object
) -> CameraHealth:
    values: dict[str, object] = {
        "camera_id": CameraId(f"camera-{number}"),
        "state": state,
        "since": START,
        "worker": "worker-1",
    }
    return CameraHealth(**(values | changes))  # type: ignore[arg-type]


def region(place: LonLat, half_deg: float, confidence: float) -> Region:
    west, east = place.lon - half_deg, place.lon + half_deg
    south, north = place.lat - half_deg, place.lat + half_deg
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return Region(area=Polygon((ring,)), confidence=confidence)


def estimate(*report_ids: str, place: LonLat = CENTRE, **changes: object) -> Estimate:
    values: dict[str, object] = {
        "hazard": Hazard.FIRE,
        "hazard_probabilities": ((Hazard.FIRE, 1.0),),
        "probability": 0.9,
        "location": place,
        "region50": region(place, 1e-4, 0.5),
        "region90": region(place, 2e-4, 0.9),
        "contributions": (),
        "report_ids": tuple(ReportId(one) for one in report_ids),
        "camera_ids": (),
        "call_ids": (),
        "started_at": START,
        "last_report_at": START,
    }
    return Estimate(**(values | changes))  # type: ignore[arg-type]


def found(incident_id: str, *report_ids: str, **changes: object) -> Decision:
    return decide(DecisionKind.FOUND, incident_id, *report_ids, **changes)


def updated(incident_id: str, *report_ids: str, **changes: object) -> Decision:
    return decide(DecisionKind.UPDATE, incident_id, *report_ids, **changes)


def decide(
    kind: DecisionKind,
    incident_id: str,
    *report_ids: str,
    other: str | None = None,
    **changes: object,
) -> Decision:
    return Decision(
        kind=kind,
        incident_id=IncidentId(incident_id),
        estimate=estimate(*report_ids, **changes),  # type: ignore[arg-type]
        other_id=None if other is None else IncidentId(other),
    )


def incident(
    state: IncidentState = IncidentState.DETECTED, at: datetime = START, **changes: object
) -> Incident:
    values: dict[str, object] = {
        "id": IncidentId("incident-1"),
        "version": 1,
        "state": state,
        "level": AlarmLevel.ALARM,
        "priority": 1,
        "estimate": estimate("report-call-1"),
        "created_at": at,
        "updated_at": at,
    }
    return Incident(**(values | changes))  # type: ignore[arg-type]
