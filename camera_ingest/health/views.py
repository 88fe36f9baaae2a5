"""Whether two pictures of one camera show the same view, and how the second is moved if not.

Spots found in both (ORB) must agree on one homography, which is what turning and zooming a camera
does to its picture whatever the depth of the scene. Anything less than plain evidence is `UNKNOWN`:
a dark or empty street, a lorry before the lens, heavy rain. No I/O, no clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Rgb, ViewShift

Grey = NDArray[np.uint8]
Floats = NDArray[np.float64]

WIDTH_PX = 480
"""Pictures are compared at this width: a camera of 60 degrees turns by an eighth of a degree a
pixel, and a comparison costs 10 to 20 ms."""
_HIGHEST_PX = 3 * WIDTH_PX
"""A picture of 2 x 4000, as a broken stream may announce it, would take minutes and gigabytes."""
SAME_BELOW = 0.008
MOVED_FROM = 0.012
"""Mean shift in widths of the picture: half a degree and 0.7 degrees at 60 degrees of view. A mast
sways by less; a bearing wrong by 0.7 degrees is a street's lane at 100 m."""
LEAST_MATCHES = 24
_LEAST_CELLS = 5
_LEAST_HULL = 0.15
"""Spots that agree must lie in so many of 4 x 4 cells and span such a share of the picture: those
of one bus that drives by don't."""
_LETTERING = 0.09
"""Share of the height at the top and bottom that is left out: the camera's own lettering stays in
its place however the camera turns."""
_RATIO = 0.8
_NEAR_PX = 2.5
_AGAINST_STILL = 2.0
"""Moved spots for every one that stays."""
_BETTER_BY = 0.12
_LEAST_LIKENESS = 0.2
"""The former picture, moved, must look like the new one, and clearly more so than unmoved."""
_ENOUGH_SPOTS = 150
_LEAST_CONTRAST = 12.0
_MOST_A_CELL = 25


class Verdict(StrEnum):
    """What a comparison came to."""

    SAME = "same"
    MOVED = "moved"
    FOREIGN = "foreign"
    """Rich in detail, and none of it known: turned far away, or something stands before it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """``shift`` is there for `Verdict.MOVED` only."""

    verdict: Verdict
    shift: ViewShift | None = None


_UNKNOWN = Comparison(Verdict.UNKNOWN)


def grey_of(picture: Rgb) -> Grey:
    """The small grey picture that views are compared by."""
    height, width = picture.shape[:2]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    size = (WIDTH_PX, min(_HIGHEST_PX, max(16, round(height * WIDTH_PX / width))))
    small = grey if size == (width, height) else cv2.resize(grey, size, interpolation=_AREA)
    return np.asarray(small, dtype=np.uint8)


def is_coloured(picture: Rgb) -> bool:
    """False for what an infrared lamp shows: a camera's night picture has no colour."""
    sample = picture[::8, ::8].astype(np.int16)
    return float(np.mean(sample.max(axis=2) - sample.min(axis=2))) > 4.0


_AREA = cv2.INTER_AREA


class View:
    """A picture with its spots, found once."""

    def __init__(self, grey: Grey) -> None:
        self.grey = grey
        height = len(grey)
        margin = round(_LETTERING * height)
        mask = np.zeros_like(grey)
        mask[margin : height - margin] = 255
        # Local contrast, so that dusk and shade change the spots less.
        smooth = cv2.GaussianBlur(grey, (0, 0), 0.8)
        even = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 6)).apply(smooth)
        finder = cv2.ORB.create(nfeatures=4000, fastThreshold=10, nlevels=6)
        spots, described = finder.compute(even, _thinned(finder.detect(even, mask), grey.shape))
        self.spots: Floats = np.array([spot.pt for spot in spots], dtype=float).reshape(-1, 2)
        self.described = None if described is None else np.ascontiguousarray(described, np.uint8)

    @property
    def is_rich(self) -> bool:
        """Whether there is enough in it to be known again: a dark picture's noise is not."""
        if float(cv2.GaussianBlur(self.grey, (0, 0), 3).std()) < _LEAST_CONTRAST:
            return False
        return len(self.spots) >= _ENOUGH_SPOTS and _spread(self.spots, self.grey.shape)


