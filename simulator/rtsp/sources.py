"""What a path of the server needs to have a live stream, whatever makes the pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from simulator.rtsp.nal import Codec, Picture
from simulator.rtsp.timeline import Timeline


class Source(Protocol):
    """An endless live stream of pictures."""

    @property
    def codec(self) -> Codec:
        """How the pictures are coded."""
        ...

    @property
    def parameter_sets(self) -> tuple[bytes, ...]:
        """What a decoder needs before the first picture."""
        ...

    def pictures(self, timeline: Timeline) -> AsyncIterator[Picture]:
        """The pictures from now on, in decoding order, a keyframe first; each may be early."""
        ...
