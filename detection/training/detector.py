"""Trains the fire, smoke and crash detector (`siaga train detector`).

Life cycle: stage (links to the pictures in the layout Ultralytics reads) > train (checkpoint each
epoch) > the last one, which `publish` exports and measures. Killed half-way, the same
command goes on from the last whole epoch.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.errors import DataUnusableError
from detection.squeeze import squeeze
from detection.training import degrade, environment, sources
from detection.training.composite import cut_flames, set_fire
from detection.training.split import Caps, Split, split

CAPS = Caps(
    cluster=60,
    cluster_of_source={"abonia": 90, "shub": 14},
    source={"indonesia": 200, "yuskun": 130, "opendatacam": 15, "vnjunction": 25},
)
DAMAGE = 0.4
"""Strength of the CCTV damage: at this, a third of the pictures lose some detail each time."""
REPEATS = {"ukroad": 2, "fog": 3, "rio": 2}
"""How often an epoch shows a picture: the sources with few of them more often."""
SMALL_CLUSTER = 5
"""Clusters of CCTV fires with no more pictures than this are shown twice: the large ones are
minutes of one view.
"""
COMPOSITE_SHARE = 0.4
"""Of the ordinary CCTV pictures, how many are shown once more with a fire set into them."""


@dataclass(frozen=True, slots=True)
class DetectorPlan:
    """One training, in full: with the data and the seed it says what the weights will be."""

    start_weights: str
    work: Path
    epochs: int = 18
    hours: float | None = None
    """Wall-clock budget instead of a number of epochs: the schedule then stretches to the machine's
    real speed.
    """
    image_size_px: int = 320
    batch: int = 16
    seed: int = 7
    threads: int = 1
    device: str = "cpu"
    learning_rate: float = 0.001
    stated_licence_only: bool = False
    history: str = "descended from COCO weights"
    """What the starting weights have seen before; stands in the model card."""


def detector_split(root: Path, stated_licence_only: bool = False) -> Split:
    """The detector's pictures, scene-separated: hazards, quiet CCTV and ordinary streets."""
    everything = [
        *sources.hazard_pictures(root, stated_licence_only),
        *sources.quiet_pictures(root, stated_licence_only),
        *sources.street_pictures(root, stated_licence_only),
    ]
    return split(everything, CAPS)


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


class Damage:
    """The CCTV damage as a step of Ultralytics' chain: touches the picture, never the boxes."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, labels: dict[str, Any]) -> dict[str, Any]:
        """Damage `labels["img"]` (H, W, 3 uint8 BGR) and hand everything on."""
        picture = labels["img"]
        if len(labels["cls"]) == 0:
            picture = degrade.mistakable(picture, self.rng)
        labels["img"] = degrade.degrade(picture, self.rng, DAMAGE)
        return labels


def _trainer_class(seed: int) -> Any:
    """Ultralytics' trainer with our damage put before the last step of its chain (defined late:
    torch is optional).
    """
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.models.yolo.detect import DetectionTrainer

    class CctvDataset(YOLODataset):  # type: ignore[misc, unused-ignore]
        def build_transforms(self, hyp: Any = None) -> Any:
            chain = super().build_transforms(hyp)
            if self.augment:
                chain.insert(len(chain.transforms) - 1, Damage(seed))
            return chain

    class CctvTrainer(DetectionTrainer):  # type: ignore[misc, unused-ignore]
        def build_dataset(
            self, img_path: Any, mode: str = "train", batch: int | None = None
        ) -> Any:
            return CctvDataset(
                img_path=img_path,
                imgsz=self.args.imgsz,
                batch_size=batch,
                augment=mode == "train",
                hyp=self.args,
                rect=False,
                cache=self.args.cache or None,
                prefix=f"{mode}: ",
                stride=32,
                pad=0.0 if mode == "train" else 0.5,
                task="detect",
                data=self.data,
            )

    return CctvTrainer


def train(plan: DetectorPlan) -> Path:
    """Train to the end, or go on where an earlier run of the same plan stopped; returns the last
    checkpoint.

    Progress and time left go to standard error each epoch. Raises TrainExtraMissingError and
    FileNotFoundError.
    """
    work = plan.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    environment.prepare(work, plan.threads, plan.seed)
    from ultralytics import YOLO

    parts = detector_split(sources.data_root(), plan.stated_licence_only)
    print_err(parts.table())
    last = work / "run" / "weights" / "last.pt"
    if last.is_file():
        print_err(f"going on from {last}")
        model = YOLO(str(last))
        # Without a clock: the checkpoint holds the number of epochs that the budget had come to.
        arguments: dict[str, Any] = {"resume": True, "time": None, "val": False}
    else:
        dataset = stage(parts, work, plan.image_size_px, plan.seed)
        (work / "plan.json").write_text(
            json.dumps(
                {
                    **asdict(plan),
                    "work": str(plan.work),
                    "start_weights_sha256": environment.weights_sha256(plan.start_weights),
                    "split_sha256": parts.digest(),
                },
                indent=1,
            )
        )
        model = YOLO(plan.start_weights)
        arguments = _arguments(plan, dataset, work)
    environment.allow_bfloat16_on_cpu()
    report_progress(model)
    model.train(trainer=_trainer_class(plan.seed), **arguments)
    return work / "run" / "weights" / "last.pt"


def _arguments(plan: DetectorPlan, dataset: Path, work: Path) -> dict[str, Any]:
    return {
        "data": str(dataset),
        "epochs": plan.epochs,
        "time": plan.hours,
        "imgsz": plan.image_size_px,
        "batch": plan.batch,
        # A step a batch: by default Ultralytics gathers batches up to 64 pictures for one, and a
        # short training on a processor then ends after a few hundred steps.
        "nbs": plan.batch,
        "seed": plan.seed,
        "device": plan.device,
        "project": str(work),
        "name": "run",
        "exist_ok": True,
        "amp": True,
        "workers": 1,
        "cache": "ram",
        "plots": False,
        "optimizer": "AdamW",
        "lr0": plan.learning_rate,
        "lrf": 0.02,
        "cos_lr": True,
        # Validation each epoch would take a fifth of the time. Every epoch is kept, for
        # `siaga train average`.
        "val": False,
        "save_period": 1,
        "warmup_epochs": 1.0,
        "patience": 0,
        # Mosaic makes scenes that no camera shows: the last epochs see whole pictures, as in
        # service.
        "mosaic": 0.5,
        "close_mosaic": max(1, plan.epochs // 3),
        "mixup": 0.0,
        "scale": 0.5,
        "degrees": 3.0,
        "hsv_h": 0.012,
        "hsv_s": 0.6,
        "hsv_v": 0.45,
        "erasing": 0.0,
    }


def report_progress(model: Any) -> None:
    """After each epoch: which, its validation figure, the time left, on standard error."""
    began_s = time.monotonic()
    first: list[int] = []

    def ended(trainer: Any) -> None:
        first[:] = first or [int(trainer.epoch)]
        done = int(trainer.epoch) - first[0] + 1
        left_s = (
            (time.monotonic() - began_s) / done * (int(trainer.epochs) - int(trainer.epoch) - 1)
        )
        figures = {
            k.split("/")[-1]: round(float(v), 3)
            for k, v in (trainer.metrics or {}).items()
            if "metrics" in k
        }
        print_err(
            f"epoch {trainer.epoch + 1}/{trainer.epochs} {figures} about {left_s / 60:.0f} min left"
        )

    model.add_callback("on_fit_epoch_end", ended)


def print_err(text: str) -> None:
    """Progress goes to standard error: standard output is kept for results."""
    print(text, file=sys.stderr, flush=True)
