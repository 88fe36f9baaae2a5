"""OGC API - Features as other people's programs read it: OWSLib and GDAL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pyogrio
import pytest
from owslib.ogcapi.features import Features

from incidents.people.accounts import Role
from plumbing.embedded_bus import EmbeddedBus
from tests.api.filled import PLACES, filled_api
from tests.api.made import LAT, LON
from tests.support.api import ApiThread

ITEMS = "/ogc/collections/incidents/items"


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus
) -> Iterator[ApiThread]:
    folder = tmp_path_factory.mktemp("ogc")
    with filled_api(folder, shared_server.url, "ogc-tests") as running:
        yield running


@pytest.fixture
def viewer(filled: ApiThread) -> Iterator[httpx.Client]:
    with filled.client(Role.VIEWER) as client:
        yield client


@pytest.fixture
def features(filled: ApiThread) -> Features:
    return Features(f"{filled.api.url}/ogc", headers=filled.api.headers(Role.VIEWER))


def ids(collection: dict[str, Any]) -> list[str]:
    return [feature["id"] for feature in collection["features"]]


def link(document: dict[str, Any], rel: str) -> str | None:
    found = [one["href"] for one in document["links"] if one["rel"] == rel]
    assert len(found) <= 1
    return found[0] if found else None


def test_owslib_reads_everything(features: Features) -> None:
    assert features.response["title"] == "112 Kota Bekasi"
    assert any(one.endswith("conf/geojson") for one in features.conformance()["conformsTo"])
    assert features.feature_collections() == ["incidents", "cameras"]
    assert features.collection("incidents")["itemType"] == "feature"
    found = features.collection_items("incidents")
    assert ids(found) == [f"incident-{number}" for number in (5, 4, 3, 2, 1)]
    assert features.collection_item("incidents", "incident-3")["geometry"] == {
        "type": "Point",
        "coordinates": [PLACES[2].lon, PLACES[2].lat],
    }


def test_owslib_asks_by_place_and_time(features: Features) -> None:
    box = [LON + 0.015, LAT - 0.01, LON + 0.035, LAT + 0.01]
    assert ids(features.collection_items("incidents", bbox=box)) == ["incident-4", "incident-3"]
    swapped = [LAT - 0.01, LON + 0.015, LAT + 0.01, LON + 0.035]
    with pytest.raises(RuntimeError, match="swapped"):
        features.collection_items("incidents", bbox=swapped)
    before = features.collection_items("incidents", datetime_="../2026-11-21T00:00:00Z")
    assert ids(before) == []
    since = features.collection_items("incidents", datetime_="2026-11-22/..", limit=3)
    assert len(ids(since)) == since["numberReturned"] == 3


def test_owslib_goes_from_page_to_page(features: Features) -> None:
    seen: list[str] = []
    after: dict[str, str] = {}
    for _ in range(3):
        page = features.collection_items("incidents", limit=2, **after)
        seen += ids(page)
        following = link(page, "next")
        if following is None:
            break
        after = {"after": httpx.URL(following).params["after"]}
    assert seen == [f"incident-{number}" for number in (5, 4, 3, 2, 1)]


def test_the_next_page_asks_what_the_first_one_asked(viewer: httpx.Client) -> None:
    box = f"{LON - 0.01},{LAT - 0.01},{LON + 0.025},{LAT + 0.01}"
    page = viewer.get(ITEMS, params={"bbox": box, "limit": 2}).json()
    assert ids(page) == ["incident-3", "incident-2"]
    following = link(page, "next")
    assert following is not None
    last = viewer.get(following).json()
    assert ids(last) == ["incident-1"]
    assert link(last, "next") is None


# In a process of its own: GDAL keeps the interpreter's lock while it waits for our answer.
GDAL = """
import sys
from pyogrio import list_layers
from pyogrio.raw import read
from shapely import from_wkb
source, west, south = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
print(*(name for name, _ in list_layers(source)))
_, _, geometry, _ = read(source, layer="incidents", bbox=(west, south, west + 1, south + 1))
print(*sorted(f"{one.x:.4f},{one.y:.4f}" for one in from_wkb(geometry)))
print(len(read(source, layer="cameras")[2]))
"""


@pytest.mark.skipif(
    "OAPIF" not in pyogrio.list_drivers(), reason="this GDAL was built without its OAPIF driver"
)
def test_gdal_reads_both_collections(filled: ApiThread) -> None:
    sign_in = {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": filled.api.keys[Role.VIEWER]}
    source = f"OAPIF:{filled.api.url}/ogc"
    done = subprocess.run(
        [sys.executable, "-c", GDAL, source, str(LON - 0.001), str(LAT - 0.001)],
        env={**os.environ, **sign_in},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    layers, places, cameras = done.stdout.splitlines()
    assert layers.split() == ["incidents", "cameras"]
    assert places.split() == [f"{place.lon:.4f},{place.lat:.4f}" for place in PLACES]
    assert cameras == "3"


def test_exercises_stay_apart(viewer: httpx.Client) -> None:
    assert ids(viewer.get(ITEMS, params={"exercise": "true"}).json()) == ["exercise-9"]
    assert "exercise-9" not in ids(viewer.get(ITEMS).json())


def test_cameras_come_in_pages_and_tell_no_address(viewer: httpx.Client) -> None:
    page = viewer.get("/ogc/collections/cameras/items", params={"limit": 2})
    assert ids(page.json()) == ["camera-1", "camera-2"]
    following = viewer.get(link(page.json(), "next") or "")
    assert ids(following.json()) == ["camera-3"]
    one = viewer.get("/ogc/collections/cameras/items/camera-1")
    for answer in (page, following, one):
        assert answer.status_code == 200
        for secret in ("rtsp", "hunter2", "8554", "ani"):
            assert secret not in answer.text
    far = viewer.get("/ogc/collections/cameras/items", params={"bbox": "0,0,1,1"})
    assert ids(far.json()) == []


@pytest.mark.parametrize(
    "asked",
    ["bbox=1", "datetime=x", "limit=0", "limit=x", "after=x", "colour=red", "limit=1&limit=2"],
)
def test_what_can_not_be_understood_is_refused_with_400(viewer: httpx.Client, asked: str) -> None:
    answer = viewer.get(f"{ITEMS}?{asked}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == asked.split("=")[0]


def test_what_is_not_there(viewer: httpx.Client) -> None:
    for path in ("/ogc/collections/none", "/ogc/collections/none/items", f"{ITEMS}/none"):
        assert viewer.get(path).status_code == 404, path


def test_every_link_leads_somewhere(viewer: httpx.Client) -> None:
    waiting, seen = [f"{viewer.base_url}/ogc/"], set()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = viewer.get(address)
        assert answer.status_code == 200, address
        if "json" in answer.headers["content-type"] and "openapi" not in address:
            document = answer.json()
            parts = [document, *document.get("collections", ())]
            links = [one for part in parts for one in part.get("links", ())]
            for one in links:
                kind = viewer.get(one["href"]).headers["content-type"]
                assert kind.split(";")[0] == one["type"].split(";")[0] or "openapi" in one["type"]
                if one["href"] not in seen:
                    waiting.append(one["href"])
    assert any(address.endswith("/ogc/collections/cameras/items") for address in seen)
    assert viewer.get("/ogc").json() == viewer.get("/ogc/").json()


def test_the_answers_are_kept_by_nobody(viewer: httpx.Client) -> None:
    for path in ("/ogc/", ITEMS, "/cap/feed"):
        assert viewer.get(path).headers["cache-control"] == "no-store"
