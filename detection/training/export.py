"""A checkpoint to what service needs: an OpenVINO graph with fp16-compressed weights, and a
checkpoint without traces.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from detection.training import environment

KEPT_ARGUMENTS = frozenset(
    {"task", "imgsz", "epochs", "time", "batch", "seed", "optimizer", "lr0", "lrf"}
)


def export(checkpoint: Path, folder: Path, input_size_px: int, work: Path) -> dict[str, Path]:
    """Write `model.xml`, `model.bin` and `model.pt` into `folder`; returns them by name.

    The graph is static (batch 1, `input_size_px` square) and ends before suppression: NMS is ours
    in both back ends.
    """
    environment.prepare(work, threads=1, seed=0)
    from ultralytics import YOLO

    folder.mkdir(parents=True, exist_ok=True)
    clean = folder / "model.pt"
    strip(checkpoint, clean)
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        copy = Path(scratch) / "model.pt"
        shutil.copy(clean, copy)
        YOLO(str(copy)).export(
            format="openvino",
            imgsz=input_size_px,
            quantize=16,
            dynamic=False,
            nms=False,
            batch=1,
            device="cpu",
        )
        exported = Path(scratch) / "model_openvino_model"
        for suffix in ("xml", "bin"):
            shutil.copy(exported / f"model.{suffix}", folder / f"model.{suffix}")
    return {name: folder / name for name in ("model.xml", "model.bin", "model.pt")}


def strip(checkpoint: Path, target: Path) -> None:
    """Keep the averaged weights in half precision, drop the optimiser and everything that names
    this machine.
    """
    import torch

    # Our own training wrote it, so it may be unpickled whole.
    state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=False)
    model = (state.get("ema") or state["model"]).half()
    for parameter in model.parameters():
        parameter.requires_grad = False
    arguments = {
        k: v for k, v in dict(state.get("train_args") or {}).items() if k in KEPT_ARGUMENTS
    }
    model.args = arguments
    for attribute in ("yaml_file", "pt_path"):
        if hasattr(model, attribute):
            setattr(model, attribute, "")
    if isinstance(getattr(model, "yaml", None), dict):
        model.yaml.pop("yaml_file", None)
    torch.save(
        {
            "model": model,
            "ema": None,
            "epoch": -1,
            "train_args": arguments,
            "license": "AGPL-3.0-or-later",
        },
        target,
    )
