"""How much more scenes would bring (`siaga train curve`): a linear probe on what a net that never
saw the pictures makes of them, fitted to part of the training scenes, judged on those that choose.

The probe is no detector: it says of a picture whether the hazard is somewhere in it, and its
figures are lower than a trained net's. Its slope from half the scenes to all of them says whether
the data or the method is what is short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.errors import DataUnusableError
from detection.road_region import crop_road
from detection.training import sources
from detection.training.detector import detector_split
from detection.training.environment import print_err
from detection.training.feature_cache import neck_of
from detection.training.flood import flood_split, is_flood
from detection.training.sources import Picture
from detection.training.split import Split, fraction_of
from detection.training.staging import squeezed

Floats = NDArray[np.float64]

SHARES = (0.12, 0.25, 0.5, 1.0)
SEEDS = (1, 2, 3)
FALSE_SHARE = 0.03
"""Of the ordinary pictures of the scenes that choose: where recall is read."""
RIDGE = 30.0
"""Weight of the probe's squared length: features are many, scenes few."""
_BATCH = 8
_STEPS = 12


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One hazard, fitted to one share of the training scenes."""

    share: float
    hazard_scenes: float
    """Mean number of training scenes that show the hazard."""
    recalls: tuple[float, ...]
    """On the scenes that choose at FALSE_SHARE, a seed each."""


@dataclass(frozen=True, slots=True, eq=False)
class _Described:
    features: Floats
    present: NDArray[np.bool_]
    scenes: tuple[str, ...]
    counts: NDArray[np.bool_]
    """Whether it is ordinary or shows the hazard: what false shares and recalls are of."""


def learning_curves(start_weights: Path, size_px: int) -> dict[str, list[CurvePoint]]:
    """The curves of fire, smoke and flood. Raises FileNotFoundError and DataUnusableError."""
    import torch

    if not start_weights.is_file():
        raise FileNotFoundError(f"there are no starting weights {start_weights}")
    # A checkpoint that the user trains from, so it may be unpickled whole.
    loaded: dict[str, Any] = torch.load(start_weights, map_location="cpu", weights_only=False)
    net = (loaded.get("ema") or loaded["model"]).float().eval()
    root = sources.data_root()
    boxed = detector_split(root)
    curves: dict[str, list[CurvePoint]] = {}
    known = {
        "detector": _features(net, boxed, lambda path: squeezed(path, size_px)),
        "flood": _features(net, flooded := flood_split(root), lambda path: _road(path, size_px)),
    }
    for class_id, name in enumerate(sources.HAZARD_CLASSES[:2]):

        def shows(picture: Picture, class_id: int = class_id) -> bool:
            text = picture.labels.read_text() if picture.labels else ""
            return any(line.split()[0] == str(class_id) for line in text.splitlines() if line)

        curves[name] = _curve(boxed, known["detector"], shows)
    curves["flood"] = _curve(flooded, known["flood"], is_flood)
    return curves


def _road(path: Path, size_px: int) -> NDArray[np.uint8]:
    loaded = cv2.imread(str(path))
    if loaded is None:
        raise DataUnusableError(path, "not a readable picture")
    return crop_road(np.asarray(loaded, np.uint8), size_px)


def _features(
    net: Any, parts: Split, square: Callable[[Path], NDArray[np.uint8]]
) -> dict[Path, Floats]:
    """Every picture's features, (896,) for a nano net: each channel's mean and maximum."""
    pictures = [*parts.train, *parts.choose]
    found: dict[Path, Floats] = {}
    for i in range(0, len(pictures), _BATCH):
        some = pictures[i : i + _BATCH]
        levels = [f.astype(np.float64) for f in neck_of(net, [square(p.path) for p in some])]
        pooled = [f.mean(axis=(2, 3)) for f in levels] + [f.max(axis=(2, 3)) for f in levels]
        rows = np.concatenate(pooled, axis=1)
        found |= dict(zip((p.path for p in some), rows, strict=True))
        if i % (50 * _BATCH) == 0:
            print_err(f"features {i + len(some)}/{len(pictures)}")
    return found


def _curve(
    parts: Split, known: Mapping[Path, Floats], shows: Callable[[Picture], bool]
) -> list[CurvePoint]:
    training, choosing = (_described(p, known, shows) for p in (parts.train, parts.choose))
    middle = training.features.mean(axis=0)
    scale = training.features.std(axis=0) + 1e-6
    points = []
    for share in SHARES:
        recalls, scenes = [], []
        for seed in SEEDS:
            mine = np.array([fraction_of(s, f"share-{seed}") < share for s in training.scenes])
            probe = fitted(
                (training.features[mine] - middle) / scale, training.present[mine], RIDGE
            )
            scores = (choosing.features - middle) / scale @ probe[:-1] + probe[-1]
            ordinary = scores[choosing.counts & ~choosing.present]
            recalls.append(recall_at(scores[choosing.present], ordinary, FALSE_SHARE))
            shown = np.flatnonzero(mine & training.present)
            scenes.append(len({training.scenes[i] for i in shown}))
        points.append(CurvePoint(share, float(np.mean(scenes)), tuple(recalls)))
    return points


def _described(
    pictures: Sequence[Picture], known: Mapping[Path, Floats], shows: Callable[[Picture], bool]
) -> _Described:
    present = np.array([shows(p) for p in pictures])
    ordinary = np.array([p.source in sources.TRAFFIC_CCTV | sources.STREETS for p in pictures])
    return _Described(
        np.stack([known[p.path] for p in pictures]),
        present,
        tuple(p.scene_key for p in pictures),
        ordinary | present,
    )


def fitted(features: Floats, present: NDArray[np.bool_], ridge: float) -> Floats:
    """Logistic regression by Newton's method, both kinds weighing the same: weights and, last, the
    bias. Zeros where only one kind is there.
    """
    x = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    weights = np.zeros(x.shape[1])
    if present.all() or not present.any():
        return weights
    each = np.where(present, 0.5 / present.mean(), 0.5 / (1.0 - present.mean()))
    pull = np.full(x.shape[1], ridge)
    pull[-1] = 1e-6
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (each * (chance - present)) + pull * weights
        curvature = (x.T * (each * chance * (1.0 - chance))) @ x + np.diag(pull)
        weights = weights - np.linalg.solve(curvature, gradient)
    return weights


def recall_at(hazard: Floats, ordinary: Floats, false_share: float) -> float:
    """Share of the hazard's scores above what at most `false_share` of the ordinary ones reach."""
    above = int(false_share * len(ordinary))
    least = np.sort(ordinary)[::-1][above] if above < len(ordinary) else -np.inf
    return float((hazard > least).mean()) if len(hazard) else 0.0


