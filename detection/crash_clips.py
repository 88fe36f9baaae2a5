"""Clips of accidents with a label a picture, read; and how well alarms fit them.

A folder holds `clips/N.mp4` and `labels/N.csv`, a line a picture, whose last field is 1 while the
accident is visible. What follows grey padding is no part of a clip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import CameraId
from detection.crash_model import LEAST_SPAN_S, CrashJudge, CrashVerdict
from detection.crash_motion import RATE_FPS, SIZE_PX, Grey, shows_something, small_grey
from detection.crash_watch import CrashWatch
from detection.errors import DataUnusableError
from detection.evaluation import auc, interval_95, per_hour_95
from detection.model_card import ModelCard
from detection.verification import CameraVerifier

AFTERWARDS_S = 5.0
"""An alarm so long after the last accident picture still counts for it."""
LEAST_BEFORE_S = 1.0
"""Clips with less before the accident don't count for false alarms."""


@dataclass(frozen=True, slots=True)
class CrashClip:
    """One clip and when its accident is visible, in seconds."""

    name: str
    path: Path
    onset_s: float
    end_s: float


def crash_clips(folder: Path) -> list[CrashClip]:
    """The clips of a folder, by name. Raises DataUnusableError."""
    paths = sorted((folder / "clips").glob("*.mp4"))
    if not paths:
        raise DataUnusableError(folder, "holds no clips/*.mp4")
    return [_clip(path, folder / "labels" / f"{path.stem}.csv") for path in paths]


def _clip(path: Path, labels: Path) -> CrashClip:
    if not labels.is_file():
        raise DataUnusableError(labels, "label file is missing")
    try:
        fields = [line.split(",")[-1].strip() for line in labels.read_text().splitlines()]
        flags = np.array([float(f) for f in fields if f and not f.isalpha()])
    except ValueError as error:
        raise DataUnusableError(labels, f"expected a number a line ({error})") from error
    shown = np.flatnonzero(flags)
    if len(shown) == 0:
        raise DataUnusableError(labels, "shows no accident")
    fps = _fps(path)
    return CrashClip(path.stem, path, float(shown[0] / fps), float(shown[-1] / fps))


def _fps(path: Path) -> float:
    capture = cv2.VideoCapture(str(path))
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    capture.release()
    if fps <= 0:
        raise DataUnusableError(path, "not a readable video")
    return fps


def video_pictures(path: Path) -> tuple[list[Grey], NDArray[np.float64]]:
    """A video's pictures as the crash model sees them, RATE_FPS a second, and their times in
    seconds; up to the padding, if any. Raises DataUnusableError.
    """
    fps = _fps(path)
    capture = cv2.VideoCapture(str(path))
    greys: list[Grey] = []
    times_s: list[float] = []
    number = 0
    while True:
        is_there, picture = capture.read()
        if not is_there:
            break
        at_s = number / fps
        number += 1
        if at_s + 1e-6 < len(greys) / RATE_FPS:
            continue
        grey = small_grey(np.asarray(picture[..., ::-1], np.uint8))
        if not shows_something(grey):
            break
        greys.append(grey)
        times_s.append(at_s)
    capture.release()
    if len(greys) < 2:
        raise DataUnusableError(path, "holds no two pictures that show anything")
    return greys, np.array(times_s)


def clip_verdicts(judge: CrashJudge, clip: CrashClip) -> list[tuple[float, CrashVerdict]]:
    """What a hot camera's clip keeper has judged, and when, in the clip's own seconds."""
    greys, times_s = video_pictures(clip.path)
    return judged_live(judge, greys, times_s.tolist())


def judged_live(
    judge: CrashJudge, greys: Sequence[Grey], times_s: Sequence[float]
) -> list[tuple[float, CrashVerdict]]:
    """The same of small grey pictures and their times."""
    watch = CrashWatch(judge)
    judged = []
    for number, (grey, at_s) in enumerate(zip(greys, times_s, strict=True)):
        watch.see(at_s, grey)
        verdict = watch.verdict(at_once=number == len(greys) - 1)
        if verdict is not None:
            judged.append((at_s, verdict))
    return judged


def alarms_of(
    card: ModelCard, detector: ModelCard, judged: Sequence[tuple[float, CrashVerdict]]
) -> list[float]:
    """When the verification tells of a new crash, given these judgements and the models' cards."""
    verifier = CameraVerifier(CameraId("clip"), detector, crash=card)
    told: dict[str, float] = {}
    for at_s, verdict in judged:
        at = datetime.fromtimestamp(at_s, UTC)
        for detection in verifier.judge_clip(verdict, at, at, (SIZE_PX, SIZE_PX)):
            told.setdefault(detection.track_id, at_s)
    return sorted(told.values())


def clip_scores(judge: CrashJudge, clip: CrashClip) -> NDArray[np.float32]:
    """The score of every moment of a clip, RATE_FPS a second."""
    greys, times_s = video_pictures(clip.path)
    if times_s[-1] - times_s[0] < LEAST_SPAN_S:
        return np.zeros(len(greys), np.float32)
    return judge.judge(greys, times_s.tolist()).scores


def crash_figures(
    clips: Sequence[CrashClip],
    alarms_s: Mapping[str, Sequence[float]],
    scores: Mapping[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """How well alarms (seconds, by clip) and moments' scores (RATE_FPS a second) fit the clips.

    `recall`: clips with an alarm between the first accident picture and AFTERWARDS_S after the
    last; `false_share`: of the clips with LEAST_BEFORE_S before it, those with an alarm in it;
    `frame_auc`: of moments in the accident against moments before it.
    """
    delays: list[float] = []
    found: list[bool] = []
    false: list[bool] = []
    before_alarms = 0
    quiet_s = 0.0
    inside: list[float] = []
    before: list[float] = []
    for clip in clips:
        mine = alarms_s[clip.name]
        right = [a for a in mine if clip.onset_s <= a <= clip.end_s + AFTERWARDS_S]
        found.append(bool(right))
        if right:
            delays.append(right[0] - clip.onset_s)
        early = [a for a in mine if a < clip.onset_s]
        if clip.onset_s >= LEAST_BEFORE_S:
            false.append(bool(early))
            before_alarms += len(early)
            quiet_s += clip.onset_s
        times_s = np.arange(len(scores[clip.name])) / RATE_FPS
        inside += scores[clip.name][(times_s >= clip.onset_s) & (times_s <= clip.end_s)].tolist()
        before += scores[clip.name][times_s < clip.onset_s].tolist()
    return {
        "clips": len(clips),
        "recall": sum(found) / len(found) if found else None,
        "recall_95": interval_95([[f] for f in found]),
        "false_share": sum(false) / len(false) if false else None,
        "false_share_95": interval_95([[f] for f in false]),
        "false_per_hour": before_alarms / quiet_s * 3600 if quiet_s else None,
        "false_per_hour_95": per_hour_95(before_alarms, quiet_s),
        "quiet_s": quiet_s,
        "delay_s_median": median(delays) if delays else None,
        "frame_auc": auc(inside, before),
    }
