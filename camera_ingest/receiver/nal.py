"""The two codecs that are received, by the names that FFmpeg gives them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from camera_ingest.keeping import parameter_sets

START_CODE = b"\x00\x00\x00\x01"


class Codec(StrEnum):
    """What is received; the value is FFmpeg's name of the decoder."""

    H264 = parameter_sets.H264
    H265 = parameter_sets.H265


def annex_b(units: Iterable[bytes]) -> bytes:
    """Units with start codes before them."""
    return b"".join(START_CODE + unit for unit in units)