_WIDTH_PX, _HEIGHT_PX, _MARGIN_PX = 380, 240, 46
_COLOURS = ("#b3401f", "#5b6b78", "#0b5fa5")


def curves_svg(curves: Mapping[str, Sequence[CurvePoint]]) -> str:
    """Recall over the number of scenes that show the hazard, on a logarithmic scale, as SVG; the
    upright lines go from the lowest to the highest of the seeds.
    """
    width, height = _WIDTH_PX + 2 * _MARGIN_PX + 50, _HEIGHT_PX + 2 * _MARGIN_PX
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11" '
        'fill="#1b2733">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    most = max(p.hazard_scenes for points in curves.values() for p in points)
    least = min(p.hazard_scenes for points in curves.values() for p in points)

    def x(scenes: float) -> float:
        share = np.log(scenes / least) / np.log(most / least)
        return round(_MARGIN_PX + float(share) * _WIDTH_PX, 1)

    def y(recall: float) -> float:
        return round(_MARGIN_PX + (1.0 - recall) * _HEIGHT_PX, 1)

    lines += [
        f'<line x1="{_MARGIN_PX}" y1="{y(tick)}" x2="{_MARGIN_PX + _WIDTH_PX}" '
        f'y2="{y(tick)}" stroke="#c6d0d8"/>'
        f'<text x="{_MARGIN_PX - 6}" y="{y(tick) + 4}" text-anchor="end">{tick:g}</text>'
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    lines += [
        f'<text x="{x(scenes)}" y="{_MARGIN_PX + _HEIGHT_PX + 16}" text-anchor="middle">'
        f"{scenes}</text>"
        for scenes in (50, 75, 100, 150, 200, 300, 400, 600, 800, 1200)
        if least <= scenes <= most
    ]
    for (name, points), colour in zip(curves.items(), _COLOURS, strict=False):
        lines += _drawn(name, points, colour, x, y)
    lines.append(
        f'<text x="{_MARGIN_PX + _WIDTH_PX / 2}" y="{height - 12}" text-anchor="middle">'
        "training scenes that show the hazard</text>"
        f'<text x="{_MARGIN_PX}" y="{_MARGIN_PX - 18}" font-weight="bold">'
        f"recall at {FALSE_SHARE:.0%} false</text></svg>"
    )
    return "\n".join([*lines, ""])


def _drawn(
    name: str,
    points: Sequence[CurvePoint],
    colour: str,
    x: Callable[[float], float],
    y: Callable[[float], float],
) -> Iterator[str]:
    middles = [(x(p.hazard_scenes), y(float(np.mean(p.recalls)))) for p in points]
    path = " ".join(f"{a},{b}" for a, b in middles)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for point, (a, b) in zip(points, middles, strict=True):
        low, high = y(min(point.recalls)), y(max(point.recalls))
        yield f'<line x1="{a}" y1="{low}" x2="{a}" y2="{high}" stroke="{colour}"/>'
        yield f'<circle cx="{a}" cy="{b}" r="4" fill="{colour}"/>'
    a, b = middles[-1]
    # Towards the edge they are nearer to, away from a neighbour's.
    lower = b + (0 if b < _MARGIN_PX + 15 else 8)
    yield f'<text x="{a + 8}" y="{lower}" fill="{colour}" font-weight="bold">{name}</text>'
