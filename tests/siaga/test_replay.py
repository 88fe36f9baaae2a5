from __future__ import annotations

import json
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


def run(tmp_path: Path, lines: list[dict[str, Any]], *options: str) -> Any:
    cameras, reports = tmp_path / "cameras.geojson", tmp_path / "reports.jsonl"
    cameras.write_text(json.dumps({"type": "FeatureCollection", "features": [CAMERA]}))
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
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(Failure, match=words):
        run(tmp_path, [LINES[0] | change])


def test_a_swapped_caller_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"line 1: .*swapped"):
        run(tmp_path, [call("k", "2026-03-01T05:01:00Z", -6.23, 106.99)])
