"""Trains the crash model (`siaga train crash`): which moments of fixed-camera clips show a crash.

Boosted trees on measures of motion, fitted in seconds: with a hundred clips, and as many scenes,
convolutional networks on the same motion did worse on clips they had not seen. All figures and the
operating point are cross-fitted: each clip is scored by trees that never saw its scene, since the
data is too thin for three parts. The trees that are kept are fitted to all clips.

What is learnt from are windows of the clips as a camera's clip keeper holds them, that begin and
end anywhere. With whole clips alone a model learns that moments without much of a past, which are
those at a clip's beginning, show no crash: true of clips that were cut around crashes, and of
nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Sighting
from detection.boosted_trees import BoostedTrees
from detection.calibration import CalibrationSample, Curve, CurveKind, fit_curve
from detection.crash_clips import (
    AFTERWARDS_S,
    LEAST_BEFORE_S,
    CrashClip,
    clip_verdicts,
    crash_clips,
    crash_figures,
    video_pictures,
)
from detection.crash_features import LOOKS_BACK, motion_features
from detection.crash_model import AFTER, BEFORE, WEIGHTS, CrashJudge, CrashVerdict
from detection.crash_motion import RATE_FPS, SIZE_PX, Field, Grey, motion_fields
from detection.crash_watch import CLIP_S
from detection.model_card import ModelCard, load_card, sha256_of
from detection.training import sources
from detection.training.boosting import BoostingPlan, grow
from detection.training.crash_aftermath import aftermath_curve
from detection.training.crash_card import write_crash_card

FOLDS = 6
PLAN = BoostingPlan()
ZOOMS = ((1.0, 0.0, 0.0), (0.85, 0.1, 0.9), (0.75, 0.8, 0.4))
"""Cut-outs that a clip is trained with: side, and where across and down it lies, in shares."""
FALSE_BUDGET = 0.10
"""Share of clips in which the operating point may alarm before the accident."""
STILL_CRASH_S = 1.5
"""After the last moment labelled a crash, what is learnt as one: everything comes to a stop."""
SAME_VIEW = 0.45
"""Correlation of two clips' edges from which they are held for one camera's, and kept together."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One clip's moments as windows of it show them, and what they hold."""

    clip: CrashClip
    features: Floats
    """(N, FEATURES): each moment as often as there are windows."""
    crash: NDArray[np.bool_]
    """(N,)"""
    aftermath: NDArray[np.bool_]
    """(N,): wrecks and onlookers, neither a crash as it happens nor ordinary traffic."""
    whole: Floats
    """(T, FEATURES): the clip as one window."""


def measure(clip: CrashClip) -> tuple[Measured, Grey]:
    """A clip's features, and its median picture, by which its camera is known again."""
    greys, times_s = video_pictures(clip.path)
    crash = (times_s >= clip.onset_s) & (times_s <= clip.end_s + STILL_CRASH_S)
    aftermath = (times_s > clip.end_s) & ~crash
    features, moments, whole = [], [], np.zeros((0, 0))
    for number, zoom in enumerate(ZOOMS):
        fields = motion_fields(_zoomed(greys, zoom))
        whole = motion_features(fields) if number == 0 else whole
        for first, last in windows(len(fields), is_dense=number == 0):
            mine, at = _moments(fields, first, last)
            features.append(mine)
            moments.append(at)
    at = np.concatenate(moments)
    median = np.median(np.stack(greys[::3]), axis=0).astype(np.uint8)
    every = np.concatenate(features)
    return Measured(clip, every, crash[at], aftermath[at], whole), median


def windows(length: int, *, is_dense: bool) -> list[tuple[int, int]]:
    """Windows of a clip, from and to: growing ones that begin with it and, for each moment that one
    may begin at, one that lasts as long as a clip keeper's clip. Fewer, where not `is_dense`.
    """
    longest, second = round(CLIP_S * RATE_FPS), round(RATE_FPS)
    grown = range(2 * second, length, second) if is_dense else ()
    found = [(max(0, last - longest), last) for last in (*grown, length)]
    step = 6 if is_dense else 9
    return found + [(s, min(length, s + longest)) for s in range(4, length - 2 * second - 2, step)]


