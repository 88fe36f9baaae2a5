"""The shapes of PIDF-LO (RFC 5491, GML 3.1.1) as shapes of a caller's position.

GML writes latitude first, then longitude, then (in 3-D) the height above the ellipsoid. Bodies are
flattened: whoever is in the body is above its ground plan, so the plan holds the caller with no
less confidence. Discs and sectors stay what they are; everything else becomes an outline, drawn in
metres about the shape's own middle, where bearings are true.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon, make_valid

from api.intake.readings import Notes, shown
from contracts import ContractError, Disc, FixMethod, FixShape, LonLat, Outline, Sector
from geo.projection import LocalProjection

GML = "{http://www.opengis.net/gml}"
GS = "{http://www.opengis.net/pidflo/1.0}"

FLAT, SOLID = "EPSG::4326", "EPSG::4979"
METRE, DEGREE, RADIAN = "EPSG::9001", "EPSG::9102", "EPSG::9101"
LONGEST_NAME = 100
MAX_POSITIONS = 2_000
WIDEST_M = 200_000.0
"""A shape wider than this tells nothing about a city."""
AROUND = 96
"""Corners of a drawn ellipse or arc."""

Floats = NDArray[np.float64]


class ShapeError(Exception):
    """A shape that can't be: the field and the reason are its arguments."""


def read_shape(element: Element, method: FixMethod, notes: Notes) -> tuple[FixShape, float | None]:
    """The shape of one element, and its height above the ellipsoid where it states one.

    Raises:
        ShapeError: not a known shape, or figures that can't be.
    """
    reader = _READERS.get(element.tag)
    if reader is None:
        raise ShapeError(local(element.tag), f"is none of {', '.join(map(local, _READERS))}")
    try:
        return reader(element, method, notes)
    except ContractError as error:
        raise ShapeError(f"{local(element.tag)}.{error.field}", error.why) from error


def is_shape(element: Element) -> bool:
    """Whether it is one of the shapes."""
    return element.tag in _READERS


def local(tag: str) -> str:
    """A tag's name without its namespace."""
    return tag.rpartition("}")[2][:40]


def _point(element: Element, method: FixMethod, notes: Notes) -> tuple[FixShape, float | None]:
    centre, height_m = _place(element, GML + "pos", _dimensions(element))
    return notes.disc("Point", centre, None, method), height_m


def _round(element: Element, _method: FixMethod, _notes: Notes) -> tuple[FixShape, float | None]:
    """Circle and Sphere."""
    centre, height_m = _place(element, GML + "pos", _dimensions(element))
    return Disc(centre=centre, radius_m=_length(element, "radius")), height_m


def _ellipse(element: Element, _method: FixMethod, _notes: Notes) -> tuple[FixShape, float | None]:
    """Ellipse and Ellipsoid; the orientation is that of the longer axis, clockwise from north."""
    centre, height_m = _place(element, GML + "pos", _dimensions(element))
    long_m, short_m = _length(element, "semiMajorAxis"), _length(element, "semiMinorAxis")
    turn = _angle(element, "orientation")
    around = np.linspace(0, 2 * math.pi, AROUND, endpoint=False)
    ahead, aside = long_m * np.cos(around), short_m * np.sin(around)
    east = ahead * math.sin(turn) + aside * math.cos(turn)
    north = ahead * math.cos(turn) - aside * math.sin(turn)
    return _outline(centre, np.column_stack((east, north)), local(element.tag)), height_m


