"""Runs the checkpoint itself with torch (a GPU where there is one), or a TensorRT engine beside it:
the `train` extra.

Pre- and post-processing are this room's own, so that both back ends answer alike.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from detection.errors import TrainExtraMissingError
from detection.model_card import ModelCard

ENGINE = "model.engine"
CHECKPOINT = "model.pt"


class UltralyticsNetwork:
    """Torch or TensorRT by way of Ultralytics' loader, in fp32; raises TrainExtraMissingError,
    ModelUnusableError.
    """

    def __init__(self, card: ModelCard) -> None:
        for package in ("torch", "ultralytics"):
            if find_spec(package) is None:
                raise TrainExtraMissingError(package)
        os.environ.setdefault("YOLO_OFFLINE", "1")
        import torch
        from ultralytics.nn.autobackend import AutoBackend

        self._torch = torch
        self._device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
        has_engine = ENGINE in card.weights_sha256 and self._device.type == "cuda"
        weights = card.file(ENGINE if has_engine else CHECKPOINT)
        self._network = AutoBackend(str(weights), device=self._device, fp16=False, verbose=False)
        self._network.eval()

    def run(self, squares: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """One raw output (without the batch axis) for each (S, S, 3) uint8 RGB square."""
        if not squares:
            return []
        torch = self._torch
        batch = np.ascontiguousarray(np.stack(squares).transpose(0, 3, 1, 2))
        with torch.inference_mode():
            given = torch.from_numpy(batch).to(self._device).float() / 255.0
            answer = self._network(given)
        # In evaluation a detection head returns (boxes, features), a classification head
        # (probabilities, logits).
        first = answer[0] if isinstance(answer, (list, tuple)) else answer
        return list(np.asarray(first.float().cpu().numpy(), dtype=np.float32))
