"""The cameras in memory: readied at the start, right whichever way they are worked out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from api.camera_view import CameraView
from contracts import Camera, CameraId, CameraPose, LonLat, Polygon, from_json
from geo import visibility_polygon
from geo.projection import LocalProjection

CITY = LocalProjection(LonLat(106.992, -6.2383))


def camera(number: int) -> Camera:
    place = LonLat(106.95 + number * 0.01, -6.2)
    pose = CameraPose(
        position=place,
        height_m=8,
        bearing_deg=40.0 * number,
        tilt_deg=-15,
        hfov_deg=60,
        width_px=1280,
        height_px=720,
    )
    return Camera(
        id=CameraId(f"c{number}"),
        name=f"ATCS {number}",
        url="rtsp://camera.example/1",
        position=place,
        pose=pose,
    )


CAMERAS = [camera(number) for number in range(5)]


def register(fails: int = 0) -> tuple[Callable[[], Awaitable[list[Camera]]], list[int]]:
    """A register that can't be read the first times, and how often it was read since."""
    reads: list[int] = []

    async def read() -> list[Camera]:
        reads.append(1)
        if len(reads) <= fails:
            raise ConnectionError("the database is away")
        return CAMERAS

    return read, reads


async def test_is_readied_before_anybody_asks() -> None:
    read, reads = register()
    view = CameraView(read, CITY)
    await view.run()
    readied = len(reads)
    assert await view.index(exercise=False) is await view.index(exercise=False)
    assert len(reads) == readied


async def test_a_database_that_is_away_at_the_start_is_asked_again_by_who_needs_it() -> None:
    read, _ = register(fails=1)
    view = CameraView(read, CITY)
    await view.run()
    assert await view.index(exercise=False) is not None


async def test_a_field_of_view_is_the_same_in_the_citys_plane_as_in_its_own() -> None:
    read, _ = register()
    view = CameraView(read, CITY)
    await view.fields.work_out(CAMERAS)
    for one in CAMERAS:
        assert one.pose is not None
        alone = visibility_polygon(one.pose)
        assert alone is not None
        told = from_json(Polygon, view.fields.of(one))
        mine, its_own = CITY.plane(told), CITY.plane(alone)
        assert mine.symmetric_difference(its_own).area < 0.005 * its_own.area
