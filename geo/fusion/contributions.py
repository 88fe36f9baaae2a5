"""Why an incident is believed in: what each source added to its log odds, in nats."""

from __future__ import annotations

import math

from contracts import Contribution, Hazard, SourceKind
from geo.fusion.evidence import TrackEvidence
from geo.fusion.scoring import Score


def contributions_of(
    score: Score, hazard: Hazard, location: tuple[float, float]
) -> tuple[Contribution, ...]:
    """What each source added to a hazard's log odds; they sum to them.

    A source's share is its own words, its rates, and how well its place agrees with those that are
    placed better and its time with those before it. The prior's is the event's rate against the
    first source's clutter.
    """
    log_rate = math.log(score.parameters.rate(hazard))
    first = score.sources[0].own_log_odds(hazard)
    found: list[Contribution] = []
    for number, (source, log_k, delay) in enumerate(
        zip(score.sources, score.steps(hazard), score.delays(hazard).tolist(), strict=True)
    ):
        step = log_k + delay
        if number == score.best_placed:
            step -= log_rate
        if number == 0:
            prior = log_rate + score.log_expected(hazard) - score.doubt + step - first
            found.append(Contribution(source=SourceKind.PRIOR, source_id="", log_odds=prior))
            step = first
        kinds = dict.fromkeys(
            piece.sighting.value if isinstance(piece, TrackEvidence) else piece.stated or ""
            for piece in source.pieces
        )
        x, y = source.best.own_xy
        found.append(
            Contribution(
                source=source.best.source,
                source_id=source.best.source_id,
                log_odds=step,
                sighting=", ".join(kinds),
                distance_m=math.hypot(x - location[0], y - location[1]),
            )
        )
    return tuple(found)
