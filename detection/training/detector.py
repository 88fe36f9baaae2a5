"""Trains the fire, smoke and crash detector (`siaga train detector`).

Life cycle: stage (links to the pictures in the layout Ultralytics reads) > train (checkpoint each
epoch) > the last one, which `publish` exports and measures. Killed half-way, the same
command goes on from the last whole epoch.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detection.training import degrade, environment, sources
from detection.training.environment import print_err
from detection.training.split import Caps, Split, split
from detection.training.staging import stage

CAPS = Caps(
    cluster=60,
    cluster_of_source={"abonia": 90, "shub": 14},
    source={"indonesia": 200, "yuskun": 130, "opendatacam": 15, "vnjunction": 25},
)


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


class Damage:
    """The CCTV damage as a step of Ultralytics' chain: touches the picture, never the boxes."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, labels: dict[str, Any]) -> dict[str, Any]:
        """Damage `labels["img"]` (H, W, 3 uint8 BGR) and hand everything on."""
        picture = labels["img"]
        if len(labels["cls"]) == 0:
            picture = degrade.mistakable(picture, self.rng)
        labels["img"] = degrade.degrade(picture, self.rng, degrade.DAMAGE)
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
