"""The models that watch, as workers tell of them, and how new ones were judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.errors import require_utc

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigure:
    """One hazard of a model, in shares of pictures of scenes that it was never trained on.

    None where the model's card doesn't say.
    """

    hazard: str
    operating_point: float | None
    """Score from which a single picture counts as showing the hazard."""
    recall: float | None
    recall_95: Range | None
    fpr: float | None
    fpr_95: Range | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """One model in use."""

    part: str
    """``detector``, ``flood``, ``crash`` or ``shadow``."""
    name: str
    version: str
    input_size_px: int
    figures: tuple[ModelFigure, ...]
    card: str
    """Its model card, as Markdown; empty where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRow:
    """Two detectors on one hazard: pictures in which both, one or neither found it, and alarms."""

    hazard: str
    both: int
    live_only: int
    shadow_only: int
    neither: int
    live_alarms: int
    shadow_alarms: int
    agreement: float | None
    """Cohen's kappa."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowComparison:
    """A pair of models on the same pictures."""

    live: str
    shadow: str
    pictures: int
    camera_s: float
    rows: tuple[ShadowRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionLoss:
    """In what a candidate was worse."""

    hazard: str
    measure: str
    """``recall`` or ``fpr``."""
    live: float
    candidate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What the gate answered when a candidate was held against the live model."""

    live: str
    candidate: str
    at: datetime
    promoted: bool
    losses: tuple[PromotionLoss, ...]

    def __post_init__(self) -> None:
        require_utc("at", self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsReport:
    """What one worker tells: its models, what all shadows of its machine have counted, and the
    gate's answers, newest first."""

    models: tuple[ModelFacts, ...]
    shadows: tuple[ShadowComparison, ...] = ()
    promotions: tuple[Promotion, ...] = ()
