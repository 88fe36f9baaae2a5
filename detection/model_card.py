"""What a committed model says about itself (`model.json`), read and checked before it is used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.hazards import Sighting
from detection.calibration import Curve
from detection.errors import ModelUnusableError

MODELS = Path(__file__).parent / "models"
DETECTOR = "hazards"
FLOOD = "flood"
CRASH = "crash"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The facts of one model. Curves and operating points are by sighting."""

    folder: Path
    name: str
    version: str
    task: str
    classes: tuple[str, ...]
    input_size_px: int
    weights_sha256: Mapping[str, str]
    curves: Mapping[Sighting, Curve]
    operating_points: Mapping[Sighting, float]
    """Score from which a single picture counts as showing the hazard (`siaga eval`)."""
    provenance: Mapping[str, Any]
    """Training command, seed, data split: for people, not for programs."""
    aftermath: Curve | None = None
    """Of a crash model: what it is worth that something stands there afterwards."""

    def file(self, name: str) -> Path:
        """A weights file, after its SHA-256 was checked. Raises ModelUnusableError."""
        path = self.folder / name
        if name not in self.weights_sha256:
            raise ModelUnusableError(self.folder, f"model.json lists no {name}")
        if not path.is_file():
            raise ModelUnusableError(self.folder, f"{name} is missing")
        if sha256_of(path) != self.weights_sha256[name]:
            raise ModelUnusableError(self.folder, f"{name} differs from its SHA-256 in model.json")
        return path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_card(folder: Path) -> ModelCard:
    """Read `folder/model.json`. Raises ModelUnusableError where it is missing or says something
    else.
    """
    try:
        plain = json.loads((folder / "model.json").read_text())
        return ModelCard(
            folder=folder,
            name=plain["name"],
            version=plain["version"],
            task=plain["task"],
            classes=tuple(plain["classes"]),
            input_size_px=int(plain["input_size_px"]),
            weights_sha256=dict(plain["weights_sha256"]),
            curves={Sighting(k): Curve.from_plain(v) for k, v in plain["curves"].items()},
            operating_points={Sighting(k): float(v) for k, v in plain["operating_points"].items()},
            provenance=plain["provenance"],
            aftermath=Curve.from_plain(plain["aftermath"]) if "aftermath" in plain else None,
        )
    except FileNotFoundError as error:
        raise ModelUnusableError(folder, "model.json is missing") from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ModelUnusableError(folder, f"model.json: {error!r}") from error
