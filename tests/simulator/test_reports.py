"""The city in numbers, by way of the files that `siaga replay` reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.fusion.baselines import dbscan, dots_of, gate
from bench.fusion.cities import ReadCity, Results, measure, read_city
from bench.fusion.scoring import Found, Tally, calibration_error, gospa2, score
from contracts import evidence_key
from geo.camera import PinholeCamera
from geo.fusion import FusionParameters
from geo.projection import LocalProjection
from simulator.reports import STRESS, CityAssumptions, make_city, write_city
from simulator.reports.assumptions import sized
from simulator.reports.city import CENTRE

SMALL = sized(CityAssumptions(clutter_per_camera_day=0.2), side_m=3_000.0, cameras=150, hours=72.0)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> ReadCity:
    folder = tmp_path_factory.mktemp("city")
    write_city(make_city(SMALL, 7), folder)
    return read_city(folder)


def test_a_city_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    one, two, other = (make_city(SMALL, seed) for seed in (7, 7, 8))
    assert [line.plain() for line in one.lines] == [line.plain() for line in two.lines]
    assert one.lines != other.lines
    first = write_city(one, tmp_path / "a")[1].read_bytes()
    assert first == write_city(two, tmp_path / "b")[1].read_bytes()


def test_reports_come_in_the_order_of_their_receipt(city: ReadCity) -> None:
    times = [bodies[0].received_at for _, bodies in city.lines]
    assert times == sorted(times)
    assert {evidence_key(body) for body in city.bodies} == set(city.truth)


def test_half_the_calls_are_about_half_the_calls() -> None:
    month = replace(SMALL, cameras=1, hours=720.0, nonsense_calls_per_km2_day=0.0)
    whole, half = (
        len(make_city(one, 3).lines)
        for one in (month, replace(month, kept_calls=STRESS.kept_calls))
    )
    assert 0.35 < half / whole < 0.65


def test_fusion_is_far_better_than_gates(city: ReadCity) -> None:
    results = Results()
    projection = LocalProjection(CENTRE)
    measure(results, city, projection, FusionParameters(), 72.0, baselines=True)
    figures = {name: tally.figures() for name, tally in results.tallies.items()}
    ours = figures.pop("siaga")
    assert ours["pair_f1"] > 0.75
    assert all(ours["pair_f1"] > theirs["pair_f1"] + 0.1 for theirs in figures.values())
    assert ours["gospa_m"] < min(theirs["gospa_m"] for theirs in figures.values())
    assert 0.7 < ours["coverage90"] <= 1.0
    assert ours["false_not_lone_calls_a_day"] < 1


def test_a_gate_joins_what_is_near_and_dbscan_what_hangs_together(city: ReadCity) -> None:
    projection = LocalProjection(CENTRE)
    models = {name: PinholeCamera.from_pose(pose, projection) for name, pose in city.poses.items()}
    dots = dots_of(city.bodies, models, projection)
    everything = {dot.source for dot in dots}
    for found in (gate(dots, 300, 30), dbscan(dots, 300, 30)):
        assert {source for one in found for source in one.sources} == everything
        assert sum(len(one.sources) for one in found) == len(everything)
    assert len(gate(dots, 1e6, 1e6)) == 1 == len(dbscan(dots, 1e7, 1e7))


def test_scores_of_a_perfect_and_of_a_poor_partition(city: ReadCity) -> None:
    of_event: dict[int, set[str]] = {}
    for source, number in city.truth.items():
        if number is not None:
            of_event.setdefault(number, set()).add(source)
    perfect = [Found(frozenset(s), 1.0, city.events[n].xy) for n, s in of_event.items()]
    alone = [
        Found(frozenset((s,)), 1.0, city.events[n].xy) for n, some in of_event.items() for s in some
    ]
    tallies = Tally(), Tally()
    for tally, found in zip(tallies, (perfect, alone), strict=True):
        score(tally, found, city.truth, city.events, 24.0, {})
    best, worst = (tally.figures() for tally in tallies)
    assert best["pair_f1"] == 1 and best["duplicates"] == 0 and best["gospa_m"] == 0
    assert worst["pair_f1"] == 0 and worst["duplicates"] > 0 and worst["gospa_m"] > 0


def test_gospa_and_calibration_by_hand() -> None:
    assert gospa2([(0, 0)], [(3, 4)]) == pytest.approx(25)
    assert gospa2([], [(0, 0), (9, 9)]) == pytest.approx(300**2)
    assert gospa2([(0, 0)], [(5000, 0)]) == pytest.approx(300**2)
    assert calibration_error([0.8] * 10, [True] * 8 + [False] * 2) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [False] * 10) == pytest.approx(0.9)
