"""Frames to detections: models and their run time, tracks, verification, training, evaluation.

The way of a picture: `runtime` (boxes and flood probability) > `verification` (one object a camera)
> `contracts.Detection`, ready to be sent. Training lives in `training/` and needs the `train`
extra.
"""

from detection.boxes import Boxes
from detection.errors import (
    DataUnusableError,
    DetectionError,
    ModelUnusableError,
    PictureUnusableError,
    TrainExtraMissingError,
)
from detection.model_card import ModelCard, load_card
from detection.runtime import (
    Backend,
    Detector,
    FloodClassifier,
    Precision,
    open_detector,
    open_flood_classifier,
)
from detection.verification import CameraVerifier

__all__ = [
    "Backend",
    "Boxes",
    "CameraVerifier",
    "DataUnusableError",
    "DetectionError",
    "Detector",
    "FloodClassifier",
    "ModelCard",
    "ModelUnusableError",
    "PictureUnusableError",
    "Precision",
    "TrainExtraMissingError",
    "load_card",
    "open_detector",
    "open_flood_classifier",
]
