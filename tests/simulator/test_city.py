from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from contracts import LonLat
from geo.camera import PinholeCamera
from geo.projection import distance_m
from simulator.city import City
from simulator.rtsp import UnplayableVideoError
from simulator.videos import VideoCity
from tests.support.rtsp import small_video

CENTRE = LonLat(106.992, -6.2383)


@pytest.fixture(scope="module")
def city() -> City:
    return City.demo(6, 1, CENTRE)


def test_cameras_have_names_poses_and_places_of_their_own(city: City) -> None:
    cameras = [simulated.camera for simulated in city.cameras]
    assert len({camera.id for camera in cameras}) == len({s.path for s in city.cameras}) == 6
    assert all(camera.name.startswith("ATCS Simpang ") for camera in cameras)
    assert all(camera.exercise and camera.pose is not None for camera in cameras)
    assert all(distance_m(camera.position, CENTRE) < 3_000 for camera in cameras)


@pytest.mark.parametrize("cameras", [1, 2, 7, 60])
def test_any_number_of_cameras(cameras: int) -> None:
    assert len(City.demo(cameras, 3, CENTRE).cameras) == cameras


@pytest.mark.parametrize("cameras", [0, -1, 5_000])
def test_no_city_without_cameras_or_with_too_many(cameras: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000 cameras"):
        City.demo(cameras, 1, CENTRE)


def test_rounds_repeat_what_happens_under_names_of_their_own(city: City) -> None:
    first, second = city.round_of_events(0), city.round_of_events(1)
    assert first[0].starts_s <= 15
    assert {event.id for event in first}.isdisjoint(event.id for event in second)
    for earlier, later in zip(first, second, strict=True):
        assert later.starts_s - earlier.starts_s == city.scenario.seconds
        assert later.at == earlier.at
    assert len(city.events(2 * city.scenario.seconds)) == 2 * len(first)


def test_what_can_be_seen_is_seen_by_a_camera_of_its_junction(city: City) -> None:
    for event in city.round_of_events(0):
        if not event.is_seen or event.place_index > 2:
            continue
        place = city.places[event.place_index]
        foot = place.to_plane(np.array([(event.a, event.b, 0.5)]))
        seen = 0
        for index, simulated in enumerate(city.cameras):
            pose = simulated.camera.pose
            if pose is None or city.places[city.cameras[index].place_index] is not place:
                continue
            camera = PinholeCamera.from_pose(pose, city.projection)
            (u, v), visible = camera.project(foot)[0][0], camera.project(foot)[1][0]
            seen += bool(visible and 60 < u < pose.width_px - 60 and v > 100)
        assert seen >= 1, f"{event.id} is out of every picture"


def test_calls_come_in_order_and_again_the_same(city: City) -> None:
    calls = list(itertools.islice(city.calls(), 60))
    times = [call.after_s for call in calls]
    assert times == sorted(times)
    assert calls == list(itertools.islice(City.demo(6, 1, CENTRE).calls(), 60))
    assert calls != list(itertools.islice(City.demo(6, 2, CENTRE).calls(), 60))
    about_first = [call for call in calls if call.event_id == "fire-1"]
    assert about_first
    assert 15 < about_first[0].after_s < 90
    assert any(not call.event_id.startswith("fire") for call in calls)


def test_the_background_is_geojson_around_the_cameras(city: City) -> None:
    found = json.loads(json.dumps(city.background_geojson()))
    kinds = {feature["properties"]["kind"] for feature in found["features"]}
    assert kinds == {"block", "building", "road", "junction"}
    names = {f["properties"]["name"] for f in found["features"] if "name" in f["properties"]}
    assert {f"Simpang {place.name}" for place in city.places} < names
    assert sum(name.startswith("Jalan Raya ") for name in names) > 3
    for feature in found["features"]:
        if feature["geometry"]["type"] == "Polygon":
            ring = feature["geometry"]["coordinates"][0]
            assert ring[0] == ring[-1]
        lon, lat = np.array(json_positions(feature["geometry"]["coordinates"])).T
        assert (abs(lon - 106.992) < 0.05).all()
        assert (abs(lat + 6.2383) < 0.05).all()


def json_positions(nested: list) -> list:  # type: ignore[type-arg]
    if isinstance(nested[0], float):
        return [nested]
    return [position for inner in nested for position in json_positions(inner)]


def test_a_folder_of_videos_is_a_city(tmp_path: Path) -> None:
    small_video(tmp_path / "kebakaran malam.mp4")
    small_video(tmp_path / "b.ts", width_px=320)
    (tmp_path / "catatan.txt").write_text("bukan video")
    city = VideoCity.from_folder(tmp_path, CENTRE)
    assert [s.camera.name for s in city.cameras] == ["b", "kebakaran malam"]
    assert [s.path for s in city.cameras] == ["b", "kebakaran-malam"]
    pose = city.cameras[0].camera.pose
    assert pose is not None
    assert (pose.width_px, pose.height_px) == (320, 180)
    assert list(city.calls()) == []
    first, second = (s.camera.position for s in city.cameras)
    assert distance_m(first, second) > 300


def test_a_folder_that_cannot_be_one_says_why(tmp_path: Path) -> None:
    with pytest.raises(UnplayableVideoError, match="holds no video"):
        VideoCity.from_folder(tmp_path, CENTRE)
    with pytest.raises(UnplayableVideoError, match="can't be read"):
        VideoCity.from_folder(tmp_path / "nix", CENTRE)
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(UnplayableVideoError, match=r"a\.mp4.*no video that can be read"):
        VideoCity.from_folder(tmp_path, CENTRE)
