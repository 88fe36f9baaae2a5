"""Stone Soup's multi-target tracker over the same sources: a reference made by others.

Events are targets that stand still, each source measures one with the covariance of its place, the
nearest one within a statistical gate takes it, and a target that is long unheard of is gone.
It knows no clutter rates, hazards or siblings. It needs the package `stonesoup` (tried with 1.9.1),
which neither an installation nor the tests bring; without it there is no such row.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bench.fusion.scoring import Found
from geo.fusion.evidence import Evidence, TrackEvidence

NAME = "Stone Soup, 3 sigma"
GATE = 3.0
"""Standard deviations, the usual gate."""
ALIVE = timedelta(minutes=30)
WALK_M2_S = 1e-3
LEAST_LLR = 2.0
"""Tracks below it are left out, as a detector's threshold would."""


def is_installed() -> bool:
    """Whether there is a Stone Soup."""
    return importlib.util.find_spec("stonesoup") is not None


def tracked(pieces: Mapping[str, Evidence]) -> list[Found]:
    """The sources as the tracker groups them; one of two sources or more is held to exist."""
    from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
    from stonesoup.deleter.time import UpdateTimeDeleter
    from stonesoup.hypothesiser.distance import DistanceHypothesiser
    from stonesoup.initiator.simple import SimpleMeasurementInitiator
    from stonesoup.measures import Mahalanobis
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, RandomWalk
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.tracker.simple import MultiTargetTracker
    from stonesoup.types.detection import Detection
    from stonesoup.types.state import GaussianState
    from stonesoup.types.update import Update
    from stonesoup.updater.kalman import KalmanUpdater

    def seen() -> Iterator[tuple[datetime, set[Any]]]:
        for source, piece in _in_time(pieces):
            place = piece.place(None)
            at = datetime.fromtimestamp(piece.started_s, UTC).replace(tzinfo=None)
            model = LinearGaussian(ndim_state=2, mapping=(0, 1), noise_covar=place.covariance)
            measured = Detection(
                place.mean[:, None],
                timestamp=at,
                measurement_model=model,
                metadata={"source": source},
            )
            yield at, {measured}

    predictor = KalmanPredictor(
        CombinedLinearGaussianTransitionModel([RandomWalk(WALK_M2_S), RandomWalk(WALK_M2_S)])
    )
    updater = KalmanUpdater(None)
    tracker = MultiTargetTracker(
        initiator=SimpleMeasurementInitiator(GaussianState(np.zeros((2, 1)), np.eye(2) * 1e8)),
        deleter=UpdateTimeDeleter(ALIVE),
        detector=seen(),
        data_associator=GNNWith2DAssignment(
            DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=GATE)
        ),
        updater=updater,
    )
    targets: dict[str, Any] = {}
    for _, alive in tracker:
        targets |= {target.id: target for target in alive}
    found = []
    for target in targets.values():
        updates = [state for state in target.states if isinstance(state, Update)]
        sources = frozenset(state.hypothesis.measurement.metadata["source"] for state in updates)
        x, y = np.ravel(updates[-1].mean).tolist()
        found.append(Found(sources, float(len(sources) > 1), (x, y)))
    return found


def _in_time(pieces: Mapping[str, Evidence]) -> Iterable[tuple[str, Evidence]]:
    kept = [
        (source, piece)
        for source, piece in pieces.items()
        if not isinstance(piece, TrackEvidence) or piece.llr >= LEAST_LLR
    ]
    return sorted(kept, key=lambda row: (row[1].started_s, row[0]))
