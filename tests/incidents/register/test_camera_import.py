"""Registers of others come in whole, and what is wrong with them is named by row and field."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import ContractError, LonLat
from incidents.camera_profiles import Profile
from incidents.register.camera_import import read_register
from incidents.register.register_files import decoded

BEKASI = LonLat(106.992, -6.2383)
RADIUS_M = 30_000.0


def read(text: str) -> tuple[list[str], list[tuple[int, str, str]]]:
    cameras, problems = read_register(text, BEKASI, RADIUS_M)
    return (
        [imported.camera.id for imported in cameras],
        [(problem.row, problem.field, problem.why) for problem in problems],
    )


def test_indonesian_csv_with_bom_semicolons_and_decimal_commas() -> None:
    text = (
        "\ufeffNama;Bujur;Lintang;Link\n"
        "Simpang Pekayon;106,98;-6,26;rtsp://10.0.0.1/a\n"
        "Summarecon;107,00;-6,22;https://cctv.example/b.m3u8\n"
    )
    cameras, problems = read_register(text, BEKASI, RADIUS_M)
    assert not problems
    assert [imported.camera.id for imported in cameras] == ["simpang-pekayon", "summarecon"]
    assert cameras[0].camera.position == LonLat(106.98, -6.26)


def test_credentials_in_a_url_are_taken_out_and_kept_apart() -> None:
    text = "id,lon,lat,url\nc1,106.99,-6.24,rtsp://admin:p%40ss@10.0.0.1:554/ch1\n"
    cameras, problems = read_register(text, BEKASI, RADIUS_M)
    assert not problems
    assert cameras[0].camera.url == "rtsp://10.0.0.1:554/ch1"
    assert (cameras[0].username, cameras[0].password) == ("admin", "p@ss")
    assert "p@ss" not in repr(cameras[0])


@pytest.mark.parametrize(
    ("said", "is_any"), [("ya", True), ("1", True), ("tidak", False), ("", False)]
)
def test_whether_any_certificate_will_do(said: str, is_any: bool) -> None:
    text = f"id,lon,lat,url,sertifikat_apa_pun\nc1,106.99,-6.24,rtsps://10.0.0.1/a,{said}\n"
    (imported,), problems = read_register(text, BEKASI, RADIUS_M)
    assert not problems
    assert imported.camera.any_certificate is is_any
    assert read(text.replace(f",{said}\n", ",mungkin\n"))[1][0][1] == "any_certificate"


def test_geojson_with_a_pose() -> None:
    properties = {
        "id": "atcs-017",
        "name": "ATCS 017",
        "url": "rtsp://10.1.2.3/ch1",
        "height_m": 8,
        "bearing_deg": 135,
        "tilt_deg": -15,
        "hfov_deg": 60,
        "width_px": 1280,
        "height_px": 720,
        "bearing_sigma_deg": 2,
    }
    cameras, problems = read_register(_collection([properties]), BEKASI, RADIUS_M)
    assert not problems
    pose = cameras[0].camera.pose
    assert pose is not None
    assert (pose.bearing_deg, pose.width_px, pose.bearing_sigma_deg) == (135, 1280, 2)


def test_half_a_pose_is_refused_by_the_missing_figure() -> None:
    row = {"id": "c", "name": "c", "url": "rtsp://h/1", "height_m": 8, "bearing_deg": 1}
    _, problems = read(_collection([row]))
    assert problems[0][:2] == (1, "tilt_deg")


@pytest.mark.parametrize(
    ("row", "field", "why"),
    [
        ("c,-6.24,106.99,rtsp://h/1", "lat", "swapped"),
        ("c,2.35,48.85,rtsp://h/1", "position", "km from"),
        ("c,,-6.24,rtsp://h/1", "lon", "missing"),
        ("c,east,-6.24,rtsp://h/1", "lon", "number"),
        ("c,106.99,-6.24,", "url", "missing"),
        ("c,106.99,-6.24,camera", "url", "whole URL"),
        ("c,nan,-6.24,rtsp://h/1", "lon", "finite"),
        ("c,106,99,-6,24,rtsp://h/1", "row", "quotes"),
    ],
)
def test_a_bad_row_is_named(row: str, field: str, why: str) -> None:
    good = "good,106.99,-6.24,rtsp://h/good"
    ids, problems = read(f"id,lon,lat,url\n{good}\n{row}\n")
    assert ids == ["good"]
    assert [(number, name) for number, name, _ in problems] == [(3, field)]
    assert why in problems[0][2]


def test_what_spreadsheets_leave_behind_is_no_row() -> None:
    text = (
        "sep=;\r\nkode;nama;lokasi;url;bujur;lintang;aktif;;\r\n"
        "a;Simpang A;Jl. Ahmad Yani;rtsp://h/a;106,99;-6,24;ya;;\r\n"
        ";;;;;;;;\r\n\r\n"
        "b;;Jl. Veteran;rtsp://h/b;106,99;\u22126,24;tidak;;\r\n"
        "c;Simpang C;;rtsp://h/c;timur;-6,24;;;\r\n;;;;;;;;\r\n"
    )
    cameras, problems = read_register(text, BEKASI, RADIUS_M)
    # As a spreadsheet counts them, so that who has 3,000 of them finds the one.
    assert [(one.row, one.field) for one in problems] == [(6, "lon")]
    found = [(one.camera.id, one.camera.name, one.camera.enabled) for one in cameras]
    assert found == [("a", "Simpang A", True), ("b", "Jl. Veteran", False)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_spreadsheets_text_is_read_and_what_is_none_says_what_to_do(encoding: str) -> None:
    text = "nama\tbujur\tlintang\turl\nSimpang Café\t106,99\t-6,24\trtsp://h/1\n"
    (one,), problems = read_register(decoded(text.encode(encoding)), BEKASI, RADIUS_M)
    assert not problems
    assert one.camera.name == "Simpang Café"
    with pytest.raises(ContractError, match="CSV UTF-8"):
        decoded(text.encode("cp1252"))


def test_names_are_told_apart_however_long_and_a_doubled_row_is_told_once() -> None:
    name = "Simpang " + "Jalan Raya Pekayon " * 9
    row = f"{name},106.99,-6.24,rtsp://h/"
    ids, problems = read(f"nama,lon,lat,url\n{row}1\nB,106.99,-6.24,rtsp://h/2\n{row}1\n")
    assert len(ids[0]) <= 80
    assert [(number, field) for number, field, _ in problems] == [(4, "id")]


def test_geojson_may_have_our_languages_names_and_numbers_for_passwords() -> None:
    row = {"kode": "CCTV 17/B", "nama": "Simpang", "link": "rtsp://h/1", "aktif": False}
    row["sandi"] = 12345
    (one,), problems = read_register(_collection([row]), BEKASI, RADIUS_M)
    assert not problems
    assert (one.camera.id, one.camera.enabled, one.password) == ("CCTV-17-B", False, "12345")


def test_swapped_coordinates_within_lawful_bounds_are_recognised() -> None:
    # Near the equator and Greenwich a swap stays lawful; only the city's place gives it away.
    centre = LonLat(10.0, 40.0)
    _, problems = read_register("id,lon,lat,url\nc,40.0,10.0,rtsp://h/1\n", centre, RADIUS_M)
    assert "swapped" in problems[0].why


def test_repeated_ids_and_urls_are_problems() -> None:
    text = "id,lon,lat,url\na,106.99,-6.24,rtsp://h/1\nb,106.99,-6.24,rtsp://h/1\na,106.99,-6.24,rtsp://h/2\n"
    _, problems = read(text)
    assert [(row, field) for row, field, _ in problems] == [(3, "url"), (4, "id")]


@pytest.mark.parametrize("text", ["", "{", '{"type":"Feature"}', "a,b\n1,2\n", "{}", "[]"])
def test_what_is_no_register_is_one_problem_of_the_file(text: str) -> None:
    ids, problems = read(text)
    assert not ids
    assert [(row, field) for row, field, _ in problems] == [(0, "file")]


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    read_register(text, BEKASI, RADIUS_M)
    read_register("id,lon,lat,url\n" + text, BEKASI, RADIUS_M)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "name", "url", "height_m", "width_px", "group", "enabled"]),
            st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.lists(st.none()),
        ),
        max_size=5,
    )
)
def test_no_geojson_breaks_the_reader(rows: list[dict[str, object]]) -> None:
    cameras, problems = read_register(_collection(rows), BEKASI, RADIUS_M)
    assert len(cameras) + len({problem.row for problem in problems}) >= len(rows)


def _collection(rows: list[dict[str, object]]) -> str:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [106.99, -6.24]},
            "properties": row,
        }
        for row in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def test_registers_of_caltrans_and_tfl_are_read_by_their_profiles() -> None:
    caltrans = {
        "data": [
            {
                "cctv": {
                    "index": "7",
                    "inService": "false",
                    "location": {
                        "district": "4",
                        "locationName": "TV701 -- I-80 : AT TREASURE ISLAND",
                        "longitude": "106.99",
                        "latitude": "-6.24",
                        "county": "San Francisco",
                        "direction": "West",
                    },
                    "imageData": {
                        "streamingVideoURL": "",
                        "static": {"currentImageURL": "https://example.org/tv701.jpg"},
                    },
                }
            }
        ]
    }
    tfl = [
        {
            "id": "JamCams_00001.01251",
            "commonName": "Romford Rd / Upton Lane",
            "lat": -6.241,
            "lon": 106.991,
            "additionalProperties": [
                {"key": "available", "value": "true"},
                {"key": "imageUrl", "value": "https://example.org/1251.jpg"},
                {"key": "view", "value": "Romford Rd East"},
            ],
        }
    ]
    for profile, document, name, enabled in (
        (Profile.CALTRANS, caltrans, "TV701 -- I-80 : AT TREASURE ISLAND", False),
        (Profile.TFL, tfl, "Romford Rd / Upton Lane", True),
    ):
        cameras, problems = read_register(json.dumps(document), BEKASI, RADIUS_M, profile)
        assert problems == []
        (one,) = cameras
        assert (one.camera.name, one.camera.enabled) == (name, enabled)
        assert one.camera.url.startswith("https://example.org/")
        # The wrong profile says what it expects, and breaks at nothing.
        other = Profile.TFL if profile is Profile.CALTRANS else Profile.CALTRANS
        _, wrong = read_register(json.dumps(document), BEKASI, RADIUS_M, other)
        assert [problem.field for problem in wrong] == ["file"]
