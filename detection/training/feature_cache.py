"""What the neck of a detector makes of the training pictures, computed once and kept on disk.

A step of the whole net costs a hundred times what a step of its class branch alone costs; with the
rest of the net at rest, each view of a picture need pass through it only once. The first view of a
picture is the picture itself, the others are flipped, moved, scaled and damaged, and those without
a hazard given what false alarms are made of (`degrade.mistakable`). Killed half-way, the same call
goes on behind the last whole part. A view takes 0.36 MB at 320 px.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.errors import DataUnusableError
from detection.training import degrade
from detection.training.environment import print_err

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]
Kept = np.memmap[Any, np.dtype[np.float16]]

PART = 64
"""Views between two notes of how far the work has come."""
_BATCH = 8
LEAST_SHARE = 0.2
"""A hazard of which a view shows less than this is labelled no more."""
_GREY = 114
"""What lies beyond a picture that was moved, as Ultralytics has it."""


@dataclass(frozen=True, slots=True)
class FeatureCache:
    """The features of a training's views, a memory-mapped (N, C, H, W) float16 array a level."""

    levels: tuple[NDArray[np.float16], ...]
    names: tuple[str, ...]
    """Of the picture that each row is a view of."""
    labels: tuple[Floats, ...]
    """(M, 5) of each row: class, then centre and size as shares of the view."""
    pictures: int
    """Rows i, i + pictures, i + 2 * pictures ... are views of one picture."""

    @property
    def views(self) -> int:
        """How many views there are of each picture."""
        return len(self.names) // self.pictures


def cached_features(
    net: Any, staged: Path, folder: Path, views: int, seed: int, size_px: int
) -> FeatureCache:
    """The features that `net` (a torch detection model) makes of the pictures in a `staged` folder
    (`images/train`, `labels/train`), `views` of each.

    Raises DataUnusableError where the folder holds no picture, or one that can't be read.
    """
    paths = sorted((staged / "images" / "train").glob("*.png"))
    if not paths:
        raise DataUnusableError(staged, "no staged pictures")
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(path, view) for view in range(views) for path in paths]
    levels = _arrays(net, folder, len(rows), size_px)
    note = folder / "labels.jsonl"
    labels = _read_labels(note, len(rows))
    began_s, began_at = time.monotonic(), len(labels)
    for start in range(began_at, len(rows), PART):
        part = [
            viewed(path, staged, view, np.random.default_rng([seed, start + i]))
            for i, (path, view) in enumerate(rows[start : start + PART])
        ]
        for i in range(0, len(part), _BATCH):
            found = neck_of(net, [picture for picture, _ in part[i : i + _BATCH]])
            for array, values in zip(levels, found, strict=True):
                array[start + i : start + i + len(values)] = values
        for array in levels:
            array.flush()
        # The labels are the note of how far it has come: they follow what they belong to.
        with note.open("a") as file:
            file.writelines(json.dumps(boxes.tolist()) + "\n" for _, boxes in part)
        labels += [boxes for _, boxes in part]
        left_s = (time.monotonic() - began_s) / (len(labels) - began_at) * (len(rows) - len(labels))
        print_err(f"features {len(labels)}/{len(rows)} about {left_s / 60:.0f} min left")
    return FeatureCache(
        tuple(levels), tuple(path.stem for path, _ in rows), tuple(labels), len(paths)
    )


def _arrays(net: Any, folder: Path, rows: int, size_px: int) -> list[Kept]:
    blank = np.zeros((size_px, size_px, 3), np.uint8)
    arrays: list[Kept] = []
    for i, values in enumerate(neck_of(net, [blank])):
        path, shape = folder / f"level{i}.npy", (rows, *values.shape[1:])
        if path.is_file() and np.load(path, mmap_mode="r").shape == shape:
            arrays.append(np.load(path, mmap_mode="r+"))
        else:
            # Another number of views or pictures: nothing of the old work fits.
            (folder / "labels.jsonl").unlink(missing_ok=True)
            arrays.append(np.lib.format.open_memmap(path, "w+", np.float16, shape))
    return arrays


