from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from siaga.cli import app
from siaga.commands.calibrate import read_camera
from siaga.failures import Failure

CAMERA: dict[str, Any] = {
    "width_px": 1920,
    "height_px": 1080,
    "position": {"lon": 106.99, "lat": -6.23},
    "height_m": 8,
    "bearing_deg": 30,
    "tilt_deg": -15,
    "hfov_deg": 60,
    "project": [{"u": 960, "v": 700}, {"u": 960, "v": 5}],
}


def run(tmp_path: Path, **changes: Any) -> Any:
    file = tmp_path / "camera.json"
    file.write_text(json.dumps(CAMERA | changes))
    result = CliRunner().invoke(app, ["calibrate", str(file), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_metadata_alone_places_a_pixel(tmp_path: Path) -> None:
    answer = run(tmp_path)
    ground, sky = answer["projected"]
    assert ground["bearing_deg"] == pytest.approx(30, abs=0.01)
    assert ground["range_m"] == pytest.approx(1 / ground["rho"])
    assert ground["region95"]["type"] == "Polygon"
    assert len(answer["covariance"]) == 8
    assert answer["pose"]["bearing_sigma_deg"] == pytest.approx(4)
    assert sky["rho"] < 0 and sky["rho_sigma"] > 0
    assert sky["lon"] is sky["lat"] is sky["range_m"] is sky["region95"] is None


def test_clicks_sharpen_the_pose(tmp_path: Path) -> None:
    horizon = [{"u": 300, "v": 95, "sigma_px": 2}, {"u": 1500, "v": 95}]
    answer = run(tmp_path, horizon=horizon)
    assert answer["pose"]["tilt_sigma_deg"] < 1.9
    assert answer["pose"]["roll_sigma_deg"] < 0.3


def test_a_point_has_a_residual(tmp_path: Path) -> None:
    points = [{"u": 960, "v": 540, "lon": 106.9901349, "lat": -6.2297662}]
    assert len(run(tmp_path, points=points)["residuals_px"]) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"position": {"lon": -6.23, "lat": 106.99}}, "position.lat.*swapped"),
        ({"tilt": -15}, "tilt: Extra"),
        ({"height_m": 0}, "height_m"),
        ({"points": [{"u": 1, "v": 1, "lon": -6.23, "lat": 6.99}]}, r"points\[0\].*swapped"),
        ({"hfov_deg": float("nan")}, "hfov_deg|JSON"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Failure, match=words):
        run(tmp_path, **changes)


def test_a_file_may_hold_more_than_a_person_clicks(tmp_path: Path) -> None:
    sky = [{"u": n, "v": 5} for n in range(1500)]
    assert len(run(tmp_path, project=sky)["projected"]) == 1500


def test_a_file_of_an_editor_that_marks_its_text_is_read(tmp_path: Path) -> None:
    file = tmp_path / "camera.json"
    file.write_text(json.dumps(CAMERA), encoding="utf-8-sig")
    assert read_camera(file).height_m == 8
