"""Features are lawful GeoJSON, longitude first, and tell no camera's address."""

from __future__ import annotations

import json

from hypothesis import given, settings
from shapely.geometry import shape

from api.formats.features import camera_feature, incident_feature
from api.wire import plain
from contracts import Camera, CameraHealth, Incident, from_plain
from contracts.places import MultiPolygon, Polygon
from tests.incidents.make import camera, health
from tests.support import nouns


@settings(max_examples=100, deadline=None)
@given(nouns.incidents)
def test_every_incident_gives_a_feature_at_its_place(one: Incident) -> None:
    found = json.loads(plain(incident_feature(one)))
    point = shape(found["geometry"])
    assert (point.x, point.y) == (one.estimate.location.lon, one.estimate.location.lat)
    for name, region in (("region50", one.estimate.region50), ("region90", one.estimate.region90)):
        told = found["properties"][name]
        kind = Polygon if told["type"] == "Polygon" else MultiPolygon
        assert from_plain(kind, told) == region.area
    assert found["id"] == one.id
    assert found["properties"]["started_at"].endswith("Z")


@given(nouns.cameras, nouns.healths)
def test_no_camera_s_address_is_told(one: Camera, how: CameraHealth) -> None:
    found = json.loads(plain(camera_feature(one, how)))
    told = found["properties"]
    assert not {"url", "username", "headers", "has_credentials"} & {*found, *told}
    # People may write anything into a name, an address too.
    written = ("name", "group", "detail")
    assert one.url not in [value for key, value in told.items() if key not in written]


def test_a_camera_tells_where_it_stands_and_how_it_is() -> None:
    found = camera_feature(camera(), health())
    assert found["geometry"]["coordinates"] == [camera().position.lon, camera().position.lat]
    assert found["properties"]["state"] == "live"
    assert found["properties"]["bearing_deg"] == 0
    assert camera_feature(camera(pose=None), None)["properties"]["state"] == "unwatched"