def _moments(fields: Field, first: int, last: int) -> tuple[Floats, NDArray[np.int64]]:
    """The features of a window's moments that are scored, and which they are in the clip.

    Moments of a window that begins with its clip count only with all of their past: see above.
    """
    features = motion_features(fields[first:last])
    begin = LOOKS_BACK if first == 0 else BEFORE
    end = max(begin, last - first - AFTER)
    return features[begin:end], np.arange(first + begin, first + end)


def _zoomed(greys: Sequence[Grey], zoom: tuple[float, float, float]) -> list[Grey]:
    side, across, down = zoom
    cut = round(side * SIZE_PX)
    left, top = round(across * (SIZE_PX - cut)), round(down * (SIZE_PX - cut))
    return [
        np.asarray(cv2.resize(g[top : top + cut, left : left + cut], (SIZE_PX, SIZE_PX)), np.uint8)
        for g in greys
    ]


def cameras(medians: Sequence[Grey]) -> list[int]:
    """For each clip the number of the first clip that shows the same view."""
    edges = []
    for median in medians:
        small = cv2.resize(median.astype(np.float32), (48, 48))
        laplacian = cv2.Laplacian(small, cv2.CV_32F).ravel()
        laplacian = laplacian - laplacian.mean()
        edges.append(laplacian / max(1e-6, float(np.linalg.norm(laplacian))))
    alike = np.stack(edges) @ np.stack(edges).T > SAME_VIEW
    first = list(range(len(medians)))
    for i in range(len(medians)):
        for j in range(i):
            if alike[i, j] and first[i] != first[j]:
                old, new = max(first[i], first[j]), min(first[i], first[j])
                first = [new if f == old else f for f in first]
    return first


def folds_of(camera: Sequence[int]) -> list[int]:
    """A fold for each clip: cameras stay together, the largest go where there is most room."""
    size = [0] * FOLDS
    fold: dict[int, int] = {}
    for one in sorted(set(camera), key=lambda c: (-list(camera).count(c), c)):
        fold[one] = size.index(min(size))
        size[fold[one]] += list(camera).count(one)
    return [fold[c] for c in camera]


def fit(clips: Sequence[Measured], quiet: Sequence[Floats] = ()) -> BoostedTrees:
    """Trees for raw features; a clip's crash and its quiet moments count one half each, a quiet
    video's moments as much as a clip's.
    """
    rows: list[Floats] = []
    truth: list[Floats] = []
    weight: list[Floats] = []
    for clip in clips:
        for flag, mine in ((1.0, clip.crash), (0.0, ~clip.crash & ~clip.aftermath)):
            chosen = clip.features[mine]
            rows.append(chosen)
            truth.append(np.full(len(chosen), flag))
            weight.append(np.full(len(chosen), 0.5 / max(5, len(chosen))))
    for features in quiet:
        rows.append(features)
        truth.append(np.zeros(len(features)))
        weight.append(np.full(len(features), 0.5 / len(features)))
    return grow(np.concatenate(rows), np.concatenate(truth), np.concatenate(weight), PLAN)


def train_crash(root: Path, videos: Path | None, folder: Path) -> ModelCard:
    """Cross-fit, choose the operating point, fit to everything and write the model; `videos` holds
    `quiet_*` files as further ordinary scenes. Returns what was written. Raises DataUnusableError.
    """
    pairs = [measure(clip) for clip in crash_clips(root)]
    clips = [measured for measured, _ in pairs]
    views = cameras([median for _, median in pairs])
    quiet = {} if videos is None else quiet_videos(videos)
    ordinary = [motion_features(motion_fields(greys)) for greys in quiet.values()]
    fold = folds_of(views)
    scores: dict[str, NDArray[np.float32]] = {}
    judged: dict[str, list[tuple[float, CrashVerdict]]] = {}
    for k in range(FOLDS):
        trees = fit([c for c, f in zip(clips, fold, strict=True) if f != k], ordinary)
        judge = CrashJudge(_uncalibrated(folder), trees)
        for clip, f in zip(clips, fold, strict=True):
            if f == k:
                scores[clip.clip.name] = trees.probabilities(clip.whole)
                judged[clip.clip.name] = clip_verdicts(judge, clip.clip)
    point = _operating_point(clips, judged)
    curve = fit_curve(_samples(clips, judged), 0.0)
    folder.mkdir(parents=True, exist_ok=True)
    trees = fit(clips, ordinary)
    trees.write(folder / WEIGHTS)
    aftermath = aftermath_curve(
        [c.clip for c in clips],
        judged,
        point,
        CrashJudge(_uncalibrated(folder), trees),
        list(quiet.values()),
    )
    digest = sha256_of(folder / WEIGHTS)
    figures = crash_figures([c.clip for c in clips], _first_alarms(judged, point), scores)
    facts: dict[str, Any] = {
        "name": "crash",
        "version": f"crash-{datetime.now(UTC):%Y%m%d}-{digest[:8]}",
        "task": "crash",
        "classes": ["crash"],
        "input_size_px": SIZE_PX,
        "weights_sha256": {WEIGHTS: digest},
        "curves": {"crash": curve.to_plain()},
        "aftermath": aftermath.to_plain(),
        "operating_points": {"crash": point},
        "figures": {"crash": figures},
        "provenance": {
            "command": "siaga train crash",
            "clips": len(clips),
            "cameras": len(set(views)),
            "folds": FOLDS,
            **{f"boosting_{name}": value for name, value in asdict(PLAN).items()},
            "quiet_videos": sorted(quiet),
            "source": "CADP by way of fletchersarip93/traffic-accident-detection-dl4j; "
            "an academic set, no licence stated",
            "licence": "AGPL-3.0-or-later",
        },
    }
    (folder / "model.json").write_text(json.dumps(facts, indent=1) + "\n")
    write_crash_card(folder, facts)
    return load_card(folder)