def _read_labels(note: Path, rows: int) -> list[Floats]:
    if not note.is_file():
        return []
    lines = note.read_text().splitlines()
    whole = lines if len(lines) == rows else lines[: len(lines) // PART * PART]
    if len(whole) < len(lines):
        # Killed while it was written: that part is made again.
        note.write_text("".join(f"{line}\n" for line in whole))
    return [np.array(json.loads(line), float).reshape(-1, 5) for line in whole]


def neck_of(net: Any, pictures: Sequence[Picture]) -> list[NDArray[np.float16]]:
    """What reaches the head of a torch detection model, an (N, C, H, W) array a level, for BGR
    squares of one size.
    """
    import torch

    reached: list[Any] = []
    hook = net.model[-1].register_forward_pre_hook(lambda _, given: reached.extend(given[0]))
    rgb = np.ascontiguousarray(np.stack(pictures)[..., ::-1])
    try:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            net(torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255)
    finally:
        hook.remove()
    return [level.to(torch.float16).numpy() for level in reached]


def viewed(path: Path, staged: Path, view: int, rng: np.random.Generator) -> tuple[Picture, Floats]:
    """One view of a staged picture (BGR) and its labels: (M, 5) class, centre and size as shares.

    Raises DataUnusableError where the picture can't be read.
    """
    loaded = cv2.imread(str(path))
    if loaded is None:
        raise DataUnusableError(path, "not a readable picture")
    picture = np.asarray(loaded, np.uint8)
    text = (staged / "labels" / "train" / f"{path.stem}.txt").read_text()
    labels = np.array([line.split() for line in text.splitlines() if line.strip()], float)
    labels = labels.reshape(-1, 5)
    # A picture that is staged several times is seen unchanged once.
    if view == 0 and path.stem.endswith("_0"):
        return picture, labels
    hazardous = len(labels) > 0
    picture, labels = moved(picture, labels, rng)
    if not hazardous:
        picture = degrade.mistakable(picture, rng)
    return degrade.degrade(picture, rng, degrade.DAMAGE), labels


def moved(picture: Picture, labels: Floats, rng: np.random.Generator) -> tuple[Picture, Floats]:
    """A square picture flipped, shifted and scaled at random, and its labels with it."""
    size = picture.shape[0]
    if rng.random() < 0.5:
        picture, labels = picture[:, ::-1], labels.copy()
        labels[:, 1] = 1.0 - labels[:, 1]
    if rng.random() < 0.25:
        return np.ascontiguousarray(picture), labels
    scale = float(np.exp(rng.uniform(-0.45, 0.35)))
    shift = (1.0 - scale) / 2 + rng.uniform(-0.12, 0.12, 2)
    matrix = np.array([[scale, 0, shift[0] * size], [0, scale, shift[1] * size]], np.float32)
    # A mirrored edge could show a hazard twice, with one label.
    border = cv2.BORDER_CONSTANT if len(labels) else cv2.BORDER_REFLECT
    done = cv2.warpAffine(
        np.ascontiguousarray(picture),
        matrix,
        (size, size),
        borderMode=border,
        borderValue=(_GREY,) * 3,
    )
    low = (labels[:, 1:3] - labels[:, 3:5] / 2) * scale + shift
    high = (labels[:, 1:3] + labels[:, 3:5] / 2) * scale + shift
    seen_low, seen_high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
    share = np.prod(seen_high - seen_low, axis=1) / np.maximum(np.prod(high - low, axis=1), 1e-9)
    middle, side = (seen_low + seen_high) / 2, seen_high - seen_low
    kept = np.concatenate([labels[:, :1], middle, side], axis=1)[share > LEAST_SHARE]
    return np.asarray(done, np.uint8), kept
