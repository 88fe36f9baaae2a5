"""Cameras that turn: the pose from reported pan, tilt and zoom, with what is wrong in them learnt.

A head's report is off by a mounting: its zero points somewhere, its scales are a little wrong, its
axis leans. All of it is small and enters the angles linearly, so that it is estimated exactly by
recursive Bayes, from poses fitted (`geo.calibration`) while the head reported a position::

    bearing = pan (1 + pan_scale) + pan_zero + tan(tilt) (lean_x sin b - lean_y cos b)
    tilt    = tilt (1 + tilt_scale) + tilt_zero + lean_x cos b + lean_y sin b
    log f   = log f_wide + zoom log(f_tele / f_wide)
              + zoom_zero + zoom_scale zoom + 4 zoom_bend zoom (1 - zoom)

A picture and a report belong together only where the head stood still between two reports around
it, or the report is fresh (`aligned`). Without that, or with a part missing, less is claimed: a
bearing alone, or only that it is around the camera.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from contracts import HeadReport, LearntHead, PtzHead
from contracts.heads import BIASES
from geo.camera import PinholeCamera

Floats = NDArray[np.float64]

PRIOR_SIGMAS = np.array(
    [math.pi, 0.01, math.radians(3), 0.01, math.radians(1), math.radians(1), 0.1, 0.1, 0.15]
)
"""Of a head that nobody has calibrated: its zero may point anywhere."""

FRESH = timedelta(milliseconds=500)
"""A report this old still describes a head that isn't known to stand still."""
AROUND = timedelta(seconds=10)
"""Two reports this far apart that agree say where the head stood in between."""
STEADY = timedelta(seconds=1.5)
"""A head that stood still up to this long ago is taken to stand still yet: most do for hours, and
the next look at the track has newer reports."""
STARTED_DEG = 1.0
"""What is allowed for that it has begun to turn meanwhile."""
STILL_DEG = 0.1
STILL_ZOOM = 0.005
FASTEST_DEG_S = 60.0
"""Heads of street cameras turn by 30 to 100 degrees a second between presets."""
REPEATED_SIGMA = np.array([math.radians(0.1), math.radians(0.1), 0.01])
"""How well a head comes back to what it reports: bearing, tilt, log f."""
UNKNOWN_TILT_SIGMA_DEG = 25.0
UNKNOWN_ZOOM_SIGMA = 1.0
LEAST_KNOWN_BEARING_RAD = math.radians(45)
"""A bearing less sure than this is none."""


def _prior() -> Floats:
    return np.diag(PRIOR_SIGMAS**2)