def quiet_videos(videos: Path) -> dict[str, list[Grey]]:
    """The `quiet_*` videos of a folder that run fast enough to show motion."""
    found: dict[str, list[Grey]] = {}
    for path in sorted(videos.glob("quiet_*.mp4")):
        greys, times_s = video_pictures(path)
        if len(greys) > 10 and times_s[-1] / (len(greys) - 1) < 1.5 / RATE_FPS:
            found[path.name] = greys
    return found


Judged = Mapping[str, Sequence[tuple[float, CrashVerdict]]]


def _first_alarms(judged: Judged, point: float) -> dict[str, list[float]]:
    """When each clip's first judgement reaches the point: further ones are the same alarm, since a
    clip is shorter than a track's patience.
    """
    return {
        name: [at_s for at_s, verdict in mine if verdict.score >= point][:1]
        for name, mine in judged.items()
    }


def _operating_point(clips: Sequence[Measured], judged: Judged) -> float:
    """The lowest score, in two-hundredths, whose cross-fitted alarms keep FALSE_BUDGET."""
    for step in range(100, 200):
        alarms = _first_alarms(judged, step / 200)
        early = [alarms[c.clip.name] for c in clips if c.clip.onset_s >= LEAST_BEFORE_S]
        onsets = [c.clip.onset_s for c in clips if c.clip.onset_s >= LEAST_BEFORE_S]
        false = sum(bool(a) and a[0] < on for a, on in zip(early, onsets, strict=True))
        if false <= FALSE_BUDGET * len(onsets):
            return step / 200
    return 0.995


def _samples(clips: Sequence[Measured], judged: Judged) -> list[CalibrationSample]:
    """The best judgement of each clip until its crash, and from there to AFTERWARDS_S later."""
    samples = []
    for clip in clips:
        onset_s, end_s = clip.clip.onset_s, clip.clip.end_s + AFTERWARDS_S
        name = clip.clip.name
        after = [v.score for at_s, v in judged[name] if onset_s <= at_s <= end_s]
        before = [v.score for at_s, v in judged[name] if at_s < onset_s]
        if after:
            samples.append(CalibrationSample(max(after), True, name))
        if before:
            samples.append(CalibrationSample(max(before), False, name))
    return samples


def _uncalibrated(folder: Path) -> ModelCard:
    """The card of weights whose scores alone are wanted."""
    return ModelCard(
        folder=folder,
        name="crash",
        version="crash-cross-fitted",
        task="crash",
        classes=("crash",),
        input_size_px=SIZE_PX,
        weights_sha256={},
        curves={Sighting.CRASH: Curve(CurveKind.PLATT, (0.0, 1.0), (-1.0, 1.0), 0.0)},
        operating_points={Sighting.CRASH: 0.5},
        provenance={},
    )


def data_folders() -> tuple[Path, Path]:
    """The clips and the videos of the data at hand. Raises FileNotFoundError."""
    root = sources.data_root()
    return root / "crash_clips_130", root / "videos"
