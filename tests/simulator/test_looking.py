"""What cameras report by how they are watched, and what cueing makes of it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fusion.cueing import Plan, run, table, ways
from contracts import CameraId, Hazard
from plumbing.settings import FusionSettings
from simulator.reports import CityAssumptions, TrueEvent, make_city
from simulator.reports.assumptions import sized
from simulator.reports.looking import Eyes, Looking, Sight

CLOSE = Looking()
BUSY = replace(CityAssumptions(), events_per_km2_day={Hazard.FIRE: 6.0, Hazard.CRASH: 6.0})
SMALL = sized(BUSY, side_m=2_000.0, cameras=200, hours=24.0)


def sight(hazard: Hazard = Hazard.FIRE, strength: float = 5.0, **luck: object) -> Sight:
    made = Sight(
        event=TrueEvent(1, hazard, (0.0, 0.0), 1_000.0),
        camera_id=CameraId("cam"),
        foot=(500.0, 500.0),
        shown_s=(1_000.0, 3_000.0),
        strength=strength,
        noticed=True,
        looks_missed=2,
        delay_s=0.5,
    )
    return replace(made, **luck)  # type: ignore[arg-type]


def test_who_is_watched_seldom_finds_it_later() -> None:
    often, rarely = (sight().seldom(Looking(cold_every_s=s)) for s in (2.0, 30.0))
    assert often is not None and rarely is not None
    assert often.at_s == pytest.approx(1_008.0)
    assert rarely.at_s == pytest.approx(1_078.0)


def test_a_lowered_bar_lets_weaker_evidence_through() -> None:
    weak = sight(strength=1.0)
    assert weak.seldom(CLOSE) is None
    told = weak.closely(CLOSE, 1_500.0, 1_620.0)
    assert told is not None and told.llr == 1.0
    assert sight(strength=0.1).closely(CLOSE, 1_500.0, 1_620.0) is None


def test_only_who_looks_back_in_time_sees_the_impact() -> None:
    crash = sight(Hazard.CRASH, strength=5.0)
    soon, late = (crash.closely(CLOSE, at, at + 120.0) for at in (1_005.0, 1_100.0))
    assert soon is not None and soon.llr == 5.0
    assert late is not None and late.llr == 5.0 - CLOSE.wreck_says_less


@given(
    from_s=st.floats(0, 5_000),
    lasts_s=st.floats(1, 500),
    strength=st.floats(-5, 15),
    looks_missed=st.integers(0, 50),
)
def test_nothing_is_told_before_it_shows_nor_after_the_watch(
    from_s: float, lasts_s: float, strength: float, looks_missed: int
) -> None:
    one = sight(strength=strength, looks_missed=looks_missed)
    told = one.closely(CLOSE, from_s, from_s + lasts_s)
    if told is not None:
        assert max(from_s, one.shown_s[0]) < told.at_s < from_s + lasts_s


def test_the_luck_of_a_pair_is_the_same_however_cameras_are_watched() -> None:
    city = make_city(SMALL, 3)
    often, rarely = (Eyes(city, 3, Looking(cold_every_s=s)).sights for s in (2.0, 30.0))
    assert often == rarely
    assert len(often) > 10
    assert Eyes(city, 4, CLOSE).sights != often


def test_a_lower_bar_lets_clutter_through_too() -> None:
    eyes = Eyes(make_city(replace(SMALL, clutter_per_camera_day=10.0), 3), 3, CLOSE)
    days = 20
    found = sum(len(eyes.clutter(CameraId(f"cam-{n}"), 0.0, 86_400.0)) for n in range(days))
    wanted = 10.0 * math.expm1(CLOSE.bar_lowered_by) * days
    assert found == pytest.approx(wanted, rel=0.2)


def test_cued_cameras_confirm_more_and_cost_no_more_than_their_budget() -> None:
    plan = Plan(side_m=1_500.0, cameras=300, hours=4.0, busy=150.0, first_seed=5, seeds=1)
    said: list[str] = []
    figures = run(plan, FusionSettings(hot_cameras=10), said.append, ways()[2:4])
    seldom, cued = figures["ways"]["every 30 s"], figures["ways"]["every 30 s, cued"]
    assert seldom["in_view"] == cued["in_view"] > 1
    assert cued["confirmed"] >= seldom["confirmed"] > 0
    assert cued["share_within_10_s"] >= seldom["share_within_10_s"]
    assert seldom["hot_most"] == 0 < cued["hot_most"] <= 10
    assert 0 < cued["hot_camera_minutes_a_day"] < 10 * 1_440
    assert "every 30 s, cued" in table(figures) and len(said) == 2