@dataclass(frozen=True, eq=False)
class PtzModel:
    """A head and what is known of its biases. Immutable: `learnt` gives the next one.

    Attributes:
        base: place, height, roll, distortion and picture size of the camera, with its covariance.
        head: its zoom, by the data sheet.
        bias: ``(9,)`` means, in the order of `BIASES`.
        covariance: ``(9, 9)``.
        pairs: how many calibrated poses it was learnt from.
    """

    base: PinholeCamera
    head: PtzHead
    bias: Floats = field(default_factory=lambda: np.zeros(len(BIASES)))
    covariance: Floats = field(default_factory=_prior)
    pairs: int = 0

    @staticmethod
    def of(base: PinholeCamera, head: PtzHead) -> PtzModel:
        """The model of a registered head, with what was learnt of it."""
        known = head.learnt
        if known is None:
            return PtzModel(base, head)
        return PtzModel(
            base, head, np.array(known.bias), np.array(known.covariance), pairs=known.pairs
        )

    @property
    def known(self) -> PtzHead:
        """The head with what is learnt of it, as the register keeps it."""
        learnt = LearntHead(
            bias=tuple(self.bias.tolist()),
            covariance=tuple(tuple(row) for row in self.covariance.tolist()),
            pairs=self.pairs,
        )
        return replace(self.head, learnt=learnt)

    def learnt(self, report: HeadReport, fitted: PinholeCamera) -> PtzModel:
        """What is known after a pose was fitted while the head reported a whole position.

        Several in any order give the same, as far as the first tells where the zero points.

        Raises:
            ValueError: the report lacks a part.
        """
        told = _whole(report)
        if told is None:
            raise ValueError("a calibrated pose needs a report of pan, tilt and zoom")
        predicted = self._predicted(told)
        slopes = self._slopes(told, fitted.yaw, fitted.pitch)
        seen = np.array([fitted.yaw, fitted.pitch, fitted.log_f])
        off = seen - predicted - slopes @ self.bias
        off[0] = math.remainder(off[0], 2 * math.pi)
        own = fitted.covariance[np.ix_((3, 4, 6), (3, 4, 6))] + np.diag(REPEATED_SIGMA**2)
        spread = slopes @ self.covariance @ slopes.T + own
        gain = np.linalg.solve(spread, slopes @ self.covariance).T
        left = np.eye(len(BIASES)) - gain @ slopes
        # Joseph's form stays symmetric and positive whatever the rounding.
        covariance = left @ self.covariance @ left.T + gain @ own @ gain.T
        return replace(
            self, bias=self.bias + gain @ off, covariance=covariance, pairs=self.pairs + 1
        )

    def camera(self, report: HeadReport, moved_deg: float = 0.0) -> PinholeCamera | None:
        """The camera as the report tells; None where not even its bearing is known.

        Args:
            report: What the head says; without tilt or zoom only the bearing will be of use.
            moved_deg: How far the head may have turned since.
        """
        if report.pan_deg is None:
            return None
        told = replace(
            report,
            tilt_deg=math.degrees(self.base.pitch) if report.tilt_deg is None else report.tilt_deg,
            zoom=0.5 if report.zoom is None else report.zoom,
        )
        whole = _whole(told)
        if whole is None:
            return None
        # The lean depends on where the head looks; once more with the better guess is exact enough.
        predicted = self._predicted(whole)
        yaw, pitch = predicted[0] + self.bias[0], predicted[1] + self.bias[2]
        guess = predicted + self._slopes(whole, yaw, pitch) @ self.bias
        slopes = self._slopes(whole, guess[0], guess[1])
        yaw, pitch, log_f = (predicted + slopes @ self.bias).tolist()
        own = slopes @ self.covariance @ slopes.T + np.diag(REPEATED_SIGMA**2)
        own[:2, :2] += np.radians(moved_deg) ** 2 * np.eye(2)
        if report.tilt_deg is None:
            own[1, 1] += math.radians(UNKNOWN_TILT_SIGMA_DEG) ** 2
        if report.zoom is None:
            own[2, 2] += UNKNOWN_ZOOM_SIGMA**2
        if own[0, 0] > LEAST_KNOWN_BEARING_RAD**2:
            return None
        covariance = self.base.covariance.copy()
        turning = (3, 4, 6)
        covariance[turning, :] = 0.0
        covariance[:, turning] = 0.0
        covariance[np.ix_(turning, turning)] = own
        lean_x, lean_y = self.bias[4:6].tolist()
        leaning = (lean_y * math.cos(yaw) - lean_x * math.sin(yaw)) / max(math.cos(pitch), 0.1)
        return replace(
            self.base,
            yaw=yaw,
            pitch=min(max(pitch, -math.pi / 2), math.radians(60)),
            roll=self.base.roll - leaning,
            log_f=log_f,
            covariance=covariance,
        )

    def _predicted(self, told: tuple[float, float, float]) -> Floats:
        pan, tilt, zoom = told
        return np.array([pan, tilt, log_focal(self.head, zoom, self.base.width_px)])

    def _slopes(self, told: tuple[float, float, float], yaw: float, pitch: float) -> Floats:
        """Derivatives of (bearing, tilt, log f) by the biases, ``(3, 9)``."""
        pan, tilt, zoom = told
        sin_b, cos_b = math.sin(yaw), math.cos(yaw)
        steep = math.tan(min(max(pitch, -1.4), 1.4))
        slopes = np.zeros((3, len(BIASES)))
        slopes[0, [0, 1, 4, 5]] = 1.0, pan, steep * sin_b, -steep * cos_b
        slopes[1, [2, 3, 4, 5]] = 1.0, tilt, cos_b, sin_b
        slopes[2, [6, 7, 8]] = 1.0, zoom, 4 * zoom * (1 - zoom)
        return slopes


