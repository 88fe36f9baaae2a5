"""Where things are: cameras, callers, fields of view, areas, and fusion.

Pure mathematics: no I/O, no logging, no clock. Outside, places are WGS 84 (``lon, lat``); inside,
metres east and north in the city's `LocalProjection`, angles in radians clockwise from the
projection's north, and covariances in those units. Degrees appear in names (``bearing_deg``).
"""

from geo.areas import AreaIndex
from geo.callers import caller_region
from geo.camera import PinholeCamera
from geo.ground import GroundFix, fix_of_box
from geo.projection import LocalProjection, PlaceError, require_inside
from geo.visibility import RankedCamera, VisibilityIndex, visibility_polygon

__all__ = [
    "AreaIndex",
    "GroundFix",
    "LocalProjection",
    "PinholeCamera",
    "PlaceError",
    "RankedCamera",
    "VisibilityIndex",
    "caller_region",
    "fix_of_box",
    "require_inside",
    "visibility_polygon",
]
