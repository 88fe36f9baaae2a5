"""Ordinary traffic that the crash model learns to leave alone.

Windows of it are learnt from, as a camera's clip keeper holds them: whole videos have another
median picture, and trees that had learnt those took the same traffic for a crash live.

The simulator's streets are not among it. With eight drawn junctions as ordinary traffic the model
spoke half as often of other drawn ones, and never again of a drawn crash; with drawn crashes among
the crashes neither got better, and real clips got nothing from either.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.crash_clips import video_pictures
from detection.crash_features import LOOKS_BACK, motion_features
from detection.crash_model import AFTER, BEFORE
from detection.crash_motion import RATE_FPS, Field, Grey, against_median, motion_fields
from detection.crash_watch import CLIP_S

QUIET_WEIGHT = 2.0
"""How many clips' quiet moments a video counts as much as."""

Floats = NDArray[np.float64]


def ordinary_scene(greys: Sequence[Grey]) -> Floats:
    """(N, FEATURES) of the moments of successive (96, 96) pictures, RATE_FPS a second, 3 s or more,
    in which nothing crashes.
    """
    fields = motion_fields(greys)
    found = []
    for first, last in windows(len(fields), is_dense=True):
        mine = against_median(fields[first:last], greys[first:last])
        features = motion_features(mine)
        begin = LOOKS_BACK if first == 0 else BEFORE
        found.append(features[begin : max(begin, len(features) - AFTER)])
    return np.concatenate(found)


def quiet_videos(videos: Path) -> dict[str, list[Grey]]:
    """The `quiet_*` videos of a folder that run fast enough to show motion."""
    found: dict[str, list[Grey]] = {}
    for path in sorted(videos.glob("quiet_*.mp4")):
        greys, times_s = video_pictures(path)
        if len(greys) > 10 and times_s[-1] / (len(greys) - 1) < 1.5 / RATE_FPS:
            found[path.name] = greys
    return found


def windows(length: int, *, is_dense: bool) -> list[tuple[int, int]]:
    """Windows of a clip, from and to: growing ones that begin with it and, for each moment that one
    may begin at, one that lasts as long as a clip keeper's clip. Fewer, where not `is_dense`.
    """
    longest, second = round(CLIP_S * RATE_FPS), round(RATE_FPS)
    grown = range(2 * second, length, second) if is_dense else ()
    found = [(max(0, last - longest), last) for last in (*grown, length)]
    step = 6 if is_dense else 9
    return found + [(s, min(length, s + longest)) for s in range(4, length - 2 * second - 2, step)]


def scored_moments(fields: Field, first: int, last: int) -> tuple[Floats, NDArray[np.int64]]:
    """The features of a window's moments that are scored, and which they are in the clip.

    Moments of a window that begins with its clip count only with all of their past
    (`detection.training.crash`).
    """
    features = motion_features(fields[first:last])
    begin = LOOKS_BACK if first == 0 else BEFORE
    end = max(begin, last - first - AFTER)
    return features[begin:end], np.arange(first + begin, first + end)
