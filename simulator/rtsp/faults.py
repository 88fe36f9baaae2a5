"""What can be wrong with a simulated camera's connection, switched while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The faults of one path. All off is a healthy camera; several may be on at once."""

    drop: bool = False
    """Every connection is closed as soon as it plays."""
    stall: bool = False
    """Nothing more is sent, while connections stay up and requests are answered."""
    hang: bool = False
    """Connections are accepted and requests are never answered."""
    loss: float = 0.0
    """Share of RTP packets that never arrive, 0 to 1."""
    refuse: bool = False
    """404, as if there were no such path."""
    reject_credentials: bool = False
    """401, whatever the client says."""
    garbage: bool = False
    """Rubbish comes in the packets' place."""
    clock_off_s: float = 0.0
    """Sender reports tell a time that is so far off: the camera's clock is wrong."""

    def __post_init__(self) -> None:
        if not 0 <= self.loss <= 1:
            raise ValueError(f"loss is a share between 0 and 1, got {self.loss}")


HEALTHY = Faults()
