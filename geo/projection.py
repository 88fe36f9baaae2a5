"""The city's flat plane: WGS 84 to metres east and north of a centre, and back.

Azimuthal equidistant on the ellipsoid: its scale is wrong by under 1 ppm within 20 km, and its
bearings are true at the centre. Away from the centre its north leans from true north by
`LocalProjection.convergence_rad`, which is 0.03 degrees at 30 km in Bekasi and half a degree in
Helsinki.
"""

from __future__ import annotations

import math
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer
from shapely import MultiPolygon as PlaneMultiPolygon
from shapely import Polygon as PlanePolygon
from shapely import affinity, box, make_valid, transform
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from contracts import Area, ContractError, LonLat, MultiPolygon, Polygon
from contracts.places import Position

Floats = NDArray[np.float64]


_ANTIPODE_M = 20_040_000.0
"""Half the earth's girth, a little more: nothing is farther from a centre."""


class PlaceError(ContractError):
    """A position that can't be meant; the message says what would be right."""


class LocalProjection:
    """Metres east and north of a centre, for one city.

    Safe to share between threads; made in 60 us.
    """

    def __init__(self, centre: LonLat) -> None:
        self.centre = centre
        self._transformer = Transformer.from_pipeline(
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
            f"+step +proj=aeqd +lat_0={centre.lat!r} +lon_0={centre.lon!r} +ellps=WGS84"
        )

    @overload
    def to_xy(self, lon: float, lat: float) -> tuple[float, float]: ...
    @overload
    def to_xy(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]: ...
    def to_xy(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Degrees to metres; scalars or arrays of one shape.

        Raises:
            PlaceError: not finite, or out of the range of degrees.
        """
        # One extreme each way tells all, and NaN spreads to it.
        west, east = (lon, lon) if isinstance(lon, float) else (np.min(lon), np.max(lon))
        south, north = (lat, lat) if isinstance(lat, float) else (np.min(lat), np.max(lat))
        if not math.isfinite(west + east + south + north):
            raise PlaceError("lon, lat", "must be finite numbers")
        if south < -90 or north > 90 or west < -180 or east > 180:
            raise PlaceError(
                "lon, lat", "lie out of range; are lon and lat swapped? Longitude comes first"
            )
        x, y = self._transformer.transform(lon, lat)
        return x, y

    @overload
    def to_lonlat(self, x: float, y: float) -> tuple[float, float]: ...
    @overload
    def to_lonlat(self, x: Floats, y: Floats) -> tuple[Floats, Floats]: ...
    def to_lonlat(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Metres to degrees; scalars or arrays of one shape. Longitudes lie within +-180.

        Raises:
            PlaceError: not finite, or farther from the centre than its antipode.
        """
        # NaN and infinity spread to these, and what is round the earth comes back as if it weren't.
        far = x * x + y * y if isinstance(x, float) else np.max(np.square(x) + np.square(y))
        lon, lat = self._transformer.transform(x, y, direction="INVERSE")
        if not far <= _ANTIPODE_M**2:
            raise PlaceError("x, y", "must be metres east and north that lie on the earth")
        return lon, lat

    def point(self, place: LonLat) -> tuple[float, float]:
        """A place in metres east and north."""
        return self.to_xy(place.lon, place.lat)

    def place(self, x: float, y: float) -> LonLat:
        """Metres east and north as a place, rounded to a centimetre or so (7 decimals)."""
        lon, lat = self.to_lonlat(float(x), float(y))
        return LonLat(round(lon, 7), round(lat, 7))

    def convergence_rad(self, x: float, y: float) -> float:
        """Angle of true north in the plane at a point, clockwise from the plane's north.

        A true bearing plus this is a bearing in the plane.
        """
        lon, lat = self.to_lonlat(x, y)
        # A step to the south where a step north would run over the pole.
        step = 1e-4 if lat < 89.9 else -1e-4
        x1, y1 = self.to_xy(lon, lat + step)
        sign = math.copysign(1.0, step)
        return math.atan2(sign * (x1 - x), sign * (y1 - y))

    def plane(self, area: Area) -> BaseGeometry:
        """A GeoJSON area in metres; repaired where its rings cross."""
        flat = shape({"type": area.type, "coordinates": area.coordinates})
        plane = transform(flat, lambda c: np.column_stack(self.to_xy(c[:, 0], c[:, 1])))
        return plane if plane.is_valid else make_valid(plane)

    def area(self, plane: BaseGeometry) -> Area | None:
        """Polygons in metres as GeoJSON: outer rings anticlockwise, 7 decimals, cut at the
        antimeridian as RFC 7946 asks. None where nothing with an area is left.
        """
        polygons = [part for part in _polygons(plane) if part.area > 0]
        turned = [self._degrees(part) for part in polygons]
        parts = [piece for part in turned for piece in _cut_at_antimeridian(part)]
        rings = [_rings(part) for part in parts]
        rings = [found for found in rings if found]
        if not rings:
            return None
        return Polygon(rings[0]) if len(rings) == 1 else MultiPolygon(tuple(rings))

    def _degrees(self, part: PlanePolygon) -> PlanePolygon:
        def unprojected(coordinates: Floats) -> Floats:
            lon, lat = self.to_lonlat(coordinates[:, 0], coordinates[:, 1])
            # Continuous across the antimeridian, so that the ring stays a ring.
            lon = self.centre.lon + (lon - self.centre.lon + 180.0) % 360.0 - 180.0
            return np.column_stack((lon, lat))

        return transform(part, unprojected)


def require_inside(place: LonLat, centre: LonLat, radius_m: float) -> None:
    """Refuse a place farther than ``radius_m`` from the city's centre.

    Raises:
        PlaceError: says how far off it is, and whether swapping lon and lat would mend it.
    """
    away_m = distance_m(place, centre)
    if away_m <= radius_m:
        return
    hint = ""
    if abs(place.lon) <= 90 and distance_m(LonLat(place.lat, place.lon), centre) <= radius_m:
        hint = "; lon and lat look swapped"
    raise PlaceError(
        "position",
        f"lies {away_m / 1000:.1f} km from the city's centre, "
        f"farther than {radius_m / 1000:g} km{hint}",
    )


def distance_m(a: LonLat, b: LonLat) -> float:
    """Great-circle distance (haversine, mean radius 6,371,008.8 m): within 0.6 % of the truth."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    )
    return 2 * 6_371_008.8 * math.asin(min(1.0, math.sqrt(half)))


def bearing_deg_of(radians: ArrayLike) -> Any:
    """Radians to degrees within [0, 360)."""
    return np.degrees(radians) % 360.0


def _polygons(geometry: BaseGeometry) -> list[PlanePolygon]:
    if isinstance(geometry, PlanePolygon):
        return [] if geometry.is_empty else [geometry]
    if isinstance(geometry, PlaneMultiPolygon) or hasattr(geometry, "geoms"):
        return [part for inner in geometry.geoms for part in _polygons(inner)]
    return []


def _cut_at_antimeridian(part: PlanePolygon) -> list[PlanePolygon]:
    west, _, east, _ = part.bounds
    if west >= -180 and east <= 180:
        return [part]
    pieces = []
    for turn in (-360.0, 0.0, 360.0):
        window = box(-180.0 - turn, -90.0, 180.0 - turn, 90.0)
        whole = part if part.is_valid else make_valid(part)
        pieces += [
            affinity.translate(piece, xoff=turn) for piece in _polygons(whole.intersection(window))
        ]
    return pieces


def _rings(part: PlanePolygon) -> tuple[tuple[Position, ...], ...]:
    turned = orient(part)
    rings = [_ring(turned.exterior.coords)] + [_ring(ring.coords) for ring in turned.interiors]
    # Rounding can eat a sliver; a GeoJSON ring has four positions or more.
    kept = [ring for ring in rings if len(set(ring)) >= 3]
    return tuple(kept) if len(set(rings[0])) >= 3 else ()


def _ring(coordinates: Any) -> tuple[Position, ...]:
    rounded = np.clip(np.round(np.asarray(coordinates), 7), (-180.0, -90.0), (180.0, 90.0))
    return tuple((lon, lat) for lon, lat in rounded.tolist())
