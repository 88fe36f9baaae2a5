"""The run-time's interface: pictures in, boxes or flood probabilities out, whatever runs the
network.

A model is opened once a process and shared by its cameras' pictures; neither object is safe to call
from two threads at once. `open_detector` and `open_flood_classifier` choose the back end by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detection.boxes import Boxes
from detection.errors import ModelUnusableError
from detection.model_card import DETECTOR, FLOOD, MODELS, ModelCard, load_card
from detection.road_region import crop_road
from detection.squeeze import Placement, boxes_from_raw, require_picture, squeeze

Region = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


SURELY_DRY = 0.02
"""A road of a lower score isn't looked at twice: most roads, most of the time."""
LEAST_CONTRAST = 4.0
"""Grey levels (standard deviation). Below it the detector sees smoke in an even surface."""


class Backend(StrEnum):
    """What runs the network."""

    OPENVINO = "openvino"
    ULTRALYTICS = "ultralytics"


class Precision(StrEnum):
    """Arithmetic of the network: `fastest` leaves the choice to the back end (bfloat16 with
    AMX).
    """

    FASTEST = "fastest"
    FLOAT32 = "float32"


class Network(Protocol):
    """A back end: uint8 RGB squares to raw outputs."""

    def run(self, squares: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """One raw output (without the batch axis) for each (S, S, 3) uint8 RGB square."""
        ...


class Detector:
    """Fire, smoke and crash in single pictures."""

    def __init__(self, card: ModelCard, network: Network) -> None:
        if card.task != "detect":
            raise ModelUnusableError(card.folder, f"task is {card.task}, expected detect")
        self.card = card
        self.name = card.name
        self.version = card.version
        self.classes = card.classes
        self.input_size_px = card.input_size_px
        self._network = network
        self._squares: list[NDArray[np.uint8]] = []

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[Boxes]:
        """Boxes of each (H, W, 3) uint8 RGB picture, in its own pixels; sizes may differ.

        Raises PictureUnusableError for an array that is no such picture.
        """
        size = self.input_size_px
        while len(self._squares) < len(images):
            self._squares.append(np.empty((size, size, 3), dtype=np.uint8))
        squares = self._squares[: len(images)]
        placements: list[Placement] = [
            squeeze(image, size, square) for image, square in zip(images, squares, strict=True)
        ]
        raws = self._network.run(squares)
        return [
            boxes_from_raw(raw, place) if shows_something(square) else Boxes.none()
            for raw, place, square in zip(raws, placements, squares, strict=True)
        ]


def shows_something(square: NDArray[np.uint8]) -> bool:
    """Whether a picture has any contrast; a black, covered or whited-out one shows no hazard."""
    return float(square[::8, ::8].std()) >= LEAST_CONTRAST


class FloodClassifier:
    """Flood or dry, from the road region of single pictures."""

    def __init__(self, card: ModelCard, network: Network) -> None:
        if card.task != "classify" or "flood" not in card.classes:
            raise ModelUnusableError(card.folder, f"task is {card.task}, classes {card.classes}")
        self.card = card
        self.name = card.name
        self.version = card.version
        self.classes = card.classes
        self.input_size_px = card.input_size_px
        self._network = network
        self._flood = card.classes.index("flood")

    def classify(
        self, images: Sequence[NDArray[np.uint8]], regions: Sequence[Region | None] | None = None
    ) -> list[float]:
        """Probability of flood, in [0, 1], for each (H, W, 3) uint8 RGB picture.

        A road that isn't surely dry is judged mirrored as well, and the mean of both logits counts:
        what hangs on which way it runs is chance. `regions`: the drawn road region of each picture,
        None for its lower part. Raises PictureUnusableError.
        """
        for image in images:
            require_picture(image)
        chosen: Sequence[Region | None] = regions if regions is not None else [None] * len(images)
        squares = [
            crop_road(image, self.input_size_px, region)
            for image, region in zip(images, chosen, strict=True)
        ]
        found = [float(raw[self._flood]) for raw in self._network.run(squares)]
        doubtful = [i for i, probability in enumerate(found) if probability > SURELY_DRY]
        mirrored = [np.ascontiguousarray(squares[i][:, ::-1]) for i in doubtful]
        for i, raw in zip(doubtful, self._network.run(mirrored), strict=True):
            found[i] = _between(found[i], float(raw[self._flood]))
        return found


def _between(one: float, other: float) -> float:
    """The probability whose logit is the mean of both's."""
    logits = [math.log(p / (1.0 - p)) for p in np.clip([one, other], 1e-6, 1.0 - 1e-6).tolist()]
    return 1.0 / (1.0 + math.exp(-sum(logits) / 2.0))


def open_detector(
    backend: Backend = Backend.OPENVINO,
    folder: Path = MODELS / DETECTOR,
    streams: int = 1,
    precision: Precision = Precision.FASTEST,
) -> Detector:
    """The committed detector, or another one's `folder`. `streams`: one-thread inferences at once.

    Raises ModelUnusableError, and TrainExtraMissingError for the Ultralytics back end without its
    packages.
    """
    card = load_card(folder)
    return Detector(card, _open_network(card, backend, streams, precision))


def open_flood_classifier(
    backend: Backend = Backend.OPENVINO,
    folder: Path = MODELS / FLOOD,
    streams: int = 1,
    precision: Precision = Precision.FASTEST,
) -> FloodClassifier:
    """The committed flood classifier, or another one's `folder`; raises as `open_detector` does."""
    card = load_card(folder)
    return FloodClassifier(card, _open_network(card, backend, streams, precision))


def _open_network(card: ModelCard, backend: Backend, streams: int, precision: Precision) -> Network:
    if backend is Backend.ULTRALYTICS:
        from detection.ultralytics_backend import UltralyticsNetwork

        return UltralyticsNetwork(card)
    from detection.openvino_backend import OpenvinoNetwork

    return OpenvinoNetwork(card, streams, exact=precision is Precision.FLOAT32)
