"""Camera registers of others to ours: GeoJSON, and CSV with Indonesian or English headings.

Pure: text in, cameras and problems out. Every problem names its row and field and says what would
be right; the caller registers all rows or none. What becomes of cameras that are known already is
`incidents.register.taking_over`'s.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from contracts import Camera, CameraId, CameraPose, ContractError, LonLat
from incidents.camera_profiles import Profile
from incidents.register.register_files import MORE, rows_of

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
LONGEST_ID = 80
LONGEST_GROUP = 120
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
    """What is wrong with one row, numbered as it stands in the file: a CSV's headings are row 1,
    as in a spreadsheet, an entry of a list counts from 1, and 0 is the file itself."""

    row: int
    field: str
    why: str


def read_register(
    text: str, centre: LonLat, radius_m: float, profile: Profile = Profile.OURS
) -> tuple[list[ImportedCamera], list[ImportProblem]]:
    """Read a whole register.

    ``centre`` and ``radius_m`` are the city's: positions farther off are problems.
    """
    text = text.removeprefix("\ufeff")
    try:
        rows = list(rows_of(text, profile))
    except ContractError as error:
        return [], [ImportProblem(row=0, field=error.field, why=error.why)]
    except csv.Error as error:
        return [], [ImportProblem(row=0, field="file", why=f"is no CSV: {error}")]
    cameras: list[ImportedCamera] = []
    problems: list[ImportProblem] = []
    for number, row in rows:
        try:
            imported = _camera(number, row)
            _check_in_city(imported.camera.position, centre, radius_m)
        except ContractError as error:
            problems.append(ImportProblem(row=number, field=error.field, why=error.why))
        else:
            cameras.append(imported)
    problems += _repeated(cameras)
    return cameras, sorted(problems, key=lambda problem: problem.row)


def _camera(number: int, row: Mapping[str, Any]) -> ImportedCamera:
    if MORE in row:
        raise ContractError(
            "row", "has more fields than there are headings; what has a comma in it needs quotes"
        )
    url, username, password = _without_credentials(_text(row, "url"))
    name = _text(row, "name") if row.get("name") else _text(row, "id")
    # It stands in addresses: what has a blank or a slash in it could never be opened there.
    camera_id = _UNSAFE.sub("-", _optional(row, "id") or name.lower()[:LONGEST_ID]).strip("-._")
    position = LonLat(_number(row, "lon"), _number(row, "lat"))
    group = _optional(row, "group") or ""
    if len(group) > LONGEST_GROUP:
        raise ContractError("group", f"is longer than {LONGEST_GROUP} characters")
    referer = _optional(row, "referer")
    return ImportedCamera(
        row=number,
        camera=Camera(
            id=CameraId(camera_id),
            name=name,
            url=url,
            position=position,
            pose=_pose(row, position),
            group=group,
            enabled=_is_said(row, "enabled", True),
            any_certificate=_is_said(row, "any_certificate", False),
        ),
        username=_optional(row, "username") or username,
        password=_optional(row, "password") or password,
        headers=(("Referer", referer),) if referer else (),
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
    value = _optional(row, name)
    if value is None:
        raise ContractError(name, "is missing")
    return value


def _optional(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    if value is None:
        return None
    # Programs that write JSON make a number of a password that looks like one.
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ContractError(name, "must be text")
    return str(value).strip() or None


def _is_said(row: Mapping[str, Any], name: str, unsaid: bool) -> bool:
    word = str(row.get(name, "")).strip().lower()
    if not word:
        return unsaid
    if word not in _YES and word not in _NO:
        raise ContractError(name, f"must be one of {', '.join(_YES[:3])} or no, got {row[name]!r}")
    return word in _YES


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    if value in (None, ""):
        raise ContractError(name, "is missing")
    try:
        # Spreadsheets set to Indonesian write a decimal comma, web pages a real minus.
        text = value.replace(",", ".").replace("\u2212", "-") if isinstance(value, str) else value
        number = float(text)
    except (TypeError, ValueError) as error:
        raise ContractError(name, f"must be a number, got {value!r}") from error
    if not math.isfinite(number):
        raise ContractError(name, f"must be a finite number, got {value!r}")
    return number


def _check_in_city(position: LonLat, centre: LonLat, radius_m: float) -> None:
    off_m = distance_m(position, centre)
    if off_m <= radius_m:
        return
    hint = ""
    if (
        abs(position.lon) <= 90
        and distance_m(LonLat(position.lat, position.lon), centre) <= radius_m
    ):
        hint = "; lon and lat are swapped"
    raise ContractError("position", f"lies {off_m / 1000:,.0f} km from the city's centre{hint}")


def distance_m(one: LonLat, other: LonLat) -> float:
    """Great-circle distance on a sphere: good to 0.5 %, which is all that a gate needs."""
    lat1, lat2 = math.radians(one.lat), math.radians(other.lat)
    dlat, dlon = lat2 - lat1, math.radians(other.lon - one.lon)
    a = math.sin(dlat / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(dlon / 2) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, a)))


def _repeated(cameras: list[ImportedCamera]) -> Iterator[ImportProblem]:
    named: dict[str, int] = {}
    opened: dict[str, int] = {}
    for one in cameras:
        camera = one.camera
        if camera.id in named:
            why = f"{camera.id!r} is the same as in row {named[camera.id]}"
            yield ImportProblem(
                row=one.row, field="id", why=f"{why}; what has no id has its name's"
            )
        elif camera.url in opened:
            why = f"is the same as in row {opened[camera.url]}"
            yield ImportProblem(row=one.row, field="url", why=why)
        named.setdefault(camera.id, one.row)
        opened.setdefault(camera.url, one.row)
