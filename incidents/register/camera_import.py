"""Camera registers of others to ours: GeoJSON, and CSV with Indonesian or English headings.

Pure: text in, cameras and problems out. Every problem names its row and field and says what would
be right; the caller registers all rows or none.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from contracts import Camera, CameraId, CameraPose, ContractError, LonLat
from incidents.camera_profiles import Profile, caltrans_rows, tfl_rows

MAX_CAMERAS = 100_000

ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "kode", "code", "camera_id", "id_kamera"),
    "name": ("name", "nama", "lokasi", "location", "title", "judul", "nama_kamera"),
    "url": ("url", "stream", "stream_url", "link", "alamat_stream", "rtsp", "hls", "source"),
    "lon": ("lon", "lng", "long", "longitude", "bujur", "x"),
    "lat": ("lat", "latitude", "lintang", "y"),
    "group": ("group", "grup", "kelompok", "kecamatan", "pemilik", "owner"),
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
_BY_ALIAS = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
_POSE_NEEDS = ("height_m", "bearing_deg", "tilt_deg", "hfov_deg", "width_px", "height_px")
_POSE_MAY = (
    "roll_deg",
    "k1",
    "range_m",
    "position_sigma_m",
    "height_sigma_m",
    "bearing_sigma_deg",
    "tilt_sigma_deg",
    "roll_sigma_deg",
    "hfov_sigma_pct",
)
_YES = ("yes", "ya", "true", "1")
_NO = ("no", "tidak", "false", "0", "none", "")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_EARTH_RADIUS_M = 6_371_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCamera:
    """A camera with what opening it takes; the password is still plain."""

    row: int
    camera: Camera
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProblem:
    """What is wrong with one row (from 1; 0 is the file itself)."""

    row: int
    field: str
    why: str


def read_register(
    text: str, centre: LonLat, radius_m: float, profile: Profile = Profile.OURS
) -> tuple[list[ImportedCamera], list[ImportProblem]]:
    """Read a whole register. Of our own, which format it is shows in its first character.

    ``centre`` and ``radius_m`` are the city's: positions farther off are problems.
    """
    text = text.removeprefix("\ufeff")
    try:
        rows = list(_rows(text, profile))
    except ContractError as error:
        return [], [ImportProblem(row=0, field=error.field, why=error.why)]
    except csv.Error as error:
        return [], [ImportProblem(row=0, field="file", why=f"is no CSV: {error}")]
    cameras: list[ImportedCamera] = []
    problems: list[ImportProblem] = []
    for number, row in enumerate(rows, 1):
        try:
            imported = _camera(number, row)
            _check_in_city(imported.camera.position, centre, radius_m)
        except ContractError as error:
            problems.append(ImportProblem(row=number, field=error.field, why=error.why))
        else:
            cameras.append(imported)
    problems += _repeated(cameras)
    return cameras, sorted(problems, key=lambda problem: problem.row)


def _rows(text: str, profile: Profile) -> Iterator[dict[str, Any]]:
    match profile:
        case Profile.CALTRANS:
            return caltrans_rows(_json(text))
        case Profile.TFL:
            return tfl_rows(_json(text))
        case Profile.OURS:
            return _geojson_rows(text) if text.lstrip().startswith("{") else _csv_rows(text)


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
    for feature in features[:MAX_CAMERAS]:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        row: dict[str, Any] = dict(properties) if isinstance(properties, dict) else {}
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if isinstance(geometry, dict) and geometry.get("type") == "Point":
            coordinates = geometry.get("coordinates")
            if isinstance(coordinates, list) and len(coordinates) >= 2:
                row["lon"], row["lat"] = coordinates[:2]
        yield row


def _csv_rows(text: str) -> Iterator[dict[str, Any]]:
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=None), delimiter=delimiter)
    names = {
        heading: _BY_ALIAS.get(heading.strip().lower().replace(" ", "_"))
        for heading in reader.fieldnames or ()
    }
    if "url" not in names.values():
        raise ContractError(
            "file", f"no column for the URL; headings may be {', '.join(ALIASES['url'])}"
        )
    for row in reader:
        yield {
            name: value.strip()
            for heading, value in row.items()
            if isinstance(value, str) and value.strip() and (name := names.get(heading))
        }


def _camera(number: int, row: Mapping[str, Any]) -> ImportedCamera:
    url, username, password = _without_credentials(_text(row, "url"))
    name = _text(row, "name") if row.get("name") else _text(row, "id")
    camera_id = str(row.get("id") or _UNSAFE.sub("-", name).strip("-").lower())
    position = LonLat(_number(row, "lon"), _number(row, "lat"))
    referer = row.get("referer")
    return ImportedCamera(
        row=number,
        camera=Camera(
            id=CameraId(camera_id),
            name=name,
            url=url,
            position=position,
            pose=_pose(row, position),
            group=str(row.get("group") or ""),
            enabled=bool(row.get("enabled", True)),
            any_certificate=_is_said(row, "any_certificate"),
        ),
        username=row.get("username") or username,
        password=row.get("password") or password,
        headers=(("Referer", str(referer)),) if referer else (),
    )


def _pose(row: Mapping[str, Any], position: LonLat) -> CameraPose | None:
    given = [name for name in _POSE_NEEDS if row.get(name) not in (None, "")]
    if not given:
        return None
    missing = [name for name in _POSE_NEEDS if name not in given]
    if missing:
        raise ContractError(missing[0], f"a pose needs {', '.join(_POSE_NEEDS)}; this is missing")
    values: dict[str, Any] = {
        name: _number(row, name)
        for name in (*_POSE_NEEDS, *_POSE_MAY)
        if row.get(name) not in (None, "")
    }
    values["width_px"], values["height_px"] = int(values["width_px"]), int(values["height_px"])
    return CameraPose(position=position, **values)


def _without_credentials(url: str) -> tuple[str, str | None, str | None]:
    """People paste URLs with the password in them; it is taken out and kept apart."""
    try:
        parts = urlsplit(url)
        username, password = parts.username, parts.password
    except ValueError as error:
        raise ContractError("url", "is no URL") from error
    if not parts.scheme or not parts.hostname:
        raise ContractError("url", "must be a whole URL such as rtsp://host/path")
    if username is None:
        return url, None, None
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]))
    return bare, unquote(username), unquote(password) if password is not None else None


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str | int) or not str(value).strip():
        raise ContractError(name, "is missing")
    return str(value).strip()


def _is_said(row: Mapping[str, Any], name: str) -> bool:
    value = row.get(name, False)
    word = str(value).strip().lower()
    if word not in _YES and word not in _NO:
        raise ContractError(name, f"must be one of {', '.join(_YES[:3])} or no, got {value!r}")
    return word in _YES


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    if value in (None, ""):
        raise ContractError(name, "is missing")
    try:
        # Spreadsheets set to Indonesian write a decimal comma.
        number = float(value.replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError) as error:
        raise ContractError(name, f"must be a number, got {value!r}") from error
    if not math.isfinite(number):
        raise ContractError(name, f"must be a finite number, got {value!r}")
    return number


def _check_in_city(position: LonLat, centre: LonLat, radius_m: float) -> None:
    distance_m = _distance_m(position, centre)
    if distance_m <= radius_m:
        return
    hint = ""
    if (
        abs(position.lon) <= 90
        and _distance_m(LonLat(position.lat, position.lon), centre) <= radius_m
    ):
        hint = "; lon and lat are swapped"
    raise ContractError(
        "position", f"lies {distance_m / 1000:,.0f} km from the city's centre{hint}"
    )


def _distance_m(one: LonLat, other: LonLat) -> float:
    """Great-circle distance on a sphere: good to 0.5 %, which is all that a gate needs."""
    lat1, lat2 = math.radians(one.lat), math.radians(other.lat)
    dlat, dlon = lat2 - lat1, math.radians(other.lon - one.lon)
    a = math.sin(dlat / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(dlon / 2) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, a)))


def _repeated(cameras: list[ImportedCamera]) -> Iterator[ImportProblem]:
    for name in ("id", "url"):
        seen: dict[str, int] = {}
        for imported in cameras:
            value = str(getattr(imported.camera, name))
            if value in seen:
                yield ImportProblem(
                    row=imported.row, field=name, why=f"is the same as in row {seen[value]}"
                )
            seen.setdefault(value, imported.row)
