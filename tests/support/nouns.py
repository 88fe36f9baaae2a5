"""Hypothesis strategies for the nouns, lawful by construction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from contracts import (
    AlarmGroup,
    AlarmLevel,
    Assignment,
    AssignmentState,
    Attachment,
    Box,
    Call,
    CallerFix,
    CallReport,
    Camera,
    CameraHealth,
    CameraPose,
    CameraState,
    ClipState,
    Contribution,
    DeskLoad,
    Detection,
    Disc,
    Estimate,
    EvidenceClip,
    FixMethod,
    Handover,
    Hazard,
    Incident,
    IncidentState,
    KeyPicture,
    LogEntry,
    LogKind,
    LonLat,
    MultiPolygon,
    Note,
    Outline,
    Polygon,
    Region,
    Report,
    Sector,
    Shelf,
    Sighting,
    SourceKind,
    StreamSource,
    Unit,
    UnitState,
    subject_type,
)

ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=40)
words = st.text(max_size=60)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- Hypothesis adds the zone itself
positions = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
points = st.builds(LonLat, st.floats(-180, 180), st.floats(-90, 90))
rings = st.lists(positions, min_size=3, max_size=8).map(lambda ring: (*ring, ring[0]))
polygons = st.builds(Polygon, st.lists(rings, min_size=1, max_size=2).map(tuple))
areas = polygons | st.builds(
    MultiPolygon,
    st.lists(st.lists(rings, min_size=1, max_size=2).map(tuple), min_size=1, max_size=2).map(tuple),
)
probabilities = st.floats(0.01, 0.9999)
boxes = st.tuples(
    st.floats(0, 5000), st.floats(0, 5000), st.floats(1, 5000), st.floats(1, 5000)
).map(lambda v: Box(v[0], v[1], v[0] + v[2], v[1] + v[3]))

poses = st.builds(
    CameraPose,
    position=points,
    height_m=st.floats(1, 60),
    bearing_deg=st.floats(0, 360),
    tilt_deg=st.floats(-80, 10),
    hfov_deg=st.floats(20, 120),
    width_px=st.integers(160, 4000),
    height_px=st.integers(120, 4000),
    roll_deg=st.floats(-20, 20),
    k1=st.floats(-0.1, 0.5),
    range_m=st.floats(10, 2000),
)
cameras = st.builds(
    Camera,
    id=ids,
    name=ids,
    url=ids.map(lambda path: f"rtsp://camera.example/{path}"),
    position=points,
    pose=st.none() | poses,
    group=words,
    enabled=st.booleans(),
    exercise=st.booleans(),
    has_credentials=st.booleans(),
    any_certificate=st.booleans(),
    version=st.integers(1, 10**9),
)
healths = st.builds(
    CameraHealth,
    camera_id=ids,
    state=st.sampled_from(CameraState),
    since=times,
    detail=words,
    last_frame_at=st.none() | times,
    frames_per_s=st.none() | st.floats(0, 120),
)
sources = st.builds(
    StreamSource,
    camera_id=ids,
    url=ids,
    username=st.none() | words,
    sealed_password=st.none() | words,
    headers=st.lists(st.tuples(words, words), max_size=3).map(tuple),
    any_certificate=st.booleans(),
)
shapes = (
    st.builds(Disc, centre=points, radius_m=st.floats(0, 10_000))
    | st.builds(
        Sector,
        antenna=points,
        azimuth_deg=st.floats(0, 360),
        opening_deg=st.floats(1, 360),
        range_m=st.floats(1, 30_000),
    )
    | st.builds(Outline, area=areas)
)
fixes = st.builds(
    CallerFix,
    id=ids,
    call_id=ids,
    shape=shapes,
    confidence=probabilities,
    method=st.sampled_from(FixMethod),
    source=words,
    positioned_at=times,
    received_at=times,
    altitude_m=st.none() | st.floats(-100, 5000),
    raw=st.none() | words,
    exercise=st.booleans(),
)
call_reports = st.builds(
    CallReport,
    id=ids,
    call_id=ids,
    hazard=st.none() | st.sampled_from(Hazard),
    note=words,
    received_at=times,
    exercise=st.booleans(),
)
calls = st.builds(
    Call,
    id=ids,
    hazard=st.none() | st.sampled_from(Hazard),
    note=words,
    received_at=times,
    fixes=st.lists(fixes, max_size=3).map(tuple),
)
detections = st.builds(
    Detection,
    id=ids,
    camera_id=ids,
    track_id=ids,
    sighting=st.sampled_from(Sighting),
    box=boxes,
    frame_width_px=st.integers(16, 4000),
    frame_height_px=st.integers(16, 4000),
    score=st.floats(0, 1),
    llr=st.floats(-50, 50),
    captured_at=times,
    received_at=times,
    started_at=times,
    model_version=words,
    picture_id=st.none() | ids,
    exercise=st.booleans(),
)
reports = st.builds(
    Report,
    seq=st.integers(1, 10**12),
    recorded_at=times,
    body=call_reports | fixes | detections,
)
regions = st.builds(Region, area=areas, confidence=probabilities)
contributions = st.builds(
    Contribution,
    source=st.sampled_from(SourceKind),
    source_id=words,
    log_odds=st.floats(-50, 50),
    distance_m=st.none() | st.floats(0, 10_000),
)
estimates = st.builds(
    Estimate,
    hazard=st.sampled_from(Hazard),
    hazard_probabilities=st.just(((Hazard.FIRE, 0.75), (Hazard.OTHER, 0.25))),
    probability=st.floats(0, 1),
    location=points,
    region50=regions,
    region90=regions,
    contributions=st.lists(contributions, max_size=3).map(tuple),
    report_ids=st.lists(ids, max_size=3).map(tuple),
    camera_ids=st.lists(ids, max_size=3).map(tuple),
    call_ids=st.lists(ids, max_size=3).map(tuple),
    started_at=times,
    last_report_at=times,
    exercise=st.booleans(),
)
incidents = st.builds(
    Incident,
    id=ids,
    version=st.integers(1, 10**6),
    state=st.sampled_from(IncidentState),
    level=st.sampled_from(AlarmLevel),
    priority=st.integers(1, 4),
    estimate=estimates,
    created_at=times,
    updated_at=times,
    key_picture=st.none()
    | st.builds(
        KeyPicture,
        picture_id=ids,
        camera_id=ids,
        captured_at=times,
        width_px=st.integers(16, 4000),
        height_px=st.integers(16, 4000),
        box=boxes,
        sighting=ids,
        score=st.floats(0, 1),
    ),
    notes=st.lists(st.builds(Note, at=times, actor=ids, text=words), max_size=2).map(tuple),
    attachments=st.lists(
        st.builds(
            Attachment,
            evidence_id=ids,
            name=words,
            media_type=ids,
            size_bytes=st.integers(1, 10**9),
            at=times,
            actor=ids,
        ),
        max_size=2,
    ).map(tuple),
    agency_ids=st.lists(ids, max_size=2).map(tuple),
    assignments=st.lists(
        st.builds(
            Assignment,
            id=ids,
            agency_id=ids,
            unit_id=st.none() | ids,
            unit_name=words,
            state=st.sampled_from(AssignmentState),
            by=ids,
            dispatched_at=times,
        ),
        max_size=2,
    ).map(tuple),
)
units = st.builds(
    Unit,
    id=ids,
    agency_id=ids,
    name=ids,
    kind=words,
    state=st.sampled_from(UnitState),
    position=st.none(),
    positioned_at=st.none(),
) | st.builds(Unit, id=ids, agency_id=ids, name=ids, position=points, positioned_at=times)
shelves = st.builds(
    Shelf,
    id=ids,
    camera_id=st.none() | ids,
    hazard=st.sampled_from(Hazard),
    reason=ids,
    actor=ids,
    since=times,
    until=times,
)
handovers = st.builds(
    Handover, id=ids, at=times, actor=ids, text=ids, incident_ids=st.lists(ids).map(tuple)
)
alarm_groups = st.builds(
    AlarmGroup, hazard=st.sampled_from(Hazard), place_name=words, count=st.integers(1, 100)
)
desk_loads = st.builds(
    DeskLoad,
    at=times,
    alarms_last_ten_minutes=st.integers(0, 1_000),
    alarms_last_hour=st.integers(0, 1_000),
    budget_per_hour=st.floats(0.1, 1_000),
    odds_factor=st.floats(1, 1_000),
    odds_bound=st.floats(1, 1_000),
    flood_since=st.none() | times,
    groups=st.lists(alarm_groups, max_size=3).map(tuple),
    chattering=st.lists(alarm_groups, max_size=3).map(tuple),
)
clips = st.builds(
    lambda since, length, **values: EvidenceClip(since=since, until=since + length, **values),
    since=times,
    length=st.timedeltas(timedelta(seconds=1), timedelta(hours=1)),
    id=ids,
    incident_id=ids,
    camera_id=ids,
    state=st.sampled_from(ClipState),
    requested_at=times,
    updated_at=times,
    parts=st.just(()),
    detail=words,
    exercise=st.booleans(),
)
_SUBJECTS = {
    "EvidenceClip": clips,
    "Incident": incidents,
    "Camera": cameras,
    "CameraHealth": healths,
    "Call": calls,
    "Unit": units,
    "Shelf": shelves,
    "Handover": handovers,
    "DeskLoad": desk_loads,
}
log_entries = st.sampled_from(LogKind).flatmap(
    lambda kind: st.builds(
        LogEntry,
        seq=st.integers(1, 10**12),
        recorded_at=times,
        kind=st.just(kind),
        subject_id=ids,
        actor=ids,
        exercise=st.booleans(),
        subject=_SUBJECTS[subject_type(kind).__name__],
        detail=words,
    )
)
