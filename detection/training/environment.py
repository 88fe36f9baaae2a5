"""What a training needs around it: the `train` extra, an offline Ultralytics, one thread, a fixed
seed.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from detection.errors import TrainExtraMissingError


def require() -> None:
    """Raise TrainExtraMissingError where torch or ultralytics is absent."""
    for name in ("torch", "ultralytics"):
        if find_spec(name) is None:
            raise TrainExtraMissingError(name)


def prepare(work: Path, threads: int, seed: int) -> None:
    """Settle the process for training: call once, before ultralytics is imported.

    Ultralytics would look up a font, its settings and newer versions on the network; with a folder
    of its own, a font in it and YOLO_OFFLINE it looks up nothing.
    """
    require()
    settings = work / "ultralytics"
    (settings / "Ultralytics").mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("YOLO_CONFIG_DIR", str(settings))
    os.environ.setdefault("YOLO_OFFLINE", "1")
    font = next(iter(sorted(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"))), None)
    if font is not None:
        shutil.copy(font, settings / "Ultralytics" / "Arial.ttf")
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def allow_bfloat16_on_cpu() -> None:
    """Let Ultralytics train in mixed precision on a CPU.

    It asks a GPU-minded `check_amp` and turns mixed precision off on every CPU; torch's CPU
    autocast in bfloat16 works and halves the time where the processor has AMX or AVX512-BF16.
    """
    import torch
    import ultralytics.engine.trainer as trainer

    if not torch.cuda.is_available():
        trainer.check_amp = lambda model: True


def weights_sha256(start_weights: str) -> str | None:
    """SHA-256 of the starting weights; None for a name that Ultralytics will fetch itself."""
    path = Path(start_weights)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def print_err(text: str) -> None:
    """Progress goes to standard error: standard output is kept for results."""
    print(text, file=sys.stderr, flush=True)
