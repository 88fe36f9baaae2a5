"""The detector's pictures laid out as Ultralytics reads them, for any training of it: squeezed to
squares, the rare ones shown more often, some ordinary ones once more with a fire set in.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.errors import DataUnusableError
from detection.squeeze import squeeze
from detection.training import sources
from detection.training.composite import cut_flames, set_fire
from detection.training.split import Split

REPEATS = {"ukroad": 2, "fog": 3, "rio": 2}
"""How often an epoch shows a picture: the sources with few of them more often."""
SMALL_CLUSTER = 5
"""Clusters of CCTV fires with no more pictures than this are shown twice: the large ones are
minutes of one view.
"""
COMPOSITE_SHARE = 0.4
"""Of the ordinary CCTV pictures, how many are shown once more with a fire set into them."""


def stage(parts: Split, work: Path, size_px: int, seed: int) -> Path:
    """Lay the split out as Ultralytics reads it, squeezed to squares; returns the dataset's YAML
    file.
    """
    stage_dir = work / "stage"
    shutil.rmtree(stage_dir, ignore_errors=True)
    clusters = Counter((p.source, p.cluster) for p in parts.train)
    for name, pictures in (("train", parts.train), ("val", parts.choose)):
        images, labels = stage_dir / "images" / name, stage_dir / "labels" / name
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for picture in pictures:
            text = picture.labels.read_text() if picture.labels else ""
            square = squeezed(picture.path, size_px)
            repeats = REPEATS.get(picture.source, 1) if name == "train" else 1
            if picture.source == "abonia" and clusters["abonia", picture.cluster] <= SMALL_CLUSTER:
                repeats = 2 if name == "train" else 1
            for i in range(repeats):
                stem = f"{picture.path.stem}_{i}"
                cv2.imwrite(str(images / f"{stem}.png"), square)
                (labels / f"{stem}.txt").write_text(text)
    _stage_composites(parts, stage_dir, size_px, seed)
    names = ", ".join(f"{i}: {name}" for i, name in enumerate(sources.HAZARD_CLASSES))
    description = stage_dir / "dataset.yaml"
    description.write_text(
        f"path: {stage_dir}\ntrain: images/train\nval: images/val\nnames: {{{names}}}\n"
    )
    return description


def squeezed(path: Path, size_px: int) -> NDArray[np.uint8]:
    """A picture (BGR) as service sees it: squeezed to a square, without bars. Raises
    DataUnusableError.

    With bars, which only the wide pictures have, a model learns that bars mean nothing to report.
    """
    loaded = cv2.imread(str(path))
    if loaded is None:
        raise DataUnusableError(path, "not a readable picture")
    square = np.empty((size_px, size_px, 3), np.uint8)
    squeeze(np.asarray(loaded, dtype=np.uint8), size_px, square)
    return square


def _stage_composites(parts: Split, stage_dir: Path, size_px: int, seed: int) -> None:
    """Some ordinary CCTV pictures of the training part once more, with a fire or two set in."""
    flames = cut_flames([p for p in parts.train if p.source in {"biplab", "abonia"}], 300, seed)
    rng = np.random.default_rng(seed)
    for picture in parts.train:
        quiet = picture.labels is None or not picture.labels.read_text().strip()
        if not flames or not quiet or picture.source not in sources.TRAFFIC_CCTV:
            continue
        if rng.random() >= COMPOSITE_SHARE:
            continue
        image, rows = squeezed(picture.path, size_px), []
        for _ in range(int(rng.integers(1, 3))):
            image, (x0, y0, x1, y1) = set_fire(image, flames[int(rng.integers(len(flames)))], rng)
            shares = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]
            rows.append("0 " + " ".join(f"{v / size_px:.6f}" for v in shares))
        stem = f"{picture.path.stem}_composite"
        cv2.imwrite(str(stage_dir / "images/train" / f"{stem}.png"), image)
        (stage_dir / "labels/train" / f"{stem}.txt").write_text("\n".join(rows) + "\n")
