"""Trains the flood classifier (`siaga train flood`): flood or dry, from the road region alone.

Nearly every flood picture at hand is a photograph and nearly every dry one CCTV. Against learning
the camera instead of the water: dry photographs of streets are added, photographs are damaged
harder than CCTV, the one source with both classes from the same cameras (`rio`) is repeated,
crops hide the horizon and the recorder's captions, and dry roads are shown again and again as
flooded, as merely wet, and with lamps, fog or strong light on them (`detection.training.water`).
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detection.errors import DataUnusableError
from detection.road_region import crop_road
from detection.training import degrade, environment, sources, water
from detection.training.detector import report_progress
from detection.training.environment import print_err
from detection.training.split import Caps, Split, split

CLASSES = ("dry", "flood")
STAGED_SIZE_PX = 288
REPEATS = {"rio": 5, "fog": 2}
"""How often an epoch shows a source: the only CCTV with both classes is small and must not drown.
"""
PHOTOGRAPHS = frozenset({"mishra", "duy", "jshaffer", "yuskun", "indonesia"})
ROADS = sources.TRAFFIC_CCTV | sources.STREETS
"""Sources whose dry pictures show a road that water can be painted on."""
FLOODED_SHARE, WET_SHARE, MISTAKABLE_SHARE = 0.22, 0.18, 0.2
"""Of the dry roads shown in an epoch."""
CAPS = Caps(cluster=14, source={"indonesia": 200, "yuskun": 160, "biplab": 120, "abonia": 130})


@dataclass(frozen=True, slots=True)
class FloodPlan:
    """One training, in full."""

    start_weights: str
    work: Path
    epochs: int = 15
    hours: float | None = None
    image_size_px: int = 224
    batch: int = 32
    seed: int = 7
    threads: int = 1
    device: str = "cpu"
    learning_rate: float = 0.0015
    stated_licence_only: bool = False
    history: str = "descended from COCO weights"
    """What the starting weights have seen before; stands in the model card."""


def is_flood(picture: sources.Picture) -> bool:
    """Whether the picture shows a flood: decided by its folder."""
    return picture.path.parent.name == "flood"


def flood_split(root: Path, stated_licence_only: bool = False) -> Split:
    """The classifier's pictures, scene-separated by the same rule as the detector's."""
    only = stated_licence_only
    wet = sources.flood_pictures(root, "flood", only)
    dry = sources.flood_pictures(root, "dry", only)
    # A street is dry with and without a crash in it, and so are rooms and forests on fire: without
    # them, flames at night and what they light up pass for reflections in water.
    dry += sources.hazard_pictures(root, only)
    dry += sources.quiet_pictures(root, only)
    dry += [
        p
        for p in sources.street_pictures(root, only)
        if p.source in {"yuskun", "indonesia", "vnjunction"}
    ]
    return split([*wet, *dry], CAPS)


def another_of(
    picture: degrade.Picture, source: str, rng: np.random.Generator
) -> tuple[degrade.Picture, bool]:
    """A dry picture (BGR uint8) as an epoch shows it, and whether it shows a flood now."""
    if source not in ROADS:
        return picture, False
    drawn = float(rng.random())
    if drawn < FLOODED_SHARE:
        return water.flooded(picture, rng), True
    if drawn < FLOODED_SHARE + WET_SHARE:
        return water.merely_wet(picture, rng), False
    if drawn < FLOODED_SHARE + WET_SHARE + MISTAKABLE_SHARE:
        return degrade.mistakable(picture, rng), False
    return picture, False


def stage(parts: Split, work: Path, size_px: int) -> Path:
    """Write the road crops as Ultralytics reads them (a folder a class); returns the dataset's
    folder.
    """
    folder = work / "stage"
    shutil.rmtree(folder, ignore_errors=True)
    for name, pictures in (("train", parts.train), ("val", parts.choose)):
        for label in CLASSES:
            (folder / name / label).mkdir(parents=True)
        for picture in pictures:
            loaded = cv2.imread(str(picture.path))
            if loaded is None:
                raise DataUnusableError(picture.path, "not a readable picture")
            crop = crop_road(
                np.asarray(loaded, dtype=np.uint8), STAGED_SIZE_PX if name == "train" else size_px
            )
            target = folder / name / CLASSES[is_flood(picture)]
            repeats = REPEATS.get(picture.source, 1) if name == "train" else 1
            for i in range(repeats):
                cv2.imwrite(str(target / f"{picture.path.stem}_{i}.png"), crop)
    return folder


def _trainer_class(seed: int) -> Any:
    from PIL import Image  # type: ignore[import-not-found, unused-ignore]
    from ultralytics.data.dataset import ClassificationDataset
    from ultralytics.models.yolo.classify import ClassificationTrainer

    class CctvDataset(ClassificationDataset):  # type: ignore[misc, unused-ignore]
        rng = np.random.default_rng(seed)
        damaged = False

        def __getitem__(self, i: int) -> dict[str, Any]:
            path, label, _, _ = self.samples[i]
            picture = self.img_cache[i] if self.cache_ram else self.imread(path)
            if self.damaged:
                source = Path(path).name.split("_")[0]
                if label == CLASSES.index("dry"):
                    picture, is_wet = another_of(picture, source, self.rng)
                    label = CLASSES.index("flood" if is_wet else "dry")
                strength = 1.6 if source in PHOTOGRAPHS else 0.8
                picture = degrade.degrade(picture, self.rng, strength)
            rgb = Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))
            return {"img": self.torch_transforms(rgb), "cls": label}

    class CctvTrainer(ClassificationTrainer):  # type: ignore[misc, unused-ignore]
        def build_dataset(self, img_path: str, mode: str = "train", batch: Any = None) -> Any:
            dataset = CctvDataset(
                img_path, self.args, augment=mode == "train", prefix=mode, names=self.data["names"]
            )
            dataset.damaged = mode == "train"
            return dataset

    return CctvTrainer


def train(plan: FloodPlan) -> Path:
    """Train to the end, or go on where an earlier run of the same plan stopped; returns the last
    checkpoint.
    """
    work = plan.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    environment.prepare(work, plan.threads, plan.seed)
    from ultralytics import YOLO

    parts = flood_split(sources.data_root(), plan.stated_licence_only)
    print_err(parts.table())
    last = work / "run" / "weights" / "last.pt"
    arguments: dict[str, Any]
    if last.is_file():
        print_err(f"going on from {last}")
        model, arguments = YOLO(str(last)), {"resume": True, "time": None, "val": False}
    else:
        dataset = stage(parts, work, plan.image_size_px)
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
        model, arguments = (
            YOLO("yolov8n-cls.yaml").load(plan.start_weights),
            _arguments(plan, dataset, work),
        )
    environment.allow_bfloat16_on_cpu()
    report_progress(model)
    model.train(trainer=_trainer_class(plan.seed), **arguments)
    return work / "run" / "weights" / "last.pt"


def _arguments(plan: FloodPlan, dataset: Path, work: Path) -> dict[str, Any]:
    return {
        "data": str(dataset),
        "epochs": plan.epochs,
        "time": plan.hours,
        "imgsz": plan.image_size_px,
        "batch": plan.batch,
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
        "warmup_epochs": 1.0,
        "patience": 0,
        "val": False,
        "scale": 0.6,
        "erasing": 0.2,
        # RandAugment's solarising and posterising make water out of asphalt: colour jitter alone.
        "auto_augment": None,
        "hsv_h": 0.02,
        "hsv_s": 0.5,
        "hsv_v": 0.4,
        "dropout": 0.2,
    }
