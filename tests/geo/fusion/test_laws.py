"""What the odds are made of."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from contracts import (
    CameraId,
    ContractError,
    Detection,
    Hazard,
    ReportId,
    Sighting,
    SourceKind,
    TrackId,
)
from geo import LocalProjection
from geo.fusion import Fusion, FusionParameters
from geo.fusion.hearing import Hearing
from geo.fusion.laws import log_delays
from geo.fusion.pairs import apart_bonus
from geo.fusion.scoring import LOG_KM2, Score
from tests.geo.builders import BEKASI, Reporter
from tests.geo.fusion.stage import CAMERAS, PROJECTION, feed, pixel_of


def test_contributions_explain_the_probability(fusion: Fusion, say: Reporter) -> None:
    feed(fusion, [say.detection("a", "t", pixel_of("a", 0, 50), llr=6)])
    (decision,) = feed(fusion, say.call("k", (30, 60), at_s=30))
    total = sum(c.log_odds for c in decision.estimate.contributions)
    assert decision.estimate.probability == pytest.approx(1 / (1 + 2.718281828**-total), abs=1e-3)
    camera, caller, calls = decision.estimate.contributions[1:]
    assert (camera.source, camera.source_id, camera.sighting) == (SourceKind.CAMERA, "a", "fire")
    assert camera.log_odds == pytest.approx(6)
    assert caller.distance_m == pytest.approx(32, abs=8)
    assert calls.source is SourceKind.CALL_COUNT


def test_parameters_out_of_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="false_calls_per_km2_day"):
        FusionParameters(false_calls_per_km2_day=0)
    with pytest.raises(ValueError, match="detection_probability"):
        FusionParameters(detection_probability=1.5)


def test_events_come_at_their_hours_and_in_their_months(say: Reporter) -> None:
    by_hour = {Hazard.FLOOD: tuple(3.0 if hour == 12 else 1.0 for hour in range(24))}
    by_month = {Hazard.FLOOD: (4.0, 4.0, 2.0, *(1.0,) * 9)}
    odds = []
    # The reports come on 1 March at 12:00 in Jakarta.
    for timezone in ("Asia/Jakarta", "UTC"):
        parameters = FusionParameters(
            events_by_hour=by_hour, events_by_month=by_month, timezone=timezone
        )
        fusion = Fusion(parameters, LocalProjection(BEKASI), {})
        (told,) = feed(fusion, say.call(timezone, (0, 0), Hazard.FLOOD))
        p = told.estimate.probability
        odds.append(math.log(p / (1 - p)))
        total = sum(c.log_odds for c in told.estimate.contributions)
        assert total == pytest.approx(odds[-1], abs=1e-6)
    assert odds[0] - odds[1] == pytest.approx(math.log(3.0), abs=1e-6)
    with pytest.raises(ContractError, match="24 figures"):
        FusionParameters(events_by_hour={Hazard.FIRE: (1.0,) * 23})


@pytest.mark.parametrize("scale_days", [300 / 86_400, 2_100 / 86_400])
def test_delays_integrate_over_when_the_event_began(scale_days: float) -> None:
    def log_of(times: list[float], prompt: bool) -> float:
        started, prompts = np.array(times), np.full(len(times), prompt)
        return float(log_delays(started, prompts, scale_days, 90 / 86_400).sum())

    assert log_of([0.0], False) == pytest.approx(0, abs=0.01)
    onsets = np.arange(0.5, 2_000_000.0, 1.0)
    waited = (onsets[:, None] + [0.0, 120.0, 900.0]) / 86_400 / scale_days
    density = 0.88 * np.exp(-waited) + 0.12 / 6 * np.exp(-waited / 6)
    whole = math.log(float(np.prod(density / scale_days, axis=1).sum()) / 86_400)
    assert log_of([0.0, 120.0, 900.0], False) == pytest.approx(whole, abs=0.01)
    # Cameras that were looking speak soon, or something else is what the later one saw.
    assert log_of([0.0, 30.0], True) > log_of([0.0, 30.0], False)
    assert log_of([0.0, 1200.0], True) < log_of([0.0, 1200.0], False)


def test_a_camera_whose_clock_is_wrong_speaks_of_when_it_was_heard(
    fusion: Fusion, say: Reporter
) -> None:
    seen = say.detection("a", "t", pixel_of("a", 0, 50), at_s=600)
    body = seen.body
    assert isinstance(body, Detection)
    for wrong_s in (-240, 240):
        off = timedelta(seconds=wrong_s)
        told = replace(
            body,
            id=ReportId(f"a/{wrong_s}"),
            track_id=TrackId(f"t{wrong_s}"),
            captured_at=body.captured_at + off,
            started_at=body.started_at + off,
        )
        (decision, *_) = fusion.add(say.report(told))
        assert decision.estimate.started_at == body.received_at


def test_a_place_is_the_product_of_all_however_they_contradict_each_other(say: Reporter) -> None:
    """Kept components are few: those of callers by cell would crowd out where phones agree."""
    hearing = Hearing(FusionParameters(), PROJECTION)
    spots = [(500.0, -1000.0, 900.0), (9.0, -16.0, 20.0), (-15.0, 39.0, 20.0), (80.0, -11.0, 20.0)]
    spots += [(380.0, 195.0, 800.0), (58.0, 205.0, 15.0), (300.0, 2200.0, 1400.0)]
    pieces = {}
    for number, (x, y, radius_m) in enumerate(spots):
        for report in say.call(f"k{number}", (x, y), radius_m=radius_m, at_s=60.0 * number):
            heard = hearing.hear(report)
            if heard is not None and heard.piece is not None:
                pieces[heard.key] = heard.piece
    score = Score.of(pieces.values(), FusionParameters())
    side = np.arange(-1500.0, 1500.0, 6.0)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    density = sum(piece.place(Hazard.FIRE).log_density(points) for piece in pieces.values())
    mass = float(np.logaddexp.reduce(density)) + math.log(36.0)
    words = math.log(FusionParameters().rate(Hazard.FIRE))
    words += sum(piece.log_odds(Hazard.FIRE) for piece in pieces.values())
    exact = words + mass + (len(spots) - 1) * LOG_KM2
    assert score.term(Hazard.FIRE).log_k == pytest.approx(exact, abs=0.3)


def test_beside_an_event_there_may_be_another_but_not_within_it(say: Reporter) -> None:
    """A few metres off it is a part of the fire; in the next street it may be another one."""
    hearing = Hearing(FusionParameters(), PROJECTION)
    hearing.set_camera(CameraId("a"), CAMERAS[CameraId("a")])

    def score(y: float, sighting: Sighting) -> Score:
        seen = say.detection("a", f"{sighting}-{y}", pixel_of("a", 0, y), sighting, llr=14.0)
        heard = hearing.hear(seen)
        assert heard is not None and heard.piece is not None
        return Score.of([heard.piece], FusionParameters())

    fire = score(20.0, Sighting.FIRE)
    part, near, next_street = (apart_bonus(fire, score(y, Sighting.FIRE)) for y in (21, 26, 70))
    assert part < near < next_street - math.log(5.0)
    # A crash is no part of a fire.
    crash = score(26.0, Sighting.CRASH)
    assert apart_bonus(fire, crash) > math.log(50.0)
    assert apart_bonus(fire, crash) == pytest.approx(apart_bonus(crash, fire))