def _arc_band(element: Element, _method: FixMethod, _notes: Notes) -> tuple[FixShape, float | None]:
    """Between two radii and two bearings: a base station's sector, and a ring of timing advance."""
    centre, height_m = _place(element, GML + "pos", _dimensions(element))
    inner_m, outer_m = _length(element, "innerRadius"), _length(element, "outerRadius")
    start, opening = _angle(element, "startAngle"), _angle(element, "openingAngle")
    if inner_m >= outer_m:
        raise ShapeError("innerRadius", f"must be below outerRadius, got {inner_m:g} m")
    if not 0 < opening <= 2 * math.pi + 1e-9:
        raise ShapeError(
            "openingAngle", f"must lie above 0 and up to 360, got {math.degrees(opening):g}"
        )
    whole_turn = opening >= 2 * math.pi - 1e-9
    if inner_m == 0 and whole_turn:
        return Disc(centre=centre, radius_m=outer_m), height_m
    if inner_m == 0 and opening >= math.radians(1) and outer_m >= 1:
        azimuth_deg = round(math.degrees(start + opening / 2), 9) % 360
        return Sector(
            antenna=centre,
            azimuth_deg=azimuth_deg,
            opening_deg=round(math.degrees(opening), 9),
            range_m=outer_m,
        ), height_m
    around = start + np.linspace(0, opening, AROUND + 1)
    arc = np.column_stack((np.sin(around), np.cos(around)))
    hole = [arc[:-1] * inner_m] if whole_turn else []
    ring = arc[:-1] * outer_m if whole_turn else np.vstack((arc * outer_m, arc[::-1] * inner_m))
    return _outline(centre, ring, "ArcBand", hole), height_m


def _polygon(element: Element, _method: FixMethod, _notes: Notes) -> tuple[FixShape, float | None]:
    places, heights = _ring(element, _dimensions(element))
    return _of_places(places, "Polygon"), _mean(heights)


def _prism(element: Element, _method: FixMethod, _notes: Notes) -> tuple[FixShape, float | None]:
    """A polygon that is high; the height that is told is its middle's."""
    base = element.find(f"{GS}base/{GML}Polygon")
    if base is None:
        raise ShapeError("Prism", "must have a base with a Polygon")
    places, heights = _ring(base, _dimensions(element, base))
    middle = _mean(heights)
    above = element.find(f"{GS}height")
    if middle is not None and above is not None:
        middle += _figure("height", above) / 2
    return _of_places(places, "Prism"), middle


def _ring(element: Element, dimensions: int | None) -> tuple[list[LonLat], list[float]]:
    ring = element.find(f"{GML}exterior/{GML}LinearRing")
    if ring is None:
        raise ShapeError("Polygon", "must have an exterior LinearRing")
    listed = ring.find(f"{GML}posList")
    if listed is not None:
        figures = _figures("posList", listed.text)
        across = dimensions or _declared(listed) or (3 if len(figures) % 2 else 2)
        if len(figures) % across:
            raise ShapeError("posList", f"has {len(figures)} figures, no multiple of {across}")
        rows = [figures[at : at + across] for at in range(0, len(figures), across)]
    else:
        found = ring.findall(f"{GML}pos") or ring.findall(f"{GML}pointProperty/{GML}Point/{GML}pos")
        rows = [_figures("pos", one.text) for one in found[: MAX_POSITIONS + 1]]
    if len(rows) > MAX_POSITIONS:
        raise ShapeError("LinearRing", f"has more than {MAX_POSITIONS} positions")
    if len(rows) < 3:
        raise ShapeError("LinearRing", f"needs at least 3 corners, got {len(rows)}")
    placed = [_from_row(row, dimensions) for row in rows]
    return [place for place, _ in placed], [high for _, high in placed if high is not None]


def _of_places(places: list[LonLat], name: str) -> Outline:
    centre = places[0]
    projection = LocalProjection(centre)
    ring = np.column_stack(
        projection.to_xy(
            np.array([place.lon for place in places]), np.array([place.lat for place in places])
        )
    )
    return _outline(centre, ring, name)


def _outline(centre: LonLat, ring: Floats, name: str, holes: list[Floats] | None = None) -> Outline:
    """Metres east and north of ``centre`` as an area; cut in two where it crosses +-180 degrees."""
    if not np.all(np.isfinite(ring)) or float(np.max(np.ptp(ring, axis=0))) > WIDEST_M:
        raise ShapeError(name, f"is wider than {WIDEST_M / 1000:g} km; nobody is found by that")
    plane = Polygon(ring, holes)
    area = LocalProjection(centre).area(plane if plane.is_valid else make_valid(plane))
    if area is None:
        raise ShapeError(name, "has no area")
    return Outline(area=area)


