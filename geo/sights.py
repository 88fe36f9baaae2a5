"""Which cameras find an event of a kind: on the ground, or a fire by its smoke above the roofs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from contracts import CameraId, CameraPose, Hazard
from geo.buildings import Buildings
from geo.projection import LocalProjection
from geo.visibility import KnownViews, RankedCamera, VisibilityIndex

SMOKE_RISES = 0.5
"""Share of fires whose smoke stands above the roofs when they are reported. Assumed: between a pan
on a stove and a warehouse."""


@dataclass(frozen=True, slots=True)
class Sights:
    """Both views of a set of cameras. Immutable: made anew and swapped whole."""

    ground: VisibilityIndex
    above_roofs: VisibilityIndex

    def cameras_seeing(
        self,
        lon: float,
        lat: float,
        radius_m: float = 0.0,
        most: int | None = None,
        *,
        hazard: Hazard | None = None,
    ) -> list[RankedCamera]:
        """The cameras that find such an event there, the most probable finder first.

        Raises:
            PlaceError: the place or the radius can't be meant.
        """
        if hazard is not Hazard.FIRE:
            return self.ground.cameras_seeing(lon, lat, radius_m, most)
        found = {one.camera_id: one for one in self.ground.cameras_seeing(lon, lat, radius_m)}
        for smoke in self.above_roofs.cameras_seeing(lon, lat, radius_m):
            flames = found.get(smoke.camera_id)
            missed = 1 - SMOKE_RISES * smoke.probability
            if flames is not None:
                missed *= 1 - flames.probability
            found[smoke.camera_id] = replace(smoke, probability=1 - missed)
        order = sorted(found.values(), key=lambda one: -one.probability)
        return order[:most]


class KnownSights:
    """Makes `Sights` one after another, as `KnownViews` makes indexes; for one thread at a time."""

    def __init__(self, projection: LocalProjection, buildings: Buildings | None = None) -> None:
        self._ground = KnownViews(projection, buildings)
        self._above = KnownViews(projection, buildings, above_roofs=True)

    def sights(self, cameras: Mapping[CameraId, CameraPose]) -> Sights:
        """Of exactly these cameras."""
        return Sights(self._ground.index(cameras), self._above.index(cameras))
