"""The naive ways, beside which fusion is measured: a gate, a gate that wants two, and DBSCAN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.fusion.scoring import Found
from contracts import CallerFix, CameraId, Detection, Disc, Outline, ReportBody, evidence_key
from geo.camera import PinholeCamera
from geo.ground import fix_of_detection
from geo.projection import LocalProjection

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A source as the naive ways see it: a place and a time."""

    source: str
    xy: tuple[float, float]
    at_s: float


def dots_of(
    bodies: Sequence[ReportBody],
    cameras: dict[CameraId, PinholeCamera],
    projection: LocalProjection,
    least_llr: float = 2.0,
) -> list[Dot]:
    """Each source once, by its last position; tracks below ``least_llr`` are left out, as a
    detector's threshold would.
    """
    found: dict[str, Dot] = {}
    for body in bodies:
        if isinstance(body, CallerFix):
            if isinstance(body.shape, Disc):
                xy = projection.point(body.shape.centre)
            elif isinstance(body.shape, Outline):
                middle = projection.plane(body.shape.area).centroid
                xy = (middle.x, middle.y)
            else:
                xy = projection.point(body.shape.antenna)
        elif isinstance(body, Detection) and body.llr >= least_llr:
            at = fix_of_detection(cameras[body.camera_id], body).xy
            if at is None:
                continue
            xy = at
        else:
            continue
        key = evidence_key(body)
        at_s = found[key].at_s if key in found else body.received_at.timestamp()
        found[key] = Dot(key, (float(xy[0]), float(xy[1])), at_s)
    return sorted(found.values(), key=lambda dot: (dot.at_s, dot.source))


def gate(dots: Sequence[Dot], metres: float, minutes: float, least: int = 1) -> list[Found]:
    """A report joins the nearest incident within a distance and a time of its last report."""
    groups: list[list[Dot]] = []
    for dot in dots:
        best, best_m = None, metres
        for group in groups:
            if dot.at_s - group[-1].at_s > minutes * MINUTE_S:
                continue
            away = math.dist(dot.xy, _middle(group))
            if away <= best_m:
                best, best_m = group, away
        if best is None:
            groups.append([dot])
        else:
            best.append(dot)
    return [_found(group, least) for group in groups]


def dbscan(dots: Sequence[Dot], metres: float, minutes: float, least: int = 2) -> list[Found]:
    """DBSCAN (Ester et al. 1996) over place and time, each in units of its reach."""
    points = np.array([[*(np.array(d.xy) / metres), d.at_s / (minutes * MINUTE_S)] for d in dots])
    if not len(points):
        return []
    near = [np.flatnonzero(np.sum((points - p) ** 2, axis=1) <= 1.0) for p in points]
    label = [-1] * len(dots)
    clusters = 0
    for start in range(len(dots)):
        if label[start] >= 0 or len(near[start]) < least:
            continue
        label[start], queue = clusters, list(near[start])
        while queue:
            one = int(queue.pop())
            if label[one] < 0:
                label[one] = clusters
                if len(near[one]) >= least:
                    queue.extend(near[one])
        clusters += 1
    groups = [
        [d for d, mine in zip(dots, label, strict=True) if mine == c] for c in range(clusters)
    ]
    alone = [[d] for d, mine in zip(dots, label, strict=True) if mine < 0]
    return [_found(group, least) for group in groups + alone]


def _found(group: Sequence[Dot], least: int) -> Found:
    sources = frozenset(dot.source for dot in group)
    return Found(sources, float(len(sources) >= least), _middle(group))


def _middle(group: Sequence[Dot]) -> tuple[float, float]:
    x, y = np.mean([dot.xy for dot in group], axis=0).tolist()
    return x, y
