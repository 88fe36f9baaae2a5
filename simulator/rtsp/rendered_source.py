"""Pictures drawn and encoded as time goes by, once for all readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.rtsp.encoder import PictureEncoder
from simulator.rtsp.nal import Codec, Picture, parameter_sets
from simulator.rtsp.timeline import Timeline


class Renderer(Protocol):
    """Draws what a camera sees at a time. Called from other threads, one call at a time."""

    @property
    def width_px(self) -> int:
        """Width of every picture; even."""
        ...

    @property
    def height_px(self) -> int:
        """Height of every picture; even."""
        ...

    def render(self, at: datetime) -> NDArray[np.uint8]:
        """H x W x 3, RGB."""
        ...


class RenderedSource:
    """Pictures drawn and encoded once, as time goes by, for all readers together."""

    def __init__(
        self,
        renderer: Renderer,
        *,
        fps: float,
        codec: Codec = Codec.H264,
        keyframe_every_s: float = 2.0,
        phase_s: float = 0.0,
        executor: Executor | None = None,
        prepare: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """Open the encoder and code one grey picture, whose parameter sets all others share.

        Args:
            renderer: What to show.
            fps: Pictures a second.
            codec: How to code them.
            keyframe_every_s: Rounded to whole pictures.
            phase_s: Shifts pictures and keyframes against other cameras'.
            executor: Where to draw; the event loop's own threads by default.
            prepare: Awaited whenever somebody begins to watch, before anything is drawn.
        """
        self.codec = codec
        self._renderer = renderer
        self._fps = fps
        self._key_every = max(1, round(keyframe_every_s * fps))
        self._phase_s = phase_s
        self._executor = executor
        self._prepare = prepare
        self._encoder = PictureEncoder(renderer.width_px, renderer.height_px, fps, codec)
        grey = np.full((renderer.height_px, renderer.width_px, 3), 96, np.uint8)
        self.parameter_sets = parameter_sets(codec, self._encoder.encode(grey, key=True))

    async def pictures(self, timeline: Timeline) -> AsyncIterator[Picture]:
        """See `Source.pictures`: when drawing falls behind, pictures are left out."""
        loop = asyncio.get_running_loop()
        if self._prepare is not None:
            await self._prepare()
        ticks_of_phase = self._phase_s * self._fps
        tick, is_first = 0, True
        while True:
            now_tick = int(timeline.elapsed_s() * self._fps + ticks_of_phase)
            tick = max(tick + 1, now_tick)
            shown_s = (tick - ticks_of_phase) / self._fps
            await timeline.sleep_until(shown_s)
            is_key = is_first or tick % self._key_every == 0
            nals = await loop.run_in_executor(
                self._executor, self._draw, timeline.wall(shown_s), is_key
            )
            is_first = False
            yield Picture(due_s=shown_s, shown_s=shown_s, nals=nals, is_keyframe=is_key)

    def _draw(self, at: datetime, is_key: bool) -> tuple[bytes, ...]:
        return self._encoder.encode(self._renderer.render(at), key=is_key)
