"""Where a junction's cameras hang, and how each looks down."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np

from contracts import Camera, CameraId, CameraPose
from geo.projection import LocalProjection
from simulator.scenario import CameraPlan, Scenario
from simulator.scene.place import Place

GROUP = "Simulasi"
_WIDTH_PX, _HEIGHT_PX = 1280, 720


@dataclass(frozen=True, slots=True)
class SimulatedCamera:
    """A camera and the path it is served at. Its URL has no port until a server serves it."""

    camera: Camera
    path: str
    place_index: int = 0
    dirt: float = 0.0
    shake_px: float = 0.0


@dataclass(frozen=True, slots=True)
class _Mast:
    """Where a camera stands and looks, in a place's frame."""

    side: str
    a: float
    b: float
    to_a: float
    to_b: float


# Two cameras a junction, each from its own end of the main road, over the same far pavement; two
# more by the minor road, where a scenario asks for them.
_MASTS = (
    _Mast("Barat", -22.0, -10.6, 2.0, 6.0),
    _Mast("Timur", 22.0, -10.6, -2.0, 6.0),
    _Mast("Utara", -6.6, 31.0, 6.0, 4.0),
    _Mast("Selatan", 6.8, -31.0, 4.0, 4.0),
)
USUAL_MASTS = 2


def camera_plans(scenario: Scenario, junctions: int) -> list[CameraPlan]:
    """A scenario's own, or two a junction; of junctions that there are."""
    if not isinstance(scenario.cameras, int):
        return [plan for plan in scenario.cameras if plan.junction < junctions]
    plans = [
        CameraPlan.model_validate({"junction": index // 2, "mast": _MASTS[index % 2].side})
        for index in range(scenario.cameras)
    ]
    return [plan for plan in plans if plan.junction < junctions]


def mounted(
    place: Place, plan: CameraPlan, projection: LocalProjection, seed: int
) -> SimulatedCamera:
    """A camera on its mast, its height and tilt from the seed."""
    mast = next(mast for mast in _MASTS if mast.side == plan.mast)
    name = f"ATCS Simpang {place.name} {mast.side}"
    path = f"{place.name}-{mast.side}".lower().replace(" ", "-")
    # By its name: a camera hangs the same in every scenario of a seed.
    random = np.random.default_rng((seed, zlib.crc32(path.encode())))
    ends = place.to_plane(np.array([(mast.a, mast.b), (mast.to_a, mast.to_b)]))
    east, north = ends[1] - ends[0]
    position = projection.place(float(ends[0][0]), float(ends[0][1]))
    turn_rad = math.atan2(east, north) - projection.convergence_rad(*(float(v) for v in ends[0]))
    pose = CameraPose(
        position=position,
        height_m=round(float(random.uniform(7.4, 8.8)), 2),
        bearing_deg=round(math.degrees(turn_rad) % 360, 2),
        tilt_deg=round(float(random.uniform(-13.5, -11.5)), 2),
        hfov_deg=72.0,
        width_px=_WIDTH_PX,
        height_px=_HEIGHT_PX,
        range_m=130.0,
        position_sigma_m=0.5,
        height_sigma_m=0.1,
        bearing_sigma_deg=0.4,
        tilt_sigma_deg=0.2,
        roll_sigma_deg=0.2,
        hfov_sigma_pct=1.0,
    )
    camera = simulated_camera(f"sim-{path}", name, path, pose)
    return SimulatedCamera(camera, path, place.index, plan.dirt, plan.shake_px)


def simulated_camera(camera_id: str, name: str, path: str, pose: CameraPose) -> Camera:
    """As it is registered; its URL has no port until it is served."""
    return Camera(
        id=CameraId(camera_id),
        name=name,
        url=f"rtsp://127.0.0.1/{path}",
        position=pose.position,
        pose=pose,
        group=GROUP,
        exercise=True,
    )
