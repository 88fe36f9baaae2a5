"""The errors of this room; each carries its facts in attributes."""

from __future__ import annotations

from pathlib import Path


class DetectionError(Exception):
    """Base of everything this room raises on purpose."""


class TrainExtraMissingError(DetectionError):
    """A package of the `train` extra is needed and absent."""

    def __init__(self, package: str) -> None:
        self.package = package
        super().__init__(f"{package} is not installed: pip install 'siaga[train]'")


class ModelUnusableError(DetectionError):
    """A model folder is missing, incomplete, damaged or of another kind than asked for."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder = folder
        self.reason = reason
        super().__init__(f"model {folder}: {reason}")


class PictureUnusableError(DetectionError):
    """An array handed to a model isn't a picture of the promised shape and type."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"unusable picture: {reason}")


class DataUnusableError(DetectionError):
    """A folder given to an evaluation or a training lacks what its layout promises."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder = folder
        self.reason = reason
        super().__init__(f"{folder}: {reason}")
