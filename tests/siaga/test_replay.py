from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from siaga.cli import app
from siaga.failures import Failure

CAMERA = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [106.99, -6.23]},
    "properties": {
        "id": "cam",
        "height_m": 8,
        "bearing_deg": 0,
        "tilt_deg": -15,
        "roll_deg": 0,
        "hfov_deg": 60,
        "width_px": 1920,
        "height_px": 1080,
        "range_m": 150,
        "position_sigma_m": 1.0,
    },
}


def call(name: str, at: str, lon: float, lat: float, hazard: str | None = "fire") -> dict[str, Any]:
    location = {"lon": lon, "lat": lat, "radius_m": 30, "confidence": 0.9}
    return {"kind": "call", "id": name, "received_at": at, "hazard": hazard, "location": location}


def seen(name: str, at: str, track: str = "t", llr: float = 7.0) -> dict[str, Any]:
    return {
        "kind": "detection",
        "id": name,
        "camera_id": "cam",
        "track_id": track,
        "captured_at": at,
        "received_at": at,
        "hazard": "fire",
        "box": [900, 480, 1000, 560],
        "llr": llr,
    }


def run(
    tmp_path: Path,
    lines: list[dict[str, Any]] | bytes,
    *options: str,
    features: Sequence[Any] = (CAMERA,),
) -> Any:
    cameras, reports = tmp_path / "cameras.geojson", tmp_path / "reports.jsonl"
    cameras.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    if isinstance(lines, bytes):
        reports.write_bytes(lines)
    else:
        reports.write_text("\n".join(json.dumps(line) for line in lines))
    result = CliRunner().invoke(app, ["replay", str(cameras), str(reports), "--json", *options])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


LINES = [
    seen("d1", "2026-03-01T05:00:00Z"),
    seen("d2", "2026-03-01T05:00:05Z", llr=8.0),
    call("k1", "2026-03-01T05:01:00Z", 106.9902, -6.2297),
    call("k2", "2026-03-01T12:01:00+07:00", 107.02, -6.25, hazard=None),
]


def test_every_report_is_in_one_incident(tmp_path: Path) -> None:
    answer = run(tmp_path, LINES)
    fire, other = answer["incidents"]
    assert fire["reports"] == ["d1", "d2", "k1"] and other["reports"] == ["k2"]
    assert fire["hazard"] == "fire" and fire["probability"] > 0.95
    assert fire["created_at"] == "2026-03-01T05:00:00Z"
    assert fire["region90"]["type"] in ("Polygon", "MultiPolygon")
    assert other["location"]["lon"] == pytest.approx(107.02, abs=1e-3)
    assert set(answer["seconds"]) == {"p50", "p95", "p99", "total"}


def test_a_polygon_locates_a_call(tmp_path: Path) -> None:
    ring = [[106.99, -6.23], [106.992, -6.23], [106.992, -6.228], [106.99, -6.228], [106.99, -6.23]]
    line = call("k", "2026-03-01T05:01:00Z", 0, 0)
    line["location"] = {"polygon": {"type": "Polygon", "coordinates": [ring]}, "confidence": 0.95}
    (incident,) = run(tmp_path, [line])["incidents"]
    assert incident["location"]["lon"] == pytest.approx(106.991, abs=5e-4)


def test_configured_rates_count(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("fusion: {false_calls_per_km2_day: 50}\n")
    line = call("k", "2026-03-01T05:01:00Z", 106.99, -6.23)
    (sure,) = run(tmp_path, [line])["incidents"]
    (doubted,) = run(tmp_path, [line], "--config", str(config))["incidents"]
    assert doubted["probability"] < 0.1 < sure["probability"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"camera_id": "nobody"}, "line 1: camera 'nobody'"),
        ({"box": [10, 10, 5, 20]}, "line 1: .*right must exceed left"),
        ({"captured_at": "2026-03-01T05:00:00"}, "line 1: captured_at"),
        ({"hazard": "fires"}, "line 1: hazard"),
        ({"id": ""}, "line 1: id: .*must be a text"),
        ({"captured_at": "9999-12-31T23:59:59-07:00"}, "line 1: captured_at: .*calendar"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(Failure, match=words):
        run(tmp_path, [LINES[0] | change])


def test_a_swapped_caller_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"line 1: .*swapped"):
        run(tmp_path, [call("k", "2026-03-01T05:01:00Z", -6.23, 106.99)])


def test_a_location_without_its_radius_is_told_in_the_files_own_words(tmp_path: Path) -> None:
    line = call("k", "2026-03-01T05:01:00Z", 106.99, -6.23)
    del line["location"]["radius_m"]
    with pytest.raises(Failure, match=r"line 1: location\.radius_m: Field required"):
        run(tmp_path, [line])


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"reports\.jsonl: is no UTF-8 text"):
        run(tmp_path, bytes(range(256)))


@pytest.mark.parametrize(
    "change",
    [
        {"geometry": "here"},
        {"geometry": {"type": "Point", "coordinates": None}},
        {"geometry": {"type": "Point", "coordinates": 5}},
        {"properties": [1, 2]},
        {"properties": {"id": None}},
    ],
)
def test_a_camera_without_place_or_id_is_named(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(Failure, match=r"features\[0\]: must be a Point with the property id"):
        run(tmp_path, [], features=[CAMERA | change])


def test_two_cameras_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"features\[1\]: another camera is called 'cam'"):
        run(tmp_path, [], features=[CAMERA, CAMERA])


def test_ids_may_be_numbers_and_come_back_as_such(tmp_path: Path) -> None:
    numbered = CAMERA | {"properties": {**CAMERA["properties"], "id": 7}}
    line = seen("d", "2026-03-01T05:00:00Z") | {"id": 12, "camera_id": 7, "track_id": 3}
    (incident,) = run(tmp_path, [line], features=[numbered])["incidents"]
    assert incident["reports"] == [12]


def test_lines_out_of_order_are_taken_as_they_were_received(tmp_path: Path) -> None:
    def told(lines: list[dict[str, Any]]) -> Any:
        found = run(tmp_path, lines)["incidents"]
        return [{k: v for k, v in one.items() if k != "id"} for one in found]

    assert told(LINES[::-1]) == told(LINES)


def test_a_source_that_is_wholly_sure_is_nearly_believed(tmp_path: Path) -> None:
    ring = [[106.99, -6.23, 9], [106.992, -6.23, 9], [106.992, -6.228, 9], [106.99, -6.23, 9]]
    line = call("k", "2026-03-01T05:01:00Z", 0, 0)
    line["location"] = {"polygon": {"type": "Polygon", "coordinates": [ring]}, "confidence": 1}
    (incident,) = run(tmp_path, [line])["incidents"]
    assert incident["reports"] == ["k"]


def test_files_of_an_editor_that_marks_its_text_are_read(tmp_path: Path) -> None:
    line = json.dumps(call("k", "2026-03-01T05:01:00Z", 106.99, -6.23))
    (incident,) = run(tmp_path, b"\xef\xbb\xbf" + line.encode() + b"\r\n")["incidents"]
    assert incident["reports"] == ["k"]
