from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from contracts import Hazard, LonLat
from geo.projection import distance_m
from simulator.city import City
from simulator.faults import PictureFaults, connection_faults
from simulator.library import library, load, named
from simulator.rtsp.faults import HEALTHY
from simulator.scenario import Scenario, ScenarioError
from simulator.scene.place import Ground

CENTRE = LonLat(106.992, -6.2383)
FIRE = {"kind": "fire", "at": {"a": 9.5, "b": 9.7}, "starts_s": 5, "lasts_s": 40}
PLAIN: dict[str, Any] = {"name": "uji", "title": "Uji", "seconds": 60, "map": {"junctions": 2}}


def written(tmp_path: Path, **changed: Any) -> Path:
    path = tmp_path / "uji.yaml"
    path.write_text(yaml.safe_dump({**PLAIN, **changed}), encoding="utf-8")
    return path


def test_the_library_has_a_dozen_that_all_can_be_played() -> None:
    found = library()
    assert len(found) >= 12
    for name, scenario in found.items():
        assert scenario.name == name
        assert scenario.judul, f"{name} has no Indonesian title"
        city = City.of(scenario, CENTRE)
        assert city.cameras
        assert City.of(scenario, CENTRE).cameras == city.cameras
        for event in city.round_of_events(0):
            assert event.ends_s <= scenario.seconds
            assert distance_m(event.at, CENTRE) < 5_000


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"evnets": []}, "evnets: unknown key; did you mean events?"),
        ({"events": [{**FIRE, "strats_s": 1}]}, "did you mean starts_s?"),
        ({"events": [{**FIRE, "kind": "fier"}]}, "unknown kind 'fier'; did you mean fire?"),
        ({"events": [{**FIRE, "lasts_s": 90}]}, "after the scenario's end"),
        ({"events": [{**FIRE, "at": {"junction": 7}}]}, "the map has 2 junctions"),
        ({"conditions": "nihgt"}, "did you mean night?"),
        ({"seconds": 70, "repeats": True}, "multiple of 60"),
        ({"cameras": 2, "faults": [{"camera": 2, "kind": "stall", "starts_s": 1, "lasts_s": 2}]},
         "there are 2 cameras"),
        ({"events": [{**FIRE, "id": "a"}, {**FIRE, "id": "a"}]}, "another event has the id a"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_says_where_and_what_to_do(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(written(tmp_path, **changed))
    assert said in str(caught.value)
    assert "uji.yaml" in str(caught.value)


def test_a_name_that_is_none_has_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="did you mean quiet-night"):
        named("quite-night")
    with pytest.raises(ScenarioError, match="can't be read"):
        named(str(tmp_path / "nix.yaml"))
    assert named(str(written(tmp_path))).name == "uji"


def test_a_map_of_roads_gives_junctions_where_they_cross(tmp_path: Path) -> None:
    def road(points: list[list[float]], rank: int, name: str = "") -> dict[str, Any]:
        geometry = {"type": "LineString", "coordinates": points}
        return {"type": "Feature", "geometry": geometry, "properties": {"rank": rank, "name": name}}

    roads = [
        road([[106.98, -6.238], [107.0, -6.238]], 1, "Jalan Raya Ahmad Yani"),
        road([[106.992, -6.25], [106.992, -6.23]], 2, "Jalan Veteran"),
        road([[106.986, -6.25], [106.986, -6.23]], 2),
    ]
    (tmp_path / "roads.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": roads}), encoding="utf-8"
    )
    city = City.of(load(written(tmp_path, map={"geojson": "roads.geojson"}, cameras=4)), CENTRE)
    assert len(city.places) == 2
    spot = city.projection.place(city.places[0].x, city.places[0].y)
    assert distance_m(spot, LonLat(106.992, -6.238)) < 2
    # The road of the better rank is the main one, and runs from west to east.
    assert abs(abs(city.places[0].heading_rad) - 1.5708) < 0.05
    features = city.background_geojson()["features"]
    assert features[:3] == roads
    # The crossing is called after its roads where both have names.
    assert [feature["properties"]["name"] for feature in features[3:]] == [
        "Simpang Ahmad Yani–Veteran", f"Simpang {city.places[1].name}",
    ]  # fmt: skip
    (tmp_path / "roads.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(ScenarioError, match="no two roads"):
        City.of(load(tmp_path / "uji.yaml"), CENTRE)


def test_faults_come_and_go_at_their_times() -> None:
    faults = [
        {"camera": 0, "kind": kind, "starts_s": 10, "lasts_s": 20}
        for kind in ("freeze", "stall", "clock")
    ]
    scenario = Scenario.model_validate({**PLAIN, "cameras": 2, "faults": faults})
    own, other = (PictureFaults.of(scenario, index) for index in (0, 1))
    assert own.at(9.9) == own.at(30.0) == other.at(15.0)
    assert own.at(15.0).frozen_at_s == 10.0
    assert own.at(25.0).clock == "01-01-1970 00:00:15"
    changes = list(connection_faults(scenario))
    assert [(change.at_s, change.camera) for change in changes] == [(10.0, 0), (30.0, 0)]
    assert changes[0].faults.stall
    assert changes[0].faults.clock_off_s < -1e8
    assert changes[1].faults == HEALTHY


def test_a_false_call_is_about_nothing_and_still_comes() -> None:
    city = City.of(named("false-call"), CENTRE)
    (event,) = city.round_of_events(0)
    assert event.hazard is None
    calls = list(city.calls())
    assert [call.event_id for call in calls] == ["prank"]
    assert calls[0].hazard in (Hazard.FIRE, None)


def test_other_kinds_come_at_the_published_shares() -> None:
    plan = {**PLAIN, "seconds": 86_400, "other_calls": {"times_published": 20, "from_s": 0}}
    calls = list(City.of(Scenario.model_validate({**plan, "cameras": 1}), CENTRE).calls())
    # 52 % of 25 reports a day, twenty times as many.
    assert 200 < len(calls) < 320
    said = [call.hazard for call in calls]
    assert said.count(Hazard.MEDICAL) > said.count(Hazard.CRIME) > 20


def _feature(shape: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    geometry = {"type": shape, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


_CROSSING = [
    _feature("LineString", [[106.98, -6.2383], [107.0, -6.2383]], rank=1),
    _feature("LineString", [[106.992, -6.25], [106.992, -6.23]], highway="residential"),
]


def _on_map(folder: Path, *features: dict[str, Any]) -> City:
    (folder / "quarter.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [*_CROSSING, *features]})
    )
    plan = written(folder, map={"geojson": "quarter.geojson"}, cameras=2)
    return City.of(load(plan), CENTRE)


def _ring(lon: float, lat: float, wide: float, tall: float) -> list[list[list[float]]]:
    return [
        [
            [lon, lat],
            [lon + wide, lat],
            [lon + wide, lat + tall],
            [lon, lat + tall],
            [lon, lat],
        ]
    ]


def test_a_map_s_buildings_stand_where_they_are_and_as_high(tmp_path: Path) -> None:
    corner = (106.9923, -6.2381)
    city = _on_map(
        tmp_path,
        _feature("Polygon", _ring(*corner, 0.0002, 0.0001), building="yes", height="12 m"),
        _feature("Polygon", _ring(106.9915, -6.2388, 0.0001, 0.0002), building="house"),
        # In the middle of the crossing: nothing can be driven there, so it is left out.
        _feature("Polygon", _ring(106.99195, -6.2384, 0.0001, 0.0002), kind="building"),
        _feature("Polygon", _ring(106.9922, -6.2392, 0.0003, 0.0003), leisure="park"),
    )
    (place,) = city.places
    assert len(place.buildings) == 2
    high = next(block for block in place.buildings if block.height_m == 12)
    x, y = place.to_plane(np.array([high.middle]))[0]
    middle = city.projection.place(float(x), float(y))
    assert distance_m(middle, LonLat(corner[0] + 0.0001, corner[1] + 0.00005)) < 0.5
    sides = sorted((high.a1 - high.a0, high.b1 - high.b0))
    assert sides == pytest.approx([11.06, 22.1], abs=0.3)
    (park,) = place.areas
    assert park.ground is Ground.GREEN


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        (_feature("Polygon", _ring(106.99, -6.2, 0.1, 0.1), building="yes", height="tall"), "tall"),
        (_feature("Polygon", _ring(106.99, -6.2, 0.1, 0.1), building=1, height_m=-3), "above 0"),
        (_feature("LineString", [[106.99, "x"], [107.0, -6.2]]), "longitude, latitude"),
        (_feature("LineString", [[106.99, -6.2]]), "2 positions at least"),
        (_feature("LineString", [[719_000, 9_310_000], [719_100, 9_310_000]]), "projection"),
        (_feature("Polygon", [[[106.99, -6.2], [106.99, -6.3]]], building="yes"), "4 positions"),
        ({"type": "Point", "coordinates": [0, 0]}, '"type": "Feature"'),
    ],
)
def test_what_a_map_s_file_gets_wrong_is_told_with_its_feature(
    tmp_path: Path, feature: dict[str, Any], told: str
) -> None:
    with pytest.raises(ScenarioError, match=r"quarter\.geojson: features\.2: ") as caught:
        _on_map(tmp_path, feature)
    assert told in str(caught.value)