def compare(former: View, now: View) -> Comparison:
    """How the view of ``now`` stands to that of ``former``."""
    if former.grey.shape != now.grey.shape:
        return _UNKNOWN
    before, after = _matched(former, now)
    if len(before) < LEAST_MATCHES:
        return _nothing_known(former, now, len(before))
    found, kept = cv2.findHomography(
        before, after, cv2.USAC_MAGSAC, _NEAR_PX, maxIters=2000, confidence=0.999
    )
    if found is None:
        return _nothing_known(former, now, 0)
    homography, agree = np.asarray(found, dtype=float), kept.ravel().astype(bool)
    count = int(agree.sum())
    shape = former.grey.shape
    if count < LEAST_MATCHES:
        return _nothing_known(former, now, count)
    if not _is_turn(homography, shape):
        return _UNKNOWN
    moved_by = _mean_shift(homography, shape)
    if moved_by < SAME_BELOW:
        return Comparison(Verdict.SAME)
    if not _spread(before[agree], shape):
        return _UNKNOWN
    still = int(np.sum(np.hypot(*(after - before).T) < _NEAR_PX))
    if moved_by < MOVED_FROM or count < _AGAINST_STILL * still:
        return _UNKNOWN
    if not _looks_moved(former.grey, now.grey, homography):
        return _UNKNOWN
    off = cv2.perspectiveTransform(before[agree][None], homography)[0] - after[agree]
    sigma_px = max(float(np.sqrt(np.mean(off**2))), 0.3)
    return Comparison(Verdict.MOVED, _shift(homography, shape, count, sigma_px))


def apart(first: ViewShift, second: ViewShift) -> float:
    """How differently two shifts move a picture, in its widths."""
    y = first.aspect / 2
    corners = np.array([[[0.0, 0.0], [-0.4, -y], [0.4, -y], [-0.4, y], [0.4, y]]])
    moved = [
        cv2.perspectiveTransform(corners, np.array(shift.homography).reshape(3, 3))[0]
        for shift in (first, second)
    ]
    return float(np.hypot(*(moved[0] - moved[1]).T).mean())


def _thinned(spots: Sequence[cv2.KeyPoint], shape: tuple[int, ...]) -> list[cv2.KeyPoint]:
    """The strongest of each part of the picture: else one ornate facade would be all of it."""
    if not spots:
        return []
    height, width = shape[:2]
    points = np.array([spot.pt for spot in spots])
    columns, rows = (points * (8 / width, 5 / height)).astype(int).T
    cells = 8 * rows + columns
    order = np.lexsort((-np.array([spot.response for spot in spots]), cells))
    cells = cells[order]
    rank = np.arange(len(cells)) - np.searchsorted(cells, cells)
    return [spots[n] for n in order[rank < _MOST_A_CELL]]


def _matched(former: View, now: View) -> tuple[Floats, Floats]:
    """Spots that are each other's best and clearly better than the second best."""
    none = np.empty((0, 2)), np.empty((0, 2))
    if (
        former.described is None
        or now.described is None
        or min(map(len, (former.spots, now.spots))) < 2
    ):
        return none
    distances = _distances(former.described, now.described)
    there, back = _best(distances), _best(distances.T)
    i = np.flatnonzero(there >= 0)
    i = i[back[there[i]] == i]
    return former.spots[i], now.spots[there[i]]


def _distances(described: Grey, others: Grey) -> NDArray[np.uint16]:
    """Bits in which each spot's description differs from each other one's. A third of the time that
    `cv2.BFMatcher` takes for both directions."""
    words, other_words = described.view(np.uint64), others.view(np.uint64)
    apart = np.zeros((len(words), len(other_words)), np.uint16)
    for column, other_column in zip(words.T, other_words.T, strict=True):
        apart += np.bitwise_count(column[:, None] ^ other_column[None])
    return apart


