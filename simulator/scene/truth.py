"""What is truly to be seen in a picture, by event."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Box
from simulator.scene.sway import shifted

Plane8 = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Seen:
    """An event's truth in one picture: every pixel that shows it, and the box about them."""

    box: Box
    mask: NDArray[np.bool_]


class Labels:
    """Which event's pixels are which, while a picture is painted from far to near."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.plane: Plane8 = np.zeros(shape, np.uint8)
        self._numbers: dict[str, int] = {}

    def number(self, event_id: str) -> int:
        """An event's number in the plane; 0 where it is none."""
        if not event_id:
            return 0
        return self._numbers.setdefault(event_id, len(self._numbers) + 1)

    def add(self, event_id: str, mask: NDArray[np.bool_]) -> None:
        """These pixels (H x W) show an event."""
        self.plane[mask] = self.number(event_id)

    def seen(self, shift: tuple[float, float] | None) -> dict[str, Seen]:
        """All events of more than a few pixels; ``shift`` is how far the picture was moved."""
        plane = self.plane
        if shift is not None:
            plane = shifted(plane, shift, nearest=True)
        found = {}
        for event_id, number in self._numbers.items():
            mask = plane == number
            if np.count_nonzero(mask) < _LEAST_PX:
                continue
            x, y, wide, tall = cv2.boundingRect(mask.astype(np.uint8))
            box = Box(float(x), float(y), float(x + wide), float(y + tall))
            found[event_id] = Seen(box, mask)
        return found


_LEAST_PX = 6
"""An event of fewer pixels isn't seen."""
