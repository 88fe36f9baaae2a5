"""What happens in the scene is where the camera model says, to half a pixel."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.scene.conditions import BRIGHT_DAY, DUSK
from simulator.scene.crashes import Crash, CrashShape
from simulator.scene.floods import Flood, shore_pixels
from simulator.scene.fluid import FireLoop
from simulator.scene.lanes import LANES
from simulator.scene.lookalikes import Decoy, LookAlike
from simulator.scene.masks import covered
from simulator.scene.people import Gathering, Pose, Walkers
from simulator.scene.place import Place
from simulator.scene.script import Jam, Script
from simulator.scene.traffic import Traffic
from simulator.scene.vehicles import HALF_WIDTH_M
from simulator.scene.view import CameraView, Shot, Stage
from tests.simulator.scene.stands import camera_at, empty_place

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
FLOOD = Flood("f", 4.0, 2.0, 12.0, 6.0, 0.4, starts_s=10, rises_s=20, lasts_s=100, seed=3)


def shot(loop: FireLoop, script: Script, at_s: float, place: Place | None = None) -> Shot:
    place = place or empty_place()
    camera = camera_at(place, -22, -10, 4, 4)
    stage = Stage(place, script, loop, ZoneInfo("UTC"), BRIGHT_DAY)
    return CameraView(camera, stage, "UJI", 1).shoot(at_s, AT, truth=True)


@settings(max_examples=25, deadline=None)
@given(
    a=st.floats(-6, 14),
    b=st.floats(-3, 12),
    reach=st.floats(2, 9),
    height_m=st.floats(5, 14),
    tilt_deg=st.floats(-24, -9),
    roll_deg=st.floats(-6, 6),
    hfov_deg=st.floats(40, 80),
)
def test_a_shore_is_seen_where_the_camera_model_puts_each_of_its_points(
    a: float,
    b: float,
    reach: float,
    height_m: float,
    tilt_deg: float,
    roll_deg: float,
    hfov_deg: float,
) -> None:
    place = empty_place()
    camera = camera_at(
        place, -24, -8, 4, 4, height_m=height_m, tilt_deg=tilt_deg, roll_deg=roll_deg,
        hfov_deg=hfov_deg, width_px=480,
    )  # fmt: skip
    flood = Flood("f", a, b, reach, reach / 2, 0.4, 0, 1, 100)
    shore = flood.shore(50.0)
    assert shore is not None
    plane = np.column_stack((place.to_plane(shore), np.zeros(len(shore))))
    expected, visible = camera.project(plane)
    if not visible.all():
        return
    pixels = shore_pixels(camera, place, shore)
    assert pixels is not None
    assert np.abs(pixels - expected).max() < 0.5
    # And so is the mask that is made of them: no rim of half a pixel too much or too little.
    mask = covered([pixels], (camera.height_px, camera.width_px), fine=2) > 127
    area = cv2.contourArea(expected.astype(np.float32))
    rim = cv2.arcLength(expected.astype(np.float32), closed=True)
    assert abs(np.count_nonzero(mask) - area) < 0.5 * rim


@settings(max_examples=8, deadline=None)
@given(a=st.floats(2, 16), shape=st.sampled_from([CrashShape.REAR_END, CrashShape.SIDE]))
def test_a_crash_is_seen_where_its_vehicles_stand(a: float, shape: CrashShape) -> None:
    crash = Crash("c", a, 5.1, 30.0, 200.0, shape, seed=2)
    place = empty_place()
    camera = camera_at(place, -22, -10, 6, 4)
    stage = Stage(place, Script(1, crashes=[crash], walkers=0, density=0.02), _loop(),
                  ZoneInfo("UTC"), BRIGHT_DAY)  # fmt: skip
    found = CameraView(camera, stage, "UJI", 1).shoot(60.0, AT, truth=True).seen["c"]
    corners = []
    for vehicle in crash.vehicles(60.0):
        half, wide = vehicle.kind.value / 2, HALF_WIDTH_M[vehicle.kind]
        cos, sin = math.cos(vehicle.turn_rad), math.sin(vehicle.turn_rad)
        for ahead, left in ((half, wide), (half, -wide), (-half, wide), (-half, -wide)):
            at = (vehicle.a + ahead * cos - left * sin, vehicle.b + ahead * sin + left * cos)
            corners += [(*at, up) for up in (0.0, 1.9)]
    pixels, visible = camera.project(place.to_plane(np.array(corners)))
    assert visible.all()
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    # The body lies within its bounds, and fills them but for roofs that are lower than 1.9 m.
    assert found.box.x0 > low[0] - 2
    assert found.box.x1 < high[0] + 2
    assert found.box.y1 < high[1] + 2
    assert found.box.x1 - found.box.x0 > 0.85 * (high[0] - low[0])


@cache
def _loop() -> FireLoop:
    from simulator.scene import fluid

    return fluid.simulate(1)


@pytest.mark.parametrize("shape", list(CrashShape))
def test_a_crash_approaches_hits_and_stands(shape: CrashShape) -> None:
    crash = Crash("c", 8.0, 5.1, 40.0, 60.0, shape)
    before, at_hit, after, later = (crash.vehicles(t) for t in (35.0, 40.0, 50.0, 80.0))
    assert before
    assert not any(vehicle.event_id for vehicle in before)
    assert len(at_hit) >= 2
    for one, same in zip(after, later, strict=True):
        assert math.hypot(one.a - same.a, one.b - same.b) < 0.02
        assert one.event_id == "c"
    middle = crash.middle()
    assert all(math.dist((v.a, v.b), middle) < 14 for v in later)
    assert crash.vehicles(101.0) == []


def test_the_others_queue_behind_a_crash_and_nobody_drives_through_it() -> None:
    crash = Crash("c", 6.0, 5.1, 60.0, 150.0, CrashShape.REAR_END)
    free = Traffic(3, period_s=240.0, offset_s=43.0)
    blocked = Traffic(3, crash.hindrances(), period_s=240.0, offset_s=43.0)
    lane = LANES[crash.lane]

    def waiting(traffic: Traffic, at_s: float) -> int:
        return sum(
            v.is_braking and v.turn_rad == lane.turn_rad and abs(v.b - lane.offset_m) < 0.5
            for v in traffic.at(at_s)
        )

    assert waiting(blocked, 160.0) > waiting(free, 160.0)
    wrecks = crash.vehicles(120.0)
    for second in range(62, 200, 4):
        for vehicle in blocked.at(float(second)):
            if vehicle.turn_rad == lane.turn_rad and abs(vehicle.b - lane.offset_m) < 0.5:
                for wreck in wrecks:
                    room = (vehicle.kind.value + wreck.kind.value) / 2
                    assert abs(vehicle.a - wreck.a) > room - 0.6


@given(st.floats(0, 200))
def test_water_is_between_dry_and_full_and_shallows_to_its_shore(at_s: float) -> None:
    assert 0 <= FLOOD.level_m(at_s) <= FLOOD.depth_m
    assert FLOOD.depth_at(FLOOD.a, FLOOD.b, at_s) == pytest.approx(FLOOD.level_m(at_s))
    assert FLOOD.depth_at(FLOOD.a + 40, FLOOD.b, at_s) == 0


def test_a_flood_rises_is_told_as_truth_and_recedes(loop: FireLoop) -> None:
    script = Script(1, floods=[FLOOD], walkers=0, density=0.02)
    early, full, late = (shot(loop, script, t).seen for t in (18.0, 60.0, 100.0))
    assert early["f"].mask.sum() < full["f"].mask.sum()
    assert late["f"].mask.sum() < full["f"].mask.sum()
    assert shot(loop, script, 5.0).seen == {}
    deep = Script(1, floods=[FLOOD], density=2.0).at(60.0)
    assert deep.vehicles


def test_people_walk_cross_at_red_and_gather() -> None:
    traffic = Traffic(1)
    walkers = Walkers(5, 12)
    crossing = [
        person
        for second in range(60)
        for person in walkers.at(float(second), traffic.may_walk)
        if abs(person.b) < 5
    ]
    assert crossing
    gathering = Gathering("g", 8.0, 5.0, 20.0, 120.0, count=6, lying=(9.0, 6.0))
    assert gathering.at(10.0) == []
    assert [person.pose for person in gathering.at(20.5)] == [Pose.LIES]
    stood = gathering.at(100.0)
    assert sum(person.pose is Pose.STANDS for person in stood) == 6
    assert all(math.dist((p.a, p.b), (8.0, 5.0)) < 12 for p in stood)


def test_slow_traffic_brakes_and_roadworks_close_a_lane() -> None:
    jam = Jam("j", -6.0, 5.1, 60.0, 100.0)
    slow = Script(2, jams=[jam], period_s=240.0).at(130.0)
    free = Script(2, period_s=240.0).at(130.0)
    assert sum(v.is_braking for v in slow.vehicles) > sum(v.is_braking for v in free.vehicles)
    works = Decoy("w", LookAlike.ROADWORKS, 14.0, 5.4, 10.0, 200.0)
    for vehicle in Script(2, decoys=[works], period_s=240.0).at(120.0).vehicles:
        in_lane = vehicle.turn_rad == 0 and abs(vehicle.b - 5.1) < 0.5
        assert not (in_lane and 6 < vehicle.a < 12)


@pytest.mark.parametrize("kind", list(LookAlike))
def test_a_look_alike_is_seen_and_is_no_truth(loop: FireLoop, kind: LookAlike) -> None:
    place = empty_place()
    camera = camera_at(place, -22, -10, 4, 4)
    decoy = Decoy("d", kind, 60.0 if kind is LookAlike.SUNSET else 8.0, 8.0, 10.0, 100.0, seed=1)

    def picture(decoys: list[Decoy]) -> np.ndarray:
        script = Script(1, decoys=decoys, walkers=0, density=0.02)
        stage = Stage(place, script, loop, ZoneInfo("UTC"), DUSK)
        taken = CameraView(camera, stage, "UJI", 1).shoot(55.3, AT, truth=True)
        assert taken.seen == {}
        return taken.picture.astype(int)

    assert np.abs(picture([decoy]) - picture([])).max() > 20
