from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from contracts import LonLat
from simulator.callers import SimulatedCall
from simulator.city import City
from simulator.masts import SimulatedCamera
from simulator.scenario import Scenario
from simulator.scene.fluid import FireLoop
from simulator.serve import CityServer
from simulator.videos import VideoCity
from simulator.views import view_of
from tests.simulator.rtsp.clients import Seen, watch
from tests.simulator.scene.conftest import loop
from tests.support.rtsp import small_video

__all__ = ["loop"]

CENTRE = LonLat(106.992, -6.2383)


async def test_the_demonstration_is_seen_to_burn() -> None:
    async with CityServer(burning_city(1.5)) as server:
        (camera,) = server.cameras
        assert camera.url == f"rtsp://127.0.0.1:{server.port}/melati-barat"
        quiet: list[Seen] = await asyncio.to_thread(watch, camera.url, 3, read_s=15)
        assert quiet[-1].rgb.shape == (720, 1280, 3)
        assert quiet[-1].captured_at is not None
        lag = (quiet[-1].received_at - quiet[-1].captured_at).total_seconds()
        assert -0.05 < lag < 5
        await server.timeline.sleep_until(1.5 + 6)
        # A new reader's first pictures are as old as the latest keyframe.
        burning = await asyncio.to_thread(watch, camera.url, 11, read_s=15)
        assert flames(burning[-1].rgb) > flames(quiet[-1].rgb) + 150


class Callers:
    """A city without cameras, in which people call soon."""

    cameras: ClassVar[list[SimulatedCamera]] = []

    def calls(self) -> Iterator[SimulatedCall]:
        call = next(City.demo(1, 1, CENTRE).calls())
        return iter([replace(call, after_s=0.3), replace(call, after_s=0.6)])

    def background_geojson(self) -> dict[str, Any]:
        return {}


async def test_calls_come_when_their_time_has_come() -> None:
    async with CityServer(Callers()) as server:
        came = [(call.after_s, server.timeline.elapsed_s()) async for call in server.calls()]
    assert [due for due, _ in came] == [0.3, 0.6]
    assert all(due <= at < due + 2 for due, at in came)


def flames(rgb: np.ndarray) -> int:
    """Pixels that glow as nothing else in the scene does."""
    red, green, blue = (rgb[..., i].astype(int) for i in range(3))
    return int(((red > 170) & (green > 60) & (red - blue > 80)).sum())


async def test_videos_are_served_as_they_are(tmp_path: Path) -> None:
    small_video(tmp_path / "a.mp4")
    small_video(tmp_path / "b.mp4", width_px=320)
    async with CityServer(VideoCity.from_folder(tmp_path, CENTRE)) as server:
        seen = [await asyncio.to_thread(watch, camera.url, 2) for camera in server.cameras]
        shapes = [pictures[0].rgb.shape for pictures in seen]
        assert shapes == [(90, 160, 3), (180, 320, 3)]
        assert [call async for call in server.calls()] == []


def test_a_city_has_no_time_before_it_is_served() -> None:
    with pytest.raises(RuntimeError, match="enter the server's context"):
        _ = CityServer(City.demo(1, 1, CENTRE)).timeline


def test_a_view_is_the_same_for_the_same_time_and_tells_the_truth(loop: FireLoop) -> None:
    city = burning_city(12.0, cameras=2)
    view, twin = view_of(city, 1, loop), view_of(city, 1, loop)
    wall = datetime(2026, 11, 22, 3, tzinfo=UTC)
    first = view.shoot(47.0, wall, truth=True)
    assert np.array_equal(first.picture, twin.shoot(47.0, wall).picture)
    # What stands is kept as a stamp, whose edges are rounded once more.
    for again in (view.shoot(47.0, wall, truth=True), view.shoot(47.0, wall, truth=True)):
        difference = np.abs(first.picture.astype(int) - again.picture)
        assert difference.max() <= 8
        assert difference.mean() < 0.02
        assert np.array_equal(first.seen["fire-1"].mask, again.seen["fire-1"].mask)
    assert not np.array_equal(first.picture, view.shoot(47.2, wall).picture)
    box = first.seen["fire-1"].box
    inside = first.picture[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
    assert flames(inside) > 0.6 * flames(first.picture)
    assert view.shoot(11, wall, truth=True).seen == {}


def burning_city(starts_s: float, cameras: int = 1) -> City:
    fire = {"kind": "fire", "at": {"a": 9.5, "b": 9.7}, "starts_s": starts_s, "lasts_s": 90}
    plain = {"name": "uji", "title": "Uji", "seconds": 120, "cameras": cameras, "events": [fire]}
    return City.of(Scenario.model_validate({**plain, "seed": 1, "map": {"junctions": 1}}), CENTRE)
