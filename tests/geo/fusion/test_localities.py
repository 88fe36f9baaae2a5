from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from contracts import ContractError, Hazard
from geo import AreaIndex, LocalProjection
from geo.fusion import Fusion, FusionParameters
from geo.fusion.localities import AreaRates
from incidents.fusing.configured import load_areas, parameters_of, with_areas
from plumbing.settings import FusionSettings, SettingsError
from tests.geo.builders import BEKASI, Reporter

PROJECTION = LocalProjection(BEKASI)


def square(name: str, west_m: float, size_m: float, **properties: str) -> dict[str, Any]:
    half = size_m / 2
    corners = [(west_m, -half), (west_m + size_m, -half), (west_m + size_m, half), (west_m, half)]
    places = [PROJECTION.place(x, y) for x, y in [*corners, corners[0]]]
    return {
        "type": "Feature",
        "properties": {"nama": name, **properties},
        "geometry": {"type": "Polygon", "coordinates": [[[p.lon, p.lat] for p in places]]},
    }


AREAS = {
    "type": "FeatureCollection",
    "features": [
        square("Duren Jaya", -3000, 2000, kecamatan="Bekasi Timur"),
        square("Bekasi Jaya", -1000, 2000, kecamatan="Bekasi Timur"),
        square("Kayuringin", 1000, 2000, kecamatan="Bekasi Selatan"),
    ],
}


def log_odds(parameters: FusionParameters, x: float, hazard: Hazard = Hazard.FLOOD) -> float:
    fusion = Fusion(parameters, PROJECTION, {})
    decisions = [
        decision
        for report in Reporter(PROJECTION).call("k", (x, 0.0), hazard, radius_m=5)
        for decision in fusion.add(report)
    ]
    (estimate,) = [decision.estimate for decision in decisions]
    assert sum(c.log_odds for c in estimate.contributions) == pytest.approx(
        math.log(estimate.probability / (1 - estimate.probability)), abs=1e-6
    )
    return math.log(estimate.probability / (1 - estimate.probability))


def test_floods_come_more_often_where_they_do() -> None:
    factors = {
        "Bekasi Timur": {Hazard.FLOOD: 4.0},
        "Bekasi Jaya, Bekasi Timur": {Hazard.FLOOD: 0.5},
    }
    rates = AreaRates(factors, AreaIndex(AREAS), PROJECTION)
    there, plain = FusionParameters(events_by_area=rates), FusionParameters()
    for x, factor in ((-2000, 4.0), (0, 0.5), (2000, 1.0), (9000, 1.0)):
        gained = log_odds(there, x) - log_odds(plain, x)
        assert gained == pytest.approx(math.log(factor), abs=1e-6)
        assert log_odds(there, x, Hazard.CRASH) == log_odds(plain, x, Hazard.CRASH)


def test_an_area_that_is_not_there_is_refused() -> None:
    with pytest.raises(ContractError, match=r"Bekasi Utara.*no area"):
        AreaRates({"Bekasi Utara": {Hazard.FIRE: 2.0}}, AreaIndex(AREAS), PROJECTION)
    with pytest.raises(ContractError, match="above 0"):
        AreaRates({"Bekasi Timur": {Hazard.FIRE: 0.0}}, AreaIndex(AREAS), PROJECTION)


def test_areas_are_configured_by_name(tmp_path: Path) -> None:
    file = tmp_path / "areas.geojson"
    file.write_text(json.dumps(AREAS))
    settings = FusionSettings(events_by_area={"Bekasi Selatan": {"fire": 3.0}})
    assumed = parameters_of(settings, "Asia/Jakarta")
    told = with_areas(assumed, settings, load_areas(file), PROJECTION)
    assert log_odds(told, 2000, Hazard.FIRE) - log_odds(assumed, 2000, Hazard.FIRE) > 1.0
    with pytest.raises(SettingsError, match=r"city\.areas"):
        with_areas(assumed, settings, None, PROJECTION)
    unknown = FusionSettings(events_by_area={"Jakarta": {"fire": 3.0}})
    with pytest.raises(SettingsError, match="Jakarta"):
        with_areas(assumed, unknown, load_areas(file), PROJECTION)
    with pytest.raises(ValueError, match="no hazard 'blaze'"):
        FusionSettings(events_by_area={"Bekasi Selatan": {"blaze": 3.0}})
