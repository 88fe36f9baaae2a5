"""The files that camera registers come in, as numbered rows with our names for their columns.

GeoJSON, CSV as spreadsheets and people write it, and the published forms of
`incidents.camera_profiles`. What a row says of a camera is `incidents.register.camera_import`'s.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from contracts import ContractError
from incidents.camera_profiles import Profile, caltrans_rows, tfl_rows

MAX_CAMERAS = 100_000

ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "kode", "code", "camera_id", "id_kamera", "kode_kamera"),
    "name": ("name", "nama", "nama_kamera", "title", "judul", "nama_lokasi", "lokasi", "location"),
    "url": (
        "url",
        "stream",
        "stream_url",
        "link",
        "alamat_stream",
        "url_stream",
        "link_stream",
        "rtsp",
        "hls",
        "source",
    ),
    "lon": ("lon", "lng", "long", "longitude", "bujur", "x"),
    "lat": ("lat", "latitude", "lintang", "y"),
    "group": ("group", "grup", "kelompok", "kecamatan", "pemilik", "owner"),
    "enabled": ("enabled", "aktif"),
    "username": ("username", "user", "pengguna"),
    "password": ("password", "sandi", "kata_sandi"),
    "any_certificate": ("any_certificate", "sertifikat_apa_pun"),
    "referer": ("referer", "referrer", "perujuk"),
    "height_m": ("height_m", "height", "tinggi", "tinggi_m"),
    "bearing_deg": ("bearing_deg", "bearing", "azimuth", "arah", "heading"),
    "tilt_deg": ("tilt_deg", "tilt", "kemiringan"),
    "roll_deg": ("roll_deg", "roll"),
    "hfov_deg": ("hfov_deg", "hfov", "fov", "sudut_pandang"),
    "width_px": ("width_px", "width", "lebar"),
    "height_px": ("height_px", "tinggi_px"),
    "range_m": ("range_m", "range", "jangkauan"),
}
"""Where a file has several columns for one thing, the one named first here counts."""
_BY_ALIAS = {
    alias: (rank, name) for name, aliases in ALIASES.items() for rank, alias in enumerate(aliases)
}
_NEEDED = ("url", "lon", "lat")
_DELIMITERS = (",", ";", "\t")
_SPREADSHEETS_HINT = re.compile(r"sep=([,;|\t])\r?\n", re.IGNORECASE)
MORE = "(more)"
"""Stands in a row that has more fields than there are headings."""


def decoded(data: bytes) -> str:
    """A register's file as text: UTF-8, or the UTF-16 of a spreadsheet's "Unicode text".

    Raises:
        ContractError: it is neither.
    """
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise ContractError(
            "file", 'is not UTF-8 text; from a spreadsheet, save it as "CSV UTF-8"'
        ) from None


def rows_of(text: str, profile: Profile) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows with their numbers. Of our own, which format it is shows in the first character.

    Raises:
        ContractError: the file has another form.
        csv.Error: it is no CSV.
    """
    match profile:
        case Profile.CALTRANS:
            return enumerate(caltrans_rows(_json(text)), 1)
        case Profile.TFL:
            return enumerate(tfl_rows(_json(text)), 1)
        case Profile.OURS:
            is_json = text.lstrip().startswith("{")
            return enumerate(_geojson_rows(text), 1) if is_json else _csv_rows(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ContractError("file", f"is no JSON: {error}") from error


def _geojson_rows(text: str) -> Iterator[dict[str, Any]]:
    document = _json(text)
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise ContractError("file", "must be a GeoJSON FeatureCollection of points")
    if len(features) > MAX_CAMERAS:
        raise ContractError("file", f"has more than {MAX_CAMERAS:,} entries; divide it")
    for feature in features:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        row = _in_our_words(properties) if isinstance(properties, dict) else {}
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if isinstance(geometry, dict) and geometry.get("type") == "Point":
            coordinates = geometry.get("coordinates")
            if isinstance(coordinates, list) and len(coordinates) >= 2:
                row["lon"], row["lat"] = coordinates[:2]
        yield row


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows with their numbers; blank ones, as spreadsheets leave them behind, only count."""
    if hint := _SPREADSHEETS_HINT.match(text):
        text = text[hint.end() :]
    first = text.split("\n", 1)[0]
    delimiter = hint[1] if hint else max(_DELIMITERS, key=first.count)
    records = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
    headings = next(records, [])
    columns = _in_our_words(dict.fromkeys(headings, True))
    for needed in _NEEDED:
        if needed not in columns:
            known = ", ".join(ALIASES[needed])
            raise ContractError("file", f"no column for the {needed}; headings may be {known}")
    for number, record in enumerate(records, 2):
        values = [value.strip() for value in record]
        if not any(values):
            continue
        row = _in_our_words(dict(zip(headings, values, strict=False)))
        if any(values[len(headings) :]):
            row[MORE] = True
        yield number, row


def _in_our_words(given: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under others' headings, under ours; what is left empty is left out."""
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for heading, value in given.items():
        if value is None or value == "":
            continue
        word = str(heading).strip().lower().replace(" ", "_")
        rank, name = _BY_ALIAS.get(word, (0, word))
        if name not in found or rank < ranks[name]:
            found[name], ranks[name] = value, rank
    return found
