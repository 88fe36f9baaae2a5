"""Boxes of successive pictures of one camera, joined to tracks. Pure: time is passed in, nothing is
read or kept elsewhere.

Life cycle of a track: born from a box that fits no track; fed with a box or with its absence at
each picture; joined with another one of the same class that turns out to be the same thing; dead
when unseen for longer than the caller allows.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

import numpy as np
from numpy.typing import NDArray

from detection.boxes import Boxes, iou_matrix
from detection.tracks import Track

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
