"""A city's cameras, ready to be drawn."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from contracts import CameraPose
from geo.camera import PinholeCamera
from simulator.city import City
from simulator.scene.conditions import Conditions
from simulator.scene.fluid import FireLoop
from simulator.scene.view import CameraView, Stage

_TIMEZONE = ZoneInfo("Asia/Jakarta")


def stage_of(city: City, index: int, flames: FireLoop) -> Stage:
    """What the camera at an index sees, shared with the others of its junction but for its lens."""
    simulated = city.cameras[index]
    return Stage(
        place=city.places[simulated.place_index],
        script=city.script(simulated.place_index),
        loop=flames,
        timezone=_TIMEZONE,
        under=city.conditions_of(index),
        changes=city.changes_of(index),
    )


def view_of(
    city: City,
    index: int,
    flames: FireLoop,
    *,
    pose: CameraPose | None = None,
    under: Conditions | None = None,
    label: str | None = None,
) -> CameraView:
    """The camera at an index of the city's, from another pose or under other conditions on wish.

    Raises:
        ValueError: the camera has no pose.
    """
    camera = city.cameras[index].camera
    pose = pose or camera.pose
    if pose is None:
        raise ValueError(f"{camera.id} has no pose, so it can't be drawn")
    stage = stage_of(city, index, flames)
    if under is not None:
        stage = replace(stage, under=under, changes=())
    model = PinholeCamera.from_pose(pose, city.projection)
    return CameraView(model, stage, label or camera.name.upper(), city.seed * 1_000 + index)
