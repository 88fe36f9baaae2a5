"""An incident as people and machines get it: where, what, how sure, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from contracts import CallId, Estimate, Region
from geo.fusion.evidence import CallEvidence, TrackEvidence, medoid
from geo.fusion.hearing import Heard
from geo.fusion.scoring import Score
from geo.projection import LocalProjection
from geo.regions import UNIT_CIRCLE, credible_areas


def estimate_of(
    score: Score, heard: Sequence[Heard], projection: LocalProjection, *, exercise: bool
) -> Estimate:
    """What a set's score says; ``heard`` tells what its pieces were made of, in their order."""
    location = medoid(score.place)
    inner, outer = credible_areas(score.place, (0.5, 0.9))
    pieces = score.pieces
    ranked = score.hazard_probabilities
    return Estimate(
        hazard=ranked[0][0],
        hazard_probabilities=ranked,
        probability=score.probability,
        location=projection.place(*location),
        region50=_region(inner, location, 0.5, projection),
        region90=_region(outer, location, 0.9, projection),
        contributions=score.contributions(location),
        report_ids=tuple(report for each in heard for report in each.reports),
        camera_ids=tuple(
            dict.fromkeys(piece.camera_id for piece in pieces if isinstance(piece, TrackEvidence))
        ),
        call_ids=tuple(
            CallId(piece.source_id) for piece in pieces if isinstance(piece, CallEvidence)
        ),
        started_at=datetime.fromtimestamp(score.started_s, UTC),
        last_report_at=datetime.fromtimestamp(max(each.last_s for each in heard), UTC),
        exercise=exercise,
    )


def _region(
    plane: BaseGeometry,
    location: tuple[float, float],
    confidence: float,
    projection: LocalProjection,
) -> Region:
    area = projection.area(plane)
    if area is None:
        # Smaller than a coordinate's rounding: the circle that a click has.
        area = projection.area(Polygon(np.add(UNIT_CIRCLE, location)))
    if area is None:
        raise ValueError(f"no region around {location}")
    return Region(area=area, confidence=confidence)
