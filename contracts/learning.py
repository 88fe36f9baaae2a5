"""What fusion has learnt from incidents that people have decided about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.errors import ContractError, require_text, require_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class LearntFigure:
    """One figure, with what it was made from; it acts while ``value`` is not empty.

    ``value`` and ``assumed`` are single numbers, but for ``existence``: pairs of a probability as
    reckoned and as it turned out, flattened.
    """

    name: str
    value: tuple[float, ...]
    assumed: tuple[float, ...]
    """What is used in its place: configured, or built in."""
    samples: int
    learnt_at: datetime
    since: datetime | None = None
    """Only what was decided later counts: when it was last reset."""
    frozen: bool = False

    def __post_init__(self) -> None:
        require_text("name", self.name, 120)
        require_utc("learnt_at", self.learnt_at)
        if self.since is not None:
            require_utc("since", self.since)
        if self.samples < 0:
            raise ContractError("samples", "must not be negative")
