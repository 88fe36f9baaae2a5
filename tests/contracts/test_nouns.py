"""Every noun survives its JSON form, and refuses what breaks its laws in words that help."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import (
    Box,
    CallerFix,
    Camera,
    ContractError,
    Detection,
    FixMethod,
    Hazard,
    LonLat,
    Polygon,
    Report,
    Sighting,
    evidence_key,
    from_json,
    from_plain,
    to_json,
    to_plain,
)
from tests.support import nouns

EVERY_NOUN = {
    "camera": nouns.cameras,
    "health": nouns.healths,
    "source": nouns.sources,
    "fix": nouns.fixes,
    "call": nouns.calls,
    "detection": nouns.detections,
    "report": nouns.reports,
    "incident": nouns.incidents,
    "log entry": nouns.log_entries,
}


@pytest.mark.parametrize("name", EVERY_NOUN)
@given(data=st.data())
def test_json_form_round_trips(name: str, data: st.DataObject) -> None:
    noun: Any = data.draw(EVERY_NOUN[name])
    assert from_json(type(noun), to_json(noun)) == noun
    assert from_plain(type(noun), to_plain(noun)) == noun


@given(nouns.reports)
def test_report_keeps_its_body_kind(report: Report) -> None:
    again = from_json(Report, to_json(report))
    assert type(again.body) is type(report.body)
    assert again.kind is report.kind


@given(st.floats(90.001, 180), st.floats(-90, 90))
def test_swapped_pair_is_named(lat: float, lon: float) -> None:
    with pytest.raises(ContractError, match="swapped") as caught:
        LonLat(lon, lat)
    assert caught.value.field == "lat"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 181, -181])
def test_impossible_longitude_is_refused(bad: float) -> None:
    with pytest.raises(ContractError, match="lon"):
        LonLat(bad, 0)


def test_error_names_the_deep_field() -> None:
    plain = {
        "id": "fix-1",
        "call_id": "call-1",
        "shape": {"type": "disc", "centre": {"lon": -6.2, "lat": 107}, "radius_m": 20},
        "confidence": 0.68,
        "method": FixMethod.GNSS,
        "source": "aml",
        "positioned_at": "2026-01-01T00:00:00Z",
        "received_at": "2026-01-01T00:00:00Z",
    }
    with pytest.raises(ContractError, match="swapped") as caught:
        from_plain(CallerFix, plain)
    assert caught.value.field.endswith("centre.lat")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'{"lon": "east", "lat": 1}', b"\xff"])
def test_what_is_no_noun_is_refused(text: bytes) -> None:
    with pytest.raises(ContractError):
        from_json(LonLat, text)


@pytest.mark.parametrize("url", ["rtsp://admin:secret@10.0.0.1/x", "rtsp://admin@10.0.0.1/x"])
def test_camera_refuses_credentials_in_its_url(url: str) -> None:
    with pytest.raises(ContractError, match="apart") as caught:
        Camera(id="c", name="c", url=url, position=LonLat(0, 0))  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


def test_time_must_be_utc() -> None:
    jakarta = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=7)))
    with pytest.raises(ContractError, match="UTC"):
        _detection(captured_at=jakarta)
    with pytest.raises(ContractError, match="UTC"):
        _detection(captured_at=datetime(2026, 1, 1))  # noqa: DTZ001 -- the point of the test


def test_ring_must_close() -> None:
    with pytest.raises(ContractError, match="end where it starts"):
        Polygon((((0, 0), (1, 0), (1, 1), (0, 1)),))


@pytest.mark.parametrize("box", [(5, 0, 5, 9), (6, 0, 5, 9), (0, 9, 5, 9), (0, 0, math.nan, 1)])
def test_box_must_have_an_area(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ContractError):
        Box(*box)


def test_one_track_is_one_cause_and_one_call_is_one_cause() -> None:
    assert evidence_key(_detection(id="a")) == evidence_key(_detection(id="b"))
    assert evidence_key(_detection()) != evidence_key(_detection(track_id="other"))


def test_smoke_speaks_for_fire() -> None:
    assert Sighting.SMOKE.hazard is Hazard.FIRE
    assert {sighting.hazard for sighting in Sighting} == {Hazard.FIRE, Hazard.CRASH, Hazard.FLOOD}


def _detection(**changes: Any) -> Detection:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    fields: dict[str, Any] = {
        "id": "d",
        "camera_id": "cam",
        "track_id": "7",
        "sighting": Sighting.FIRE,
        "box": Box(0, 0, 10, 10),
        "frame_width_px": 640,
        "frame_height_px": 360,
        "score": 0.9,
        "llr": 4.0,
        "captured_at": now,
        "received_at": now,
        "started_at": now,
        "model_version": "test",
    }
    return Detection(**{**fields, **changes})


def test_a_number_beyond_all_floats_is_refused() -> None:
    with pytest.raises(ContractError, match="finite"):
        _detection(frame_width_px=10**400)