def _dimensions(*elements: Element) -> int | None:
    """2 or 3 by the reference system that is named; none where none is."""
    for element in elements:
        name = element.get("srsName", "")
        if _names(name, FLAT):
            return 2
        if _names(name, SOLID):
            return 3
        if name:
            raise ShapeError("srsName", f"must be {FLAT} or {SOLID} (WGS 84), got {shown(name)}")
    return None


def _names(text: str, code: str) -> bool:
    """Whether it names an entry of EPSG's register, as a URN (of a version or none), a URL, or
    briefly: all of them mean the same, the order of the axes too."""
    number = code.rpartition(":")[2]
    return (
        len(text) <= LONGEST_NAME
        and re.fullmatch(rf".*\bepsg\b.*[:/#]{number}", text.strip(), re.IGNORECASE) is not None
    )


def _declared(element: Element) -> int | None:
    return {"2": 2, "3": 3}.get(element.get("srsDimension", ""))


def _place(element: Element, path: str, dimensions: int | None) -> tuple[LonLat, float | None]:
    found = element.find(path)
    if found is None:
        found = element.find(f"{GML}centerOf/{GML}Point/{GML}pos")
    if found is None:
        raise ShapeError(local(element.tag), "must have a pos")
    return _from_row(_figures("pos", found.text), dimensions)


def _from_row(row: list[float], dimensions: int | None) -> tuple[LonLat, float | None]:
    """Latitude, longitude and perhaps a height. A sender that names a 2-D system and gives three
    figures, or the other way round, still means its first two."""
    if len(row) not in (2, 3):
        wanted = f"{dimensions}" if dimensions else "2 or 3"
        raise ShapeError("pos", f"must have {wanted} figures, latitude first, got {len(row)}")
    try:
        place = LonLat(row[1], row[0])
    except ContractError as error:
        raise ShapeError("pos", f"{error.field} {error.why}") from error
    return place, row[2] if len(row) == 3 else None


def _length(element: Element, name: str) -> float:
    found = element.find(GS + name)
    if found is None:
        raise ShapeError(name, "is missing")
    unit = found.get("uom", METRE)
    if not _names(unit, METRE):
        raise ShapeError(name, f"must be in metres ({METRE}), got {shown(unit)}")
    value = _figure(name, found)
    if value < 0 or value > WIDEST_M:
        raise ShapeError(name, f"must lie between 0 and {WIDEST_M:g} m, got {value:g}")
    return value


def _angle(element: Element, name: str) -> float:
    found = element.find(GS + name)
    if found is None:
        raise ShapeError(name, "is missing")
    unit = found.get("uom", DEGREE)
    value = _figure(name, found)
    if _names(unit, RADIAN):
        return value
    if not _names(unit, DEGREE):
        raise ShapeError(name, f"must be in degrees ({DEGREE}), got {shown(unit)}")
    return math.radians(value)


def _figure(name: str, element: Element) -> float:
    figures = _figures(name, element.text)
    if len(figures) != 1:
        raise ShapeError(name, "must be one number")
    return figures[0]


def _figures(name: str, text: str | None) -> list[float]:
    notes = Notes()
    found = [notes.number(name, part) for part in (text or "").split()[: 3 * MAX_POSITIONS + 3]]
    if notes.problems:
        raise ShapeError(*notes.problems[0].split(": ", 1))
    return [value for value in found if value is not None]


def _mean(heights: list[float]) -> float | None:
    return sum(heights) / len(heights) if heights else None


_Reader = Callable[[Element, FixMethod, Notes], tuple[FixShape, float | None]]
_READERS: dict[str, _Reader] = {
    GML + "Point": _point,
    GS + "Circle": _round,
    GS + "Ellipse": _ellipse,
    GS + "ArcBand": _arc_band,
    GML + "Polygon": _polygon,
    GS + "Sphere": _round,
    GS + "Ellipsoid": _ellipse,
    GS + "Prism": _prism,
}
