"""Which positions of callers can be: not later than now, and within reach of the city."""

from __future__ import annotations

from datetime import timedelta

from api.camera_view import on_plane
from api.services import Services
from contracts import ContractError, Disc, FixShape, LonLat, Outline, Polygon, Sector
from geo.projection import distance_m, require_inside

PLANE_M = 5_000_000.0
"""Farther off, the city's plane is no plane: an outline about the antipode would surround it."""
AHEAD = timedelta(minutes=5)
"""Clocks of phones and switchboards are off by less."""


def require_in_city(services: Services, shape: FixShape) -> None:
    """Refuse a shape that lies wholly farther off than the city's radius.

    Raises:
        ContractError: says how far off it is.
    """
    radius_m = services.settings.city.radius_m
    centre = services.projection.centre
    if isinstance(shape, Disc):
        require_inside(shape.centre, centre, radius_m)
        return
    far_m = distance_m(_some_place(shape), centre)
    if far_m > PLANE_M:
        raise _outside(far_m, radius_m)
    plane = on_plane(shape, services.projection)
    if plane.area <= 0:
        raise ContractError("polygon", "has no area")
    middle = on_plane(Disc(centre=centre, radius_m=0), services.projection)
    away_m = float(plane.distance(middle))
    if away_m > radius_m:
        raise _outside(away_m, radius_m)


def _outside(away_m: float, radius_m: float) -> ContractError:
    return ContractError(
        "polygon",
        f"lies {away_m / 1000:.1f} km from the city's centre, farther than {radius_m / 1000:g} km",
    )


def _some_place(shape: Sector | Outline) -> LonLat:
    if isinstance(shape, Sector):
        return shape.antenna
    area = shape.area
    ring = area.coordinates[0] if isinstance(area, Polygon) else area.coordinates[0][0]
    return LonLat(*ring[0])
