"""A training installation takes nothing for real, whatever its clients say."""

from __future__ import annotations

from pathlib import Path

from plumbing.bus import Bus
from tests.api.made import a_call, a_camera
from tests.support.api import api_settings, running_api


async def test_calls_and_cameras_of_a_training_installation_are_exercises(
    tmp_path: Path, bus: Bus
) -> None:
    async with (
        running_api(api_settings(tmp_path, exercise="true"), bus) as api,
        api.client() as client,
    ):
        assert (await client.get("/api/v1/config")).json()["exercise"] is True
        camera = (await client.post("/api/v1/cameras", json=a_camera())).json()["camera"]
        assert camera["exercise"] is True
        answer = (await client.post("/api/v1/calls", json=a_call(exercise=False))).json()
        assert answer["call"]["exercise"] is True
        assert answer["call"]["fixes"][0]["exercise"] is True
        assert [one["camera_id"] for one in answer["cameras"]] == [camera["id"]]
