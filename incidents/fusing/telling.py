"""When a change of fusion's estimate is worth a log entry. No I/O.

A live fire is reported several times a second by each camera that sees it. Telling every one would
bury the readers, and telling none would let the map grow stale.
"""

from __future__ import annotations

import math
from datetime import timedelta
from enum import Enum

from contracts import Incident, LonLat

PAUSE = timedelta(seconds=1)
"""Between two refinements told of one incident: faster than this nobody can read."""
STALE_AFTER = timedelta(seconds=30)
"""News that changes nothing else still says that the incident goes on; it is told this often."""
PROBABILITY_STEP = 0.01
DISTANCE_STEP_M = 2.0
"""About a lorry's width; less can't be seen on the map."""

_METRES_PER_DEGREE = 111_320.0


class Urgency(Enum):
    """How soon a change must be told."""

    NEVER = "never"
    SOON = "soon"
    """Once `PAUSE` has passed since the last telling."""
    NOW = "now"


def urgency(told: Incident, now: Incident) -> Urgency:
    """How soon ``now`` must replace ``told`` in the readers' eyes."""
    before, after = told.estimate, now.estimate
    if (
        told.level is not now.level
        or told.state is not now.state
        or before.hazard is not after.hazard
        or set(before.camera_ids) != set(after.camera_ids)
        or set(before.call_ids) != set(after.call_ids)
        or (told.key_picture is None) != (now.key_picture is None)
    ):
        return Urgency.NOW
    if (
        abs(before.probability - after.probability) >= PROBABILITY_STEP
        or _distance_m(before.location, after.location) >= DISTANCE_STEP_M
        or told.key_picture != now.key_picture
        or (told.street, told.place_name) != (now.street, now.place_name)
        or after.last_report_at - before.last_report_at >= STALE_AFTER
    ):
        return Urgency.SOON
    return Urgency.NEVER


def _distance_m(a: LonLat, b: LonLat) -> float:
    # Over metres the earth is flat; this needs no projection.
    east = (a.lon - b.lon) * math.cos(math.radians(a.lat))
    return math.hypot(east, a.lat - b.lat) * _METRES_PER_DEGREE