def _best(distances: NDArray[np.uint16]) -> NDArray[np.intp]:
    """For each row the column of the least, or -1 where the second least is about as little."""
    rows = np.arange(len(distances))
    best = distances.argmin(axis=1)
    nearest = distances[rows, best].astype(float)
    others = distances.copy()
    others[rows, best] = np.iinfo(np.uint16).max
    return np.where(nearest < _RATIO * others.min(axis=1), best, -1)


def _spread(spots: Floats, shape: tuple[int, ...]) -> bool:
    height, width = shape[:2]
    cells = (spots / (width, height) * 4).astype(int).clip(0, 3) @ (1, 4)
    if np.sum(np.bincount(cells, minlength=16) >= 2) < _LEAST_CELLS:
        return False
    hull = cv2.convexHull(spots.astype(np.float32))
    return bool(cv2.contourArea(hull) >= _LEAST_HULL * width * height)


def _nothing_known(former: View, now: View, agreed: int) -> Comparison:
    foreign = agreed < LEAST_MATCHES // 2 and former.is_rich and now.is_rich
    return Comparison(Verdict.FOREIGN) if foreign else _UNKNOWN


def _is_turn(homography: Floats, shape: tuple[int, ...]) -> bool:
    """Whether a camera can do this by turning and zooming: no mirror, no squeeze."""
    height, width = shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], dtype=np.float32)
    moved = cv2.perspectiveTransform(corners, homography)
    if not cv2.isContourConvex(moved.reshape(-1, 1, 2)):
        return False
    share = cv2.contourArea(moved[0], True) / cv2.contourArea(corners[0], True)
    return bool(0.2 < share < 5)


def _mean_shift(homography: Floats, shape: tuple[int, ...]) -> float:
    height, width = shape[:2]
    u, v = np.meshgrid(np.linspace(0.1, 0.9, 4) * width, np.linspace(0.1, 0.9, 4) * height)
    points = np.column_stack((u.ravel(), v.ravel()))[None]
    moved = cv2.perspectiveTransform(points, homography)
    return float(np.hypot(*(moved - points)[0].T).mean() / width)


def _looks_moved(former: Grey, now: Grey, homography: Floats) -> bool:
    size = (former.shape[1], former.shape[0])
    inside = cv2.warpPerspective(np.full_like(former, 255), homography, size)
    warped: Grey = np.asarray(cv2.warpPerspective(former, homography, size), dtype=np.uint8)
    there = cv2.erode(inside, np.ones((9, 9), np.uint8)) > 0
    if there.mean() < 0.1:
        return False
    edges, edges_moved, edges_still = (_edges(picture) for picture in (now, warped, former))
    moved = _likeness(edges[there], edges_moved[there])
    still = _likeness(edges[there], edges_still[there])
    return moved > _LEAST_LIKENESS and moved > still + _BETTER_BY


def _edges(grey: Grey) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.5).astype(np.float32)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return np.asarray(np.sqrt(np.hypot(across, down)), dtype=np.float32)


def _likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    a, b = first - first.mean(), second - second.mean()
    return float((a * b).mean() / max(float(a.std() * b.std()), 1e-6))


def _shift(homography: Floats, shape: tuple[int, ...], matches: int, sigma_px: float) -> ViewShift:
    """In widths from the picture's middle; a spot is at its pixel's centre."""
    height, width = shape[:2]
    to_px = np.array([[width, 0, (width - 1) / 2], [0, width, (height - 1) / 2], [0, 0, 1.0]])
    whole = np.linalg.inv(to_px) @ homography @ to_px
    values = (whole / math.copysign(np.linalg.norm(whole), whole[2, 2])).ravel().tolist()
    return ViewShift(
        homography=tuple(values),
        matches=matches,
        sigma=sigma_px / width,
        aspect=height / width,
    )
