"""Boxes of successive pictures of one camera, joined to tracks. Pure: time is passed in, nothing is
read or kept elsewhere.

Life cycle of a track: born from a box that fits no track; fed with a box or with its absence at
each picture; dead when unseen for longer than the caller allows.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray

from detection.boxes import Boxes, iou_matrix

LOOK_S = 0.8
"""Pictures closer together than this are one look: they show the same thing, not a second proof of
it.
"""
LEAST_DOUBT_LLR = 1.0
"""What a look that shows nothing may always take."""
LOOKS_KEPT = 64
"""Looks remembered a track; the oldest fall out (bounds memory: 64 looks are at least 50 s)."""

Affinity = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]
"""(N, 4) and (M, 4) xyxy to (N, M): 0 for strangers, 1 for the same box."""


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union: for what keeps its shape and place, as a wreck does."""
    return iou_matrix(a, b)


def shared_or_near(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """The share of the smaller box that lies in the other, or nearness of the centres against the
    size: for flames and smoke, whose boxes grow, shrink and break up from look to look.
    """
    centre_a, centre_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    distance = np.linalg.norm(centre_a[:, None] - centre_b[None], axis=2)
    diagonal_a = np.linalg.norm(a[:, 2:] - a[:, :2], axis=1)
    diagonal_b = np.linalg.norm(b[:, 2:] - b[:, :2], axis=1)
    reach = np.maximum(diagonal_a[:, None], diagonal_b[None]) * 0.75
    near = 0.5 * np.clip(1.0 - distance / np.maximum(reach, 1e-6), 0.0, 1.0)
    left_top = np.maximum(a[:, None, :2], b[None, :, :2])
    sides = np.clip(np.minimum(a[:, None, 2:], b[None, :, 2:]) - left_top, 0.0, None)
    area_a, area_b = (np.prod(x[:, 2:] - x[:, :2], axis=1) for x in (a, b))
    smaller = np.minimum(area_a[:, None], area_b[None])
    share = sides[..., 0] * sides[..., 1] / np.maximum(smaller, 1e-6)
    return np.asarray(np.maximum(share * 0.9, near), dtype=np.float32)


def joined_pieces(boxes: Boxes, class_ids: frozenset[int]) -> Boxes:
    """Boxes of these classes that overlap, made one each: a fire is often found in pieces.

    The union takes the best score; other classes stay as they are.
    """
    xyxy, scores, ids = boxes.xyxy.copy(), boxes.scores, boxes.class_ids
    keep = np.ones(len(boxes), dtype=np.bool_)
    for class_id in class_ids:
        changed = True
        while changed:
            changed = False
            mine = np.flatnonzero((ids == class_id) & keep)
            touching = np.triu(iou_matrix(xyxy[mine], xyxy[mine]) > 0.0, 1)
            for i, j in zip(*np.nonzero(touching), strict=True):
                first, second = mine[i], mine[j]  # boxes come best first: the first keeps its score
                xyxy[first, :2] = np.minimum(xyxy[first, :2], xyxy[second, :2])
                xyxy[first, 2:] = np.maximum(xyxy[first, 2:], xyxy[second, 2:])
                keep[second] = False
                changed = True
                break
    return Boxes(xyxy, scores, ids).where(keep)


@dataclass(slots=True, eq=False)
class Look:
    """One look at a track: the pictures within LOOK_S."""

    at_s: float
    llrs: list[float]
    xyxy: NDArray[np.float32] | None
    flickers: list[float] = field(default_factory=list)
    """Of its pictures that could be compared with the one before: grey levels."""

    @property
    def llr(self) -> float:
        """Median natural-log likelihood ratio of the look's pictures: a flame that is missed in one
        picture of five is there, a reflection that is found in one of five is not.
        """
        return median(self.llrs)


@dataclass(slots=True, eq=False)
class Track:
    """One thing seen by one camera. Times are seconds on the caller's clock."""

    number: int
    class_id: int
    started_s: float
    xyxy: NDArray[np.float32]
    seen_s: float
    score: float
    looks: deque[Look] = field(default_factory=lambda: deque(maxlen=LOOKS_KEPT))

    def record(
        self,
        at_s: float,
        llr: float,
        score: float,
        xyxy: NDArray[np.float32] | None,
        flicker: float | None = None,
    ) -> None:
        """Add one picture's evidence; `xyxy` is None where the picture did not show the thing.

        `flicker`: by how many grey levels its content changed since the picture before, if known.
        """
        if xyxy is not None:
            self.xyxy, self.seen_s, self.score = xyxy, at_s, score
        last = self.looks[-1] if self.looks else None
        if last is not None and at_s - last.at_s < LOOK_S:
            last.llrs.append(llr)
            last.xyxy = xyxy if xyxy is not None else last.xyxy
        else:
            last = Look(at_s, [llr], xyxy)
            self.looks.append(last)
        if flicker is not None:
            last.flickers.append(flicker)

    def absorb(self, other: Track) -> None:
        """Take over what another track has shown, which was the same thing all along.

        Of looks at the same time the stronger stays: the thing was there, in one place or the
        other.
        """
        self.started_s = min(self.started_s, other.started_s)
        both = sorted([*self.looks, *other.looks], key=lambda look: (look.at_s, -look.llr))
        joined: list[Look] = []
        for look in both:
            if joined and look.at_s - joined[-1].at_s < LOOK_S:
                joined[-1] = max(joined[-1], look, key=lambda one: one.llr)
            else:
                joined.append(look)
        self.looks.clear()
        self.looks.extend(joined)

    def looks_since(self, at_s: float) -> list[Look]:
        """The looks not older than a time, oldest first."""
        return [look for look in self.looks if look.at_s >= at_s]


def evidence_llr(looks: Sequence[Look], correlation: float, fade_s: float = float("inf")) -> float:
    """Joint log-likelihood ratio of correlated looks: their mean times n / (1 + (n - 1)
    correlation), in which a look weighs 1/e of one that is `fade_s` younger.

    The factor is the effective number of independent samples of n equally correlated ones (Kish's
    design effect, with n the effective number of weighted ones); it never exceeds 1 / correlation,
    so that a lamp watched for an hour stays as little proof as a lamp watched for a minute.
    """
    return evidence_by_onset(looks, correlation, fade_s)[0] if looks else 0.0


def evidence_by_onset(
    looks: Sequence[Look], correlation: float, fade_s: float = float("inf")
) -> list[float]:
    """`evidence_llr` of the looks from each one on.

    How well a thing is found differs from thing to thing more than from look to look: a small fire
    is missed every other time. So no look speaks against it by more than the best one speaks for.
    """
    found: list[float] = []
    most_against = -max(LEAST_DOUBT_LLR, max((look.llr for look in looks), default=0.0))
    total = squares = spoken = 0.0
    for look in reversed(looks):
        weight = math.exp((look.at_s - looks[-1].at_s) / fade_s)
        total += weight
        squares += weight * weight
        spoken += weight * max(look.llr, most_against)
        n = total**2 / squares
        found.append(spoken / total * n / (1.0 + (n - 1.0) * correlation))
    return found[::-1]


def drift(looks: Sequence[Look]) -> float:
    """How far the box's centre strayed over the looks, in mean box diagonals; 0 with fewer than two
    sightings.
    """
    seen = np.array([look.xyxy for look in looks if look.xyxy is not None])
    if len(seen) < 2:
        return 0.0
    centres = (seen[:, :2] + seen[:, 2:]) / 2
    diagonal = float(np.linalg.norm(seen[:, 2:] - seen[:, :2], axis=1).mean())
    spread = float(np.linalg.norm(centres.max(axis=0) - centres.min(axis=0)))
    return spread / max(diagonal, 1e-6)


def jitter(looks: Sequence[Look]) -> float | None:
    """How much the box's edges move from sighting to sighting: median, in box diagonals.

    None with fewer than three sightings. On the open clips flames and smoke give 0.03 and more,
    lamps and other things that stand in the picture 0.005 and less.
    """
    seen = np.array([look.xyxy for look in looks if look.xyxy is not None])
    if len(seen) < 3:
        return None
    diagonal = np.linalg.norm(seen[:, 2:] - seen[:, :2], axis=1)[1:]
    moved = np.abs(np.diff(seen, axis=0)).mean(axis=1)
    return float(np.median(moved / np.maximum(diagonal, 1e-6)))


def median_flicker(looks: Sequence[Look]) -> float | None:
    """How much the content changes from picture to picture, grey levels; None where unknown."""
    values = [value for look in looks for value in look.flickers]
    return median(values) if len(values) >= 2 else None


def growth(looks: Sequence[Look]) -> float:
    """Natural logarithm of how much larger the box is in the later half of its sightings than in
    the earlier, by median area; 0 with fewer than four.
    """
    seen = np.array([look.xyxy for look in looks if look.xyxy is not None])
    if len(seen) < 4:
        return 0.0
    areas = np.maximum(np.prod(seen[:, 2:] - seen[:, :2], axis=1), 1e-6)
    half = len(areas) // 2
    return float(math.log(np.median(areas[-half:]) / np.median(areas[:half])))


class TrackBook:
    """The tracks of one camera. Numbers grow and are never used twice."""

    def __init__(
        self, affinity: Callable[[int], Affinity], gate: float, lost_after_s: float
    ) -> None:
        """`affinity`: by class id; `gate`: least affinity that joins; `lost_after_s`: unseen for
        longer dies.
        """
        self._affinity = affinity
        self._gate = gate
        self._lost_after_s = lost_after_s
        self.next_number = 1
        self.tracks: list[Track] = []

    def begin_at(self, number: int) -> None:
        """Number tracks from here on, or from where it stands, if that is higher."""
        self.next_number = max(self.next_number, number)

    def join_split(
        self,
        seen: Sequence[Track],
        unseen: Sequence[Track],
        class_ids: Container[int],
        known: Container[tuple[int, int]],
    ) -> list[Track]:
        """Join tracks of these classes that are one thing: not seen now, but another is, there.

        A fire breaks up and joins again, and each piece would take the others' sightings for
        misses. The one in `known`, by class and number, survives, else the older; returns those
        that did not.
        """
        gone: list[Track] = []
        for missed in unseen:
            if missed.class_id not in class_ids:
                continue
            near = self._affinity(missed.class_id)
            for track in seen:
                if track.class_id != missed.class_id or track in gone:
                    continue
                if near(missed.xyxy[None], track.xyxy[None])[0, 0] < self._gate:
                    continue
                missed_is_known = (missed.class_id, missed.number) in known
                track_is_known = (track.class_id, track.number) in known
                if missed_is_known and track_is_known:
                    continue
                track.absorb(missed)
                if missed_is_known or (missed.number < track.number and not track_is_known):
                    track.number, missed.number = missed.number, track.number
                gone.append(missed)
                break
        self.tracks = [track for track in self.tracks if track not in gone]
        return gone

    def update(
        self, at_s: float, boxes: Boxes
    ) -> tuple[list[tuple[Track, int]], list[Track], list[Track]]:
        """Join one picture's boxes; returns (track, box index) pairs, tracks not seen now, and
        tracks that died.

        The outcome depends on the boxes, not on their order. New tracks are among the pairs.
        """
        # Before joining: after an outage of a minute the thing at the same place is another one.
        lost = [t for t in self.tracks if at_s - t.seen_s > self._lost_after_s]
        self.tracks = [t for t in self.tracks if t not in lost]
        pairs: list[tuple[float, int, int]] = []
        for class_id in sorted({int(c) for c in boxes.class_ids}):
            mine = [t for t in self.tracks if t.class_id == class_id]
            index = np.flatnonzero(boxes.class_ids == class_id)
            if mine:
                near = self._affinity(class_id)(np.stack([t.xyxy for t in mine]), boxes.xyxy[index])
                for i, j in zip(*np.nonzero(near >= self._gate), strict=True):
                    pairs.append((float(near[i, j]), mine[i].number, int(index[j])))
        rank = _ranks(boxes)
        by_number = {t.number: t for t in self.tracks}
        joined: dict[int, int] = {}
        taken: set[int] = set()
        for _, number, box in sorted(pairs, key=lambda p: (-p[0], p[1], rank[p[2]])):
            if number not in joined and box not in taken:
                joined[number] = box
                taken.add(box)
        seen = [(by_number[number], box) for number, box in sorted(joined.items())]
        unseen = [t for t in self.tracks if t.number not in joined]
        for box in sorted(set(range(len(boxes))) - taken, key=lambda b: rank[b]):
            track = Track(
                self.next_number,
                int(boxes.class_ids[box]),
                at_s,
                boxes.xyxy[box],
                at_s,
                float(boxes.scores[box]),
            )
            self.next_number += 1
            self.tracks.append(track)
            seen.append((track, box))
        return seen, unseen, lost


def _ranks(boxes: Boxes) -> dict[int, int]:
    """A place for each box that depends on what it is, not on where it stands in the array."""
    keys = [
        (-float(s), int(c), *(float(v) for v in xyxy))
        for xyxy, s, c in zip(boxes.xyxy, boxes.scores, boxes.class_ids, strict=True)
    ]
    order = sorted(range(len(keys)), key=lambda i: keys[i])
    return {box: place for place, box in enumerate(order)}
