"""What is refused, and the one limit."""

from __future__ import annotations

MOST_PIXELS = 120_000_000
"""Phones take 12 to 108 million; more is a small file that fills a reader's memory."""


class NotWhole(Exception):
    """This isn't the picture or video that it says it is; the message says why."""


def require_reasonable(width_px: int, height_px: int) -> None:
    """Refuse what would fill the memory of whoever looks at it.

    Raises:
        NotWhole: it has more than `MOST_PIXELS`, or none.
    """
    if not 0 < width_px * height_px <= MOST_PIXELS:
        raise NotWhole(
            f"it has {width_px} x {height_px} pixels, and {MOST_PIXELS // 1_000_000} million are "
            "taken at most: send it smaller"
        )
