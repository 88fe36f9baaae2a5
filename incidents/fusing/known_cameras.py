"""The cameras as fusion knows them: where each one looks, whether it looks, and how far its pose is
still to be believed.

Computing only; `Mind` owns it, and uses it from one thread at a time. Exercises have cameras, and
views of what those see, of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contracts import Camera, CameraId, CameraPose, CameraState, Hazard, LonLat, ViewShift
from contracts.cameras import CameraHealth
from geo.buildings import Buildings
from geo.camera import PinholeCamera
from geo.drift import widened
from geo.fusion import Fusion
from geo.projection import LocalProjection
from geo.ptz import PtzModel
from geo.sights import KnownSights, Sights
from geo.visibility import RankedCamera
from plumbing.logs import get_logger

_log = get_logger(__name__)

LOOKS = {CameraState.LIVE: 1.0, CameraState.WRONG_CLOCK: 1.0, CameraState.LOW_RATE: 0.6}
"""Cameras that show what is there, by their state, and the share of what they would report. A wrong
clock shows it none the worse; of few pictures some things are too quick. A moved camera shows
something, but not what its pose says; one of which nothing is known may show nothing."""


class KnownCameras:
    """See the module."""

    def __init__(self, projection: LocalProjection, buildings: Buildings | None) -> None:
        self._projection = projection
        self._cameras: dict[CameraId, Camera] = {}
        self._known_sights = {
            exercise: KnownSights(projection, buildings) for exercise in (False, True)
        }
        self._sights: dict[bool, Sights] = {}
        self._unusable: set[CameraId] = set()
        """Cameras with a pose that geometry refuses."""
        self._moved: dict[CameraId, ViewShift | None] = {}
        """Cameras that no longer look where their pose says, and by how much, if that is known."""
        self._live: dict[CameraId, float] = {}
        """Cameras that are known to look, so that it tells something when they see nothing, and
        what share of the time."""

    def replace_all(self, cameras: Iterable[Camera], healths: Iterable[CameraHealth]) -> None:
        """Forget everything and take over what the database holds."""
        known = list(healths)
        self._moved = {h.camera_id: h.view_shift for h in known if h.state is CameraState.MOVED}
        self._live = {h.camera_id: LOOKS[h.state] for h in known if h.state in LOOKS}
        self._cameras = {camera.id: camera for camera in cameras}
        self._unusable.clear()

    def place_all(self, fusion: Fusion, *, exercise: bool) -> None:
        """Tell a partition that knows no cameras where they are."""
        for camera in self._of(exercise):
            self._place(fusion, camera)

    def save(self, fusion: Fusion, camera: Camera) -> None:
        """A camera was registered or changed."""
        known = self._cameras.get(camera.id)
        if known is not None and known.pose != camera.pose:
            # The new pose describes what is seen now.
            self._moved.pop(camera.id, None)
        self._cameras[camera.id] = camera
        self._place(fusion, camera)

    def remove(self, fusion: Fusion, camera_id: CameraId) -> None:
        """A camera has left the register."""
        self._cameras.pop(camera_id, None)
        self._moved.pop(camera_id, None)
        fusion.set_camera(camera_id, None)

    def note_health(self, partitions: Mapping[bool, Fusion], health: CameraHealth) -> None:
        """A camera has begun to look, or to look elsewhere, or has ceased to."""
        camera_id = health.camera_id
        self._live.pop(camera_id, None)
        if health.state in LOOKS:
            self._live[camera_id] = LOOKS[health.state]
        if health.state is CameraState.MOVED:
            self._moved[camera_id] = health.view_shift
        elif health.state is CameraState.LIVE and camera_id in self._moved:
            del self._moved[camera_id]
        else:
            # A moved camera that has stalled is moved still.
            return
        camera = self._cameras.get(camera_id)
        if camera is not None:
            self._place(partitions[camera.exercise], camera)

    def look(self, fusion: Fusion, *, exercise: bool) -> None:
        """See anew who sees what, and tell the partition; after any of the above."""
        poses: dict[CameraId, CameraPose] = {
            camera.id: camera.pose
            for camera in self._of(exercise)
            if camera.enabled and camera.pose is not None and camera.id not in self._unusable
        }
        self._sights[exercise] = self._known_sights[exercise].sights(poses)
        fusion.set_watch(self._sights[exercise].ground)
        # A head that turns may look elsewhere.
        fusion.set_live(
            {
                camera_id: self._live[camera_id]
                for camera_id in poses
                if camera_id in self._live and self._cameras[camera_id].head is None
            }
        )

    def seeing(
        self, place: LonLat, radius_m: float, exercise: bool, hazard: Hazard | None
    ) -> list[RankedCamera]:
        """The enabled cameras that see an event in a disc, of a fire its smoke too; best first."""
        return self._sights[exercise].cameras_seeing(place.lon, place.lat, radius_m, hazard=hazard)

    def _of(self, exercise: bool) -> list[Camera]:
        return [camera for camera in self._cameras.values() if camera.exercise is exercise]

    def _place(self, fusion: Fusion, camera: Camera) -> None:
        self._unusable.discard(camera.id)
        try:
            fusion.set_camera(camera.id, self._view_of(camera))
        except Exception:  # noqa: BLE001 - one bad pose must not stop the whole city
            _log.exception("a camera's pose can't be used; only its place is", camera=camera.id)
            self._unusable.add(camera.id)
            fusion.set_camera(camera.id, camera.position)

    def _view_of(self, camera: Camera) -> CameraPose | PtzModel | LonLat:
        pose = camera.pose
        if pose is None:
            return camera.position
        if camera.head is not None:
            # That a head has turned is its business, and no sign of a blow.
            return PtzModel.of(PinholeCamera.from_pose(pose, self._projection), camera.head)
        return widened(pose, self._moved[camera.id]) if camera.id in self._moved else pose
