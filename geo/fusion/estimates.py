"""An incident as people and machines get it: where, what, how sure, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from contracts import CallId, Contribution, Estimate, Region, SourceKind
from geo.fusion.contributions import contributions_of
from geo.fusion.doubt import believed_place
from geo.fusion.evidence import CallEvidence, TrackEvidence, medoid
from geo.fusion.hearing import Heard
from geo.fusion.laws import weighed
from geo.fusion.scoring import Score
from geo.fusion.unseen import LEAST_LOG_ODDS, SEEN, Unseen
from geo.projection import LocalProjection
from geo.regions import UNIT_CIRCLE, credible_areas

TEMPER, TEMPER_LONE = 1.45, 1.1
"""Regions of several sources, and of a lone one, are so many times wider than the product of their
places: in simulated cities they then hold the event about as often as they say, also where callers
stand farther off than assumed and cameras err more than they state."""


def estimate_of(
    score: Score,
    heard: Sequence[Heard],
    projection: LocalProjection,
    *,
    at_s: float,
    exercise: bool,
    unseen: Unseen | None = None,
) -> Estimate:
    """What a set's score says, and cameras that see nothing; ``heard`` tells what its pieces were
    made of, in their order.
    """
    whole = believed_place(score) if unseen is None else unseen.place
    counted = score.call_count(at_s)
    log_z = tuple(
        z + calls - score.doubt for z, calls in zip(score.log_z_by_hazard, counted, strict=True)
    )
    if unseen is not None:
        log_z = tuple(
            z + (unseen.log_odds if hazard in SEEN else 0.0)
            for hazard, z in zip(score.hazards, log_z, strict=True)
        )
    ranked, probability = weighed(score.hazards, log_z)
    location = medoid(whole)
    # Whose reports are whose is itself a guess, which the product of their places doesn't know.
    place = whole.widened(TEMPER if len(score.sources) > 1 else TEMPER_LONE)
    inner, outer = credible_areas(place, (0.5, 0.9))
    pieces = score.pieces
    of_calls = counted[score.hazards.index(ranked[0][0])]
    contributions = contributions_of(score, ranked[0][0], location)
    if abs(of_calls) > LEAST_LOG_ODDS:
        contributions += (
            Contribution(source=SourceKind.CALL_COUNT, source_id="", log_odds=of_calls),
        )
    if unseen is not None and ranked[0][0] in SEEN:
        contributions += tuple(
            Contribution(
                source=SourceKind.CAMERA_SEES_NOTHING, source_id=camera_id, log_odds=log_odds
            )
            for camera_id, log_odds in unseen.cameras
        )
    return Estimate(
        hazard=ranked[0][0],
        hazard_probabilities=ranked,
        probability=probability,
        location=projection.place(*location),
        region50=_region(inner, location, 0.5, projection),
        region90=_region(outer, location, 0.9, projection),
        contributions=contributions,
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
