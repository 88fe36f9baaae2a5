"""Cameras: what is registered, where they look, and how they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np

from contracts.errors import (
    ContractError,
    require_between,
    require_positive,
    require_text,
    require_utc,
)
from contracts.heads import OnvifHead, PtzHead
from contracts.ids import CameraId
from contracts.places import LonLat


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPose:
    """A pinhole camera over the ground, with one standard deviation of each figure.

    Bearing is degrees clockwise from true north; tilt is negative downwards; roll is positive when
    the picture's right side dips; ``hfov_deg`` is the horizontal field of view of the whole
    picture; ``k1`` is the radial term on coordinates in units of the focal length.
    """

    position: LonLat
    height_m: float
    bearing_deg: float
    tilt_deg: float
    hfov_deg: float
    width_px: int
    height_px: int
    roll_deg: float = 0.0
    k1: float = 0.0
    range_m: float = 150.0
    """How far the camera is trusted to show a hazard; drawn and used for fields of view."""
    position_sigma_m: float = 2.0
    height_sigma_m: float = 0.5
    bearing_sigma_deg: float = 4.0
    tilt_sigma_deg: float = 2.0
    roll_sigma_deg: float = 1.5
    hfov_sigma_pct: float = 5.0
    covariance: tuple[tuple[float, ...], ...] | None = None
    """A calibration's, 8 x 8, in the order east, north, height (m), bearing, tilt, roll (radians),
    log of the focal length, k1. It goes before the sigmas, which can't tell that an error of the
    tilt and one of the focal length belong together."""

    def __post_init__(self) -> None:
        require_between("height_m", self.height_m, 0.5, 500)
        require_between("bearing_deg", self.bearing_deg, -360, 360)
        require_between("tilt_deg", self.tilt_deg, -90, 60)
        require_between("hfov_deg", self.hfov_deg, 1, 175)
        require_between("roll_deg", self.roll_deg, -180, 180)
        require_between("k1", self.k1, -1, 1)
        require_between("width_px", self.width_px, 16, 16384)
        require_between("height_px", self.height_px, 16, 16384)
        require_positive("range_m", self.range_m)
        for name in (
            "position_sigma_m",
            "height_sigma_m",
            "bearing_sigma_deg",
            "tilt_sigma_deg",
            "roll_sigma_deg",
            "hfov_sigma_pct",
        ):
            require_between(name, getattr(self, name), 0, 10_000)
        edge = math.tan(math.radians(self.hfov_deg) / 2)
        if 1 + 3 * self.k1 * edge**2 <= 0:
            least = -1 / (3 * edge**2)
            raise ContractError(
                "k1", f"folds a picture of {self.hfov_deg:g} degrees; it must exceed {least:.3g}"
            )
        if self.covariance is not None:
            _check_covariance(self.covariance)


def _check_covariance(rows: tuple[tuple[float, ...], ...]) -> None:
    if [len(row) for row in rows] != [8] * 8:
        raise ContractError("covariance", "must have 8 rows of 8 numbers")
    matrix = np.array(rows)
    if not np.all(np.isfinite(matrix)) or not np.allclose(matrix, matrix.T, rtol=1e-6):
        raise ContractError("covariance", "must be finite and symmetric")
    sigma = np.sqrt(np.maximum(np.diag(matrix), 1e-30))
    if np.linalg.eigvalsh(matrix / np.outer(sigma, sigma)).min() < -1e-6:
        raise ContractError("covariance", "must not have a direction of negative variance")


LEAST_ROAD = 0.05
"""Of the picture's width and height: less holds too few pixels to tell water from asphalt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadRegion:
    """A box in a picture, in shares of its width and height: left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        for name in ("x0", "y0", "x1", "y1"):
            require_between(name, getattr(self, name), 0, 1)
        if self.x1 - self.x0 < LEAST_ROAD or self.y1 - self.y0 < LEAST_ROAD:
            raise ContractError(
                "x1", f"right must exceed left, and bottom top, by {LEAST_ROAD:g} of the picture"
            )

    def pixels(self, width_px: int, height_px: int) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in a picture of that size."""
        return (
            round(self.x0 * width_px),
            round(self.y0 * height_px),
            round(self.x1 * width_px),
            round(self.y1 * height_px),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One registered camera, as everybody may see it: no secret is in here.

    ``url`` carries no user or password (see `StreamSource`). ``version`` grows by one a change.
    """

    id: CameraId
    name: str
    url: str
    position: LonLat
    pose: CameraPose | None = None
    head: PtzHead | None = None
    """Of a camera that turns: what it sees is placed by what its head reports, and by `pose` only
    its place, height and lens."""
    road_region: RoadRegion | None = None
    """Where the road lies in its picture, drawn by an admin: what is judged for floods."""
    group: str = ""
    enabled: bool = True
    exercise: bool = False
    """A simulated camera: what it reports never joins a real incident."""
    has_credentials: bool = False
    any_certificate: bool = False
    """Over rtsps and https, whatever certificate it shows is taken, its own mostly; who stands in
    between could then show another picture."""
    version: int = 1

    def __post_init__(self) -> None:
        require_text("id", self.id, 80)
        require_text("name", self.name, 200)
        require_text("url", self.url, 2000)
        if "@" in self.url.split("//", 1)[-1].split("/", 1)[0]:
            raise ContractError("url", "must not carry a user or password; give them apart")
        if self.head is not None and self.pose is None:
            raise ContractError("head", "needs a pose: the head's place, height and lens")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSource:
    """What a worker needs to open a camera's stream.

    ``sealed_password`` is encrypted with the installation's key (`plumbing.sealing`).
    """

    camera_id: CameraId
    url: str
    username: str | None = None
    sealed_password: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    any_certificate: bool = False
    """See `Camera`."""
    exercise: bool = False
    view_key: str = ""
    """Another one whenever the camera's pose is set anew: from then on the view that is seen is the
    one that the pose describes."""
    turns: bool = False
    """Whether it has a head: then another view is no news."""
    onvif_head: OnvifHead | None = None
    """How its head is asked where it points, if it is."""
    road_region: RoadRegion | None = None
    version: int = 1


class CameraState(StrEnum):
    """How a camera is. A live connection may still show nothing: the two are told apart."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"
    """Frames stopped while the connection is up, or the stream ended."""
    FROZEN = "frozen"
    BLACK = "black"
    MOVED = "moved"
    CORRUPT = "corrupt"
    WRONG_CLOCK = "wrong_clock"
    """It shows pictures, but its clock is off: they are placed in time by their arrival."""
    LOW_RATE = "low_rate"
    """It shows pictures, but far fewer a second than it used to."""
    QUARANTINED = "quarantined"
    """What it sends has crashed the decoder repeatedly; not opened until its entry is changed."""
    UNAUTHORISED = "unauthorised"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    """No answer in time, no route, no such host, or an address that may not be opened."""
    INVALID = "invalid"
    """Something answers that is no video."""
    DISABLED = "disabled"
    UNWATCHED = "unwatched"
    """No worker has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewShift:
    """How a camera's picture has moved against the one that its pose describes.

    ``homography`` (row by row) takes a point of the former picture to where it is seen now; points
    are measured from the picture's middle, right and down, in widths of the picture.
    """

    homography: tuple[float, float, float, float, float, float, float, float, float]
    matches: int
    """Spots found in both pictures that agree on it."""
    sigma: float
    """Standard deviation of one spot's place, in widths of the picture."""
    aspect: float
    """The picture's height in widths."""

    def __post_init__(self) -> None:
        if not np.all(np.isfinite(self.homography)):
            raise ContractError("homography", "must be nine finite numbers")
        require_between("matches", self.matches, 4, 1_000_000)
        require_between("sigma", self.sigma, 1e-9, 1)
        require_between("aspect", self.aspect, 0.05, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraHealth:
    """A camera's state since a time; one is sent a change."""

    camera_id: CameraId
    state: CameraState
    since: datetime
    detail: str = ""
    """What a camera admin should know or do; never holds a password."""
    last_frame_at: datetime | None = None
    frames_per_s: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    codec: str | None = None
    worker: str = ""
    view_shift: ViewShift | None = None
    """How a moved camera's picture has moved."""
    outage: str = ""
    """The site (host) that is down as a whole, where this camera's failure is a part of that: one
    trouble, however many cameras."""

    def __post_init__(self) -> None:
        require_utc("since", self.since)
        if self.last_frame_at is not None:
            require_utc("last_frame_at", self.last_frame_at)
