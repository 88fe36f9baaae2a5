"""The console, its map, evidence and the reference, as a browser is given them."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import httpx
import pytest

from incidents.people.accounts import Role
from plumbing.bus import Bus
from tests.support.api import RunningApi, api_settings, running_api


def test_pages_carry_a_policy_that_the_map_can_live_with(desk: httpx.Client) -> None:
    answer = desk.get("/")
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "blob:" in policy["worker-src"]
    assert "blob:" in policy["img-src"]
    assert policy["connect-src"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "server" not in answer.headers


async def test_an_online_style_may_be_fetched_when_configured(tmp_path: Path, bus: Bus) -> None:
    settings = api_settings(tmp_path, map__style_url="https://tiles.example/style.json")
    async with running_api(settings, bus) as api, api.client() as client:
        policy = (await client.get("/")).headers["content-security-policy"]
        assert "connect-src 'self' https://tiles.example;" in policy
        config = (await client.get("/api/v1/config")).json()
        assert config["map"]["style_url"] == "https://tiles.example/style.json"


def test_the_configuration_tells_what_the_console_needs(desk: httpx.Client) -> None:
    config = desk.get("/api/v1/config").json()
    assert config["city"] == {
        "name": "Kota Bekasi",
        "lon": 106.992,
        "lat": -6.2383,
        "radius_m": 30000.0,
        "timezone": "Asia/Jakarta",
    }
    assert config["map"]["geojson_urls"] == []


async def test_map_files_are_served_by_name_and_in_ranges(tmp_path: Path, bus: Bus) -> None:
    tiles, areas = tmp_path / "bekasi.pmtiles", tmp_path / "kecamatan.geojson"
    tiles.write_bytes(b"PMTiles" + bytes(1000))
    areas.write_text('{"type":"FeatureCollection","features":[]}')
    settings = api_settings(
        tmp_path / "data", map__pmtiles=tiles, map__geojson=f"[{areas}, {tmp_path}/gone.geojson]"
    )
    async with running_api(settings, bus) as api, api.client() as client:
        drawn = (await client.get("/api/v1/config")).json()["map"]
        part = await client.get(drawn["pmtiles_url"], headers={"Range": "bytes=0-6"})
        assert (part.status_code, part.content) == (206, b"PMTiles")
        there, gone = drawn["geojson_urls"]
        answer = await client.get(there)
        assert answer.json()["type"] == "FeatureCollection"
        assert answer.headers["content-type"] == "application/geo+json"
        assert (await client.get(gone)).status_code == 404
        assert (await client.get("/map/..%2f..%2fetc%2fpasswd")).status_code == 404


async def test_the_console_is_served_where_it_is_built(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIAGA_CONSOLE", str(tmp_path / "dist"))
    async with running_api(api_settings(tmp_path / "data"), bus) as api, api.client(None) as client:
        unbuilt = await client.get("/")
        assert unbuilt.status_code == 503
        assert "make run" in unbuilt.text
        (tmp_path / "dist" / "assets").mkdir(parents=True)
        (tmp_path / "dist" / "index.html").write_text("<!doctype html>map")
        (tmp_path / "dist" / "assets" / "app-1a2b.js").write_text("1")
        (tmp_path / "secret.txt").write_text("secret")
        page = await client.get("/")
        assert (page.status_code, page.text) == (200, "<!doctype html>map")
        assert page.headers["cache-control"] == "no-cache"
        script = await client.get("/assets/app-1a2b.js")
        assert "immutable" in script.headers["cache-control"]
        assert script.headers["content-type"].startswith("text/javascript")
        assert "content-encoding" not in script.headers
        (tmp_path / "dist" / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(b"1"))
        for accepted, encoding in (("gzip, br", "gzip"), ("br;q=0.5", None), ("identity", None)):
            asked = {"Accept-Encoding": accepted}
            again = await client.get("/assets/app-1a2b.js", headers=asked)
            assert again.headers.get("content-encoding") == encoding
            assert again.headers["content-type"] == script.headers["content-type"]
            assert (again.text, again.headers["vary"]) == ("1", "Accept-Encoding")
        for path in ("/assets/none.js", "/incidents", "/..%2fsecret.txt", "/%2e%2e/secret.txt"):
            answer = await client.get(path)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"


async def test_evidence_is_served_as_it_was_put(own_api: RunningApi) -> None:
    from plumbing.evidence import FolderEvidence

    store = FolderEvidence(own_api.settings.evidence_folder, 0)
    evidence_id = store.put(b"\xff\xd8picture", "image/jpeg")
    async with own_api.client(Role.VIEWER) as client:
        answer = await client.get(f"/api/v1/evidence/{evidence_id}")
        assert answer.content == b"\xff\xd8picture"
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"].startswith("private")
        for unknown in ("0" * 64, "nonsense", "..%2f..%2fx"):
            assert (await client.get(f"/api/v1/evidence/{unknown}")).status_code == 404


def test_the_reference_needs_nothing_from_elsewhere(desk: httpx.Client) -> None:
    page = desk.get("/docs")
    assert page.status_code == 200
    assert "/api/v1/calls" in page.text
    assert "<script" not in page.text
    assert not re.search(r"(src|href)=.?https?:", page.text)
    assert "sha256-" in page.headers["content-security-policy"]
