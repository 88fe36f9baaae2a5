"""A training installation takes nothing for real, whatever its clients say."""

from __future__ import annotations

from pathlib import Path

from plumbing.bus import Bus
from tests.api.made import a_camera
from tests.support.api import api_settings, running_api

PLACE = {"lon": 106.992, "lat": -6.2383}


async def test_calls_and_cameras_are_marked_where_the_installation_is(
    tmp_path: Path, bus: Bus
) -> None:
    settings = api_settings(tmp_path, exercise=True)
    async with running_api(settings, bus) as api, api.client() as client:
        call = await client.post(
            "/api/v1/calls",
            json={"hazard": "fire", "location": {**PLACE, "radius_m": 20}, "exercise": False},
        )
        camera = await client.post("/api/v1/cameras", json=a_camera())
        config = await client.get("/api/v1/config")
    assert call.json()["call"]["exercise"] is True
    assert call.json()["call"]["fixes"][0]["exercise"] is True
    assert camera.json()["camera"]["exercise"] is True
    assert config.json()["exercise"] is True
