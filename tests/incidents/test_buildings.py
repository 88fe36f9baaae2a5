"""Configured buildings stand between cameras and what they would see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts import Camera, CameraId
from geo import LocalProjection
from incidents.fusing.mind import Mind
from plumbing.settings import CitySettings, FusionSettings, SettingsError
from tests.geo.builders import BEKASI, pose
from tests.geo.test_buildings import collection, feature

PROJECTION = LocalProjection(BEKASI)
CAMERA = Camera(
    id=CameraId("cam-1"), name="One", url="rtsp://one", position=BEKASI, pose=pose(bearing_deg=0)
)


def mind(buildings: Path | None) -> Mind:
    found = Mind(
        CitySettings(lon=BEKASI.lon, lat=BEKASI.lat, buildings=buildings), FusionSettings()
    )
    found.rebuild(None, [CAMERA])
    return found


def test_a_house_hides_what_is_behind_it(tmp_path: Path) -> None:
    from shapely import box

    file = tmp_path / "buildings.geojson"
    file.write_text(json.dumps(collection(feature(box(-30, 30, 30, 40), height=12))))
    behind = PROJECTION.place(0, 80)
    assert mind(None).cameras_seeing(behind, 5, False, 3) == (CAMERA.id,)
    assert mind(file).cameras_seeing(behind, 5, False, 3) == ()
    assert mind(file).cameras_seeing(PROJECTION.place(0, 25), 2, False, 3) == (CAMERA.id,)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"city\.buildings: can't read"):
        mind(tmp_path / "none.geojson")
    wrong = tmp_path / "wrong.geojson"
    wrong.write_text("[]")
    with pytest.raises(SettingsError, match=r"city\.buildings: .* holds no buildings"):
        mind(wrong)
