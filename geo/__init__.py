"""Where things are: cameras, callers, fields of view, areas, and fusion.

Pure mathematics: no I/O, no logging, no clock. Outside, places are WGS 84 (``lon, lat``); inside,
metres east and north in the city's `LocalProjection`, angles in radians clockwise from the
projection's north, and covariances in those units. Degrees appear in names (``bearing_deg``).
"""

from geo.areas import AreaIndex
from geo.buildings import Buildings
from geo.callers import caller_region
from geo.camera import PinholeCamera
from geo.fields_of_view import visibility_polygon
from geo.ground import GroundFix, fix_of_box
from geo.projection import LocalProjection, PlaceError, require_inside
from geo.visibility import KnownViews, RankedCamera, VisibilityIndex

__all__ = [
    "AreaIndex",
    "Buildings",
    "GroundFix",
    "KnownViews",
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
