"""Poses, reports and strategies that the tests of this room share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from contracts import (
    Box,
    CallerFix,
    CallId,
    CallReport,
    CameraId,
    CameraPose,
    Detection,
    Disc,
    FixMethod,
    FixShape,
    Hazard,
    LonLat,
    Report,
    ReportBody,
    ReportId,
    Sequence,
    Sighting,
    TrackId,
)
from geo import LocalProjection

BEKASI = LonLat(106.992, -6.2383)
START = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)

few = settings(deadline=None, max_examples=25)
"""For laws whose every example is a small day of reports."""

centres = st.builds(
    LonLat,
    lon=st.floats(-180, 180),
    lat=st.floats(-85, 85),
)
offsets_m = st.tuples(st.floats(-20_000, 20_000), st.floats(-20_000, 20_000))


def pose(**changes: Any) -> CameraPose:
    """An ordinary street camera."""
    values: dict[str, Any] = {
        "position": BEKASI,
        "height_m": 8.0,
        "bearing_deg": 30.0,
        "tilt_deg": -15.0,
        "hfov_deg": 60.0,
        "width_px": 1920,
        "height_px": 1080,
    }
    return CameraPose(**(values | changes))


poses = st.builds(
    pose,
    position=centres,
    height_m=st.floats(3, 40),
    bearing_deg=st.floats(0, 360),
    tilt_deg=st.floats(-80, -5),
    roll_deg=st.floats(-10, 10),
    hfov_deg=st.floats(25, 100),
    k1=st.floats(-0.1, 0.1),
)


@dataclass
class Reporter:
    """Makes reports about a plane's places, numbered as the database would."""

    projection: LocalProjection = field(default_factory=lambda: LocalProjection(BEKASI))
    made: int = 0

    def report(self, body: ReportBody) -> Report:
        self.made += 1
        return Report(seq=Sequence(self.made), recorded_at=body.received_at, body=body)

    def call(
        self,
        name: str,
        xy: tuple[float, float] | None,
        hazard: Hazard | None = Hazard.FIRE,
        *,
        radius_m: float = 30.0,
        confidence: float = 0.9,
        at_s: float = 0.0,
        shape: FixShape | None = None,
        exercise: bool = False,
    ) -> list[Report]:
        """A call, and its position where ``xy`` or a shape is given."""
        at = START + timedelta(seconds=at_s)
        call = CallReport(
            id=ReportId(f"{name}/call"),
            call_id=CallId(name),
            hazard=hazard,
            note="",
            received_at=at,
            exercise=exercise,
        )
        found = [self.report(call)]
        if xy is not None:
            shape = Disc(centre=self.projection.place(*xy), radius_m=radius_m)
        if shape is not None:
            found.append(self.fix(name, shape, confidence=confidence, at_s=at_s, exercise=exercise))
        return found

    def fix(
        self,
        name: str,
        shape: FixShape,
        *,
        confidence: float = 0.9,
        at_s: float = 0.0,
        number: int = 1,
        exercise: bool = False,
    ) -> Report:
        at = START + timedelta(seconds=at_s)
        return self.report(
            CallerFix(
                id=ReportId(f"{name}/fix{number}"),
                call_id=CallId(name),
                shape=shape,
                confidence=confidence,
                method=FixMethod.GNSS,
                source="aml",
                positioned_at=at,
                received_at=at,
                exercise=exercise,
            )
        )

    def detection(
        self,
        camera: str,
        track: str,
        foot: tuple[float, float],
        sighting: Sighting = Sighting.FIRE,
        *,
        llr: float = 8.0,
        at_s: float = 0.0,
        since_s: float | None = None,
        number: int = 1,
        size_px: tuple[float, float] = (100.0, 80.0),
    ) -> Report:
        """A track whose box stands on the pixel ``foot`` of a 1920 x 1080 picture."""
        at = START + timedelta(seconds=at_s)
        u, v = foot
        width, height = size_px
        return self.report(
            Detection(
                id=ReportId(f"{camera}/{track}/{number}"),
                camera_id=CameraId(camera),
                track_id=TrackId(track),
                sighting=sighting,
                box=Box(u - width / 2, v - height, u + width / 2, v),
                frame_width_px=1920,
                frame_height_px=1080,
                score=0.8,
                llr=llr,
                captured_at=at,
                received_at=at,
                started_at=START + timedelta(seconds=at_s if since_s is None else since_s),
                model_version="test",
            )
        )
