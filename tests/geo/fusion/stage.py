"""Two cameras that look at each other's ground, one without a pose, and what decisions come to."""

from __future__ import annotations

from collections.abc import Iterable

from contracts import (
    CameraId,
    CameraPose,
    Decision,
    Disc,
    Hazard,
    IncidentId,
    LonLat,
    Report,
    ReportId,
)
from geo import LocalProjection, PinholeCamera
from geo.fusion import Fusion
from tests.geo.builders import BEKASI, Reporter, pose

PROJECTION = LocalProjection(BEKASI)
NORTH = pose(bearing_deg=0.0)
CAMERAS: dict[CameraId, CameraPose | LonLat] = {
    CameraId("a"): NORTH,
    CameraId("b"): pose(position=PROJECTION.place(0.0, 90.0), bearing_deg=180.0),
    CameraId("bare"): PROJECTION.place(0.0, 45.0),
}


def pixel_of(camera: str, x: float, y: float) -> tuple[float, float]:
    given_pose = CAMERAS[CameraId(camera)]
    assert isinstance(given_pose, CameraPose)
    model = PinholeCamera.from_pose(given_pose, PROJECTION)
    pixels, visible = model.project([[x, y, 0.0]])  # type: ignore[arg-type]
    assert visible[0]
    return float(pixels[0][0]), float(pixels[0][1])


def feed(fusion: Fusion, reports: Iterable[Report]) -> list[Decision]:
    return [decision for report in reports for decision in fusion.add(report)]


def assigned(decisions: Iterable[Decision]) -> dict[ReportId, IncidentId]:
    """What a store that applies the decisions comes to."""
    found: dict[ReportId, IncidentId] = {}
    for decision in decisions:
        found |= dict.fromkeys(decision.estimate.report_ids, decision.incident_id)
    return found


def two_incidents_that_turn_out_one(fusion: Fusion, say: Reporter) -> tuple[IncidentId, Report]:
    """Two calls far apart, and the second caller's better position, beside the first."""
    feed(fusion, say.call("k1", (0, 0), Hazard.CRASH, radius_m=20))
    feed(fusion, say.call("k2", (1200, 0), Hazard.CRASH, radius_m=60, at_s=30))
    first, _ = fusion.incident_ids
    near = Disc(centre=PROJECTION.place(8, 5), radius_m=10)
    return first, say.fix("k2", near, at_s=45, number=2)