def aligned(
    reports: Sequence[HeadReport], captured_at: datetime
) -> tuple[HeadReport, float] | None:
    """The report that holds for a picture, and how far the head may have turned since, degrees.

    Args:
        reports: In any order; a few seconds before and after the picture are enough.
        captured_at: The picture's time.

    Returns:
        None where no report holds: there is none, it is too old, or the head was turning.
    """
    before = max((r for r in reports if r.at <= captured_at), key=lambda r: r.at, default=None)
    after = min((r for r in reports if r.at > captured_at), key=lambda r: r.at, default=None)
    if before is not None and after is not None and after.at - before.at <= AROUND:
        if _stands_still(before, after):
            return before, 0.0
        if after.at - before.at <= FRESH:
            return _between(before, after, captured_at)
        return None
    nearest = before or after
    if nearest is None:
        return None
    if before is not None and captured_at - before.at <= STEADY and _stood(reports, before):
        return before, STARTED_DEG
    if abs(nearest.at - captured_at) > FRESH:
        return None
    return nearest, FASTEST_DEG_S * abs((captured_at - nearest.at).total_seconds()) / 2


def camera_at(
    model: PtzModel, reports: Sequence[HeadReport], captured_at: datetime
) -> PinholeCamera | None:
    """The camera that took a picture of this time; None where its head's position isn't known, so
    that it saw something somewhere around its place."""
    found = aligned(reports, captured_at)
    return None if found is None else model.camera(*found)


def log_focal(head: PtzHead, zoom: float, width_px: int) -> float:
    """Log of the focal length in pixels: motors run about evenly in it."""
    wide, tele = (
        math.log(width_px / 2 / math.tan(math.radians(hfov) / 2))
        for hfov in (head.wide_hfov_deg, head.tele_hfov_deg)
    )
    return wide + zoom * (tele - wide)


def _whole(report: HeadReport) -> tuple[float, float, float] | None:
    if report.pan_deg is None or report.tilt_deg is None or report.zoom is None:
        return None
    pan = math.remainder(math.radians(report.pan_deg), 2 * math.pi)
    return pan, math.radians(report.tilt_deg), report.zoom


def _turn_deg(first: HeadReport, second: HeadReport) -> tuple[float, float, float]:
    """Pan, tilt and zoom from the first to the second; 0 where either is silent."""
    pan, tilt, zoom = 0.0, 0.0, 0.0
    if first.pan_deg is not None and second.pan_deg is not None:
        pan = math.remainder(second.pan_deg - first.pan_deg, 360)
    if first.tilt_deg is not None and second.tilt_deg is not None:
        tilt = second.tilt_deg - first.tilt_deg
    if first.zoom is not None and second.zoom is not None:
        zoom = second.zoom - first.zoom
    return pan, tilt, zoom


def _stood(reports: Sequence[HeadReport], until: HeadReport) -> bool:
    """Whether the head hadn't moved between the report before this one and this one."""
    earlier = max((r for r in reports if r.at < until.at), key=lambda r: r.at, default=None)
    return earlier is not None and until.at - earlier.at <= AROUND and _stands_still(earlier, until)


def _stands_still(first: HeadReport, second: HeadReport) -> bool:
    pan, tilt, zoom = _turn_deg(first, second)
    return max(abs(pan), abs(tilt)) <= STILL_DEG and abs(zoom) <= STILL_ZOOM


def _between(
    before: HeadReport, after: HeadReport, captured_at: datetime
) -> tuple[HeadReport, float]:
    share = (captured_at - before.at) / (after.at - before.at)
    pan, tilt, zoom = _turn_deg(before, after)
    moved = replace(
        before,
        at=captured_at,
        pan_deg=None if before.pan_deg is None else before.pan_deg + share * pan,
        tilt_deg=None if before.tilt_deg is None else before.tilt_deg + share * tilt,
        zoom=None if before.zoom is None else before.zoom + share * zoom,
    )
    # Evenly between the two is a guess; a third of the way there covers starts and stops.
    return moved, math.hypot(pan, tilt) / 3
