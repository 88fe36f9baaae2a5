"""Two incidents are the likelier one event, the nearer they are in place, time and kind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import Disc, Estimate, Hazard, IncidentId, LonLat
from geo.fusion import FusionParameters
from geo.fusion.likeness import Likenesses
from geo.projection import LocalProjection
from tests.incidents.make import CENTRE, START, estimate

LIKENESSES = Likenesses(FusionParameters(), LocalProjection(CENTRE))
OTHER = IncidentId("other")


def east(metres: float) -> LonLat:
    return LonLat(CENTRE.lon + metres / 110_600, CENTRE.lat)


def probability(one: Estimate, other: Estimate) -> float:
    (found,) = LIKENESSES.of_incidents(one, [(OTHER, other)])
    return found.probability


@given(st.floats(0, 3_000), st.floats(0, 3_000))
def test_nearer_is_likelier_whichever_is_asked_about(one_m: float, other_m: float) -> None:
    here = estimate()
    near, far = sorted((one_m, other_m))
    assert probability(here, estimate(place=east(near))) >= probability(
        here, estimate(place=east(far))
    )
    there = estimate(place=east(far))
    assert probability(here, there) == pytest.approx(probability(there, here), rel=1e-6)
    assert 0 <= probability(here, there) <= 1


def test_what_fits_is_likely_and_what_does_not_is_not() -> None:
    here = estimate()
    assert probability(here, estimate(place=east(10))) > 0.9
    assert probability(here, estimate(place=east(1_500))) < 0.01
    crash = ((Hazard.CRASH, 1 - 1e-7), (Hazard.FIRE, 1e-7))
    assert probability(here, estimate(hazard=Hazard.CRASH, hazard_probabilities=crash)) < 0.01
    later = START + timedelta(hours=12)
    assert probability(here, estimate(started_at=later, last_report_at=later)) < 0.05


def test_what_is_hardly_there_is_hardly_the_same() -> None:
    here = estimate()
    shares = [probability(here, estimate(place=east(200), probability=p)) for p in (0.9, 0.1, 1e-5)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.1


def test_exercise_and_reality_are_never_alike() -> None:
    assert LIKENESSES.of_incidents(estimate(), [(OTHER, estimate(exercise=True))]) == []


def test_a_call_is_about_one_incident_or_something_new() -> None:
    incidents = [
        (IncidentId("near"), estimate(place=east(30))),
        (IncidentId("next"), estimate(place=east(160))),
        (IncidentId("far"), estimate(place=east(4_000))),
    ]
    found = LIKENESSES.of_call(Hazard.FIRE, Disc(centre=CENTRE, radius_m=25), 0.9, START, incidents)
    assert [one.incident_id for one in found] == ["near", "next", "far"]
    assert found[0].probability > 0.5
    assert found[2].probability < 0.01
    assert sum(one.probability for one in found) < 1
    assert found[0].distance_m == pytest.approx(30, abs=1)
    unsaid = LIKENESSES.of_call(None, Disc(centre=CENTRE, radius_m=25), 0.9, START, incidents)
    assert unsaid[0].incident_id == "near"
    vague = LIKENESSES.of_call(
        Hazard.FIRE, Disc(centre=CENTRE, radius_m=3_000), 0.68, START, incidents
    )
    assert vague[0].probability < found[0].probability
