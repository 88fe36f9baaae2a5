"""A city's cameras on the network, and its calls as they come.

city = City.of(named("everyday"), centre=LonLat(106.992, -6.2383))
async with CityServer(city) as server:
    for camera in server.cameras: ...        # register them; the URLs are the server's
    async for call in server.calls(): ...    # each when its time has come
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import Camera
from plumbing.clock import Clock, SystemClock
from simulator.callers import SimulatedCall
from simulator.city import City, SimulatedCity
from simulator.faults import PictureFaults, black, connection_faults, nudged
from simulator.rtsp import FileSource, RenderedSource, RtspServer, Source, Timeline
from simulator.scene import fluid
from simulator.scene.view import CameraView
from simulator.videos import VideoCity
from simulator.views import view_of

_FPS = 5.0
_DRAWING_THREADS = 2


class CityServer:
    """Serves a city from the moment its context is entered, until it is left.

    A scenario's own time starts when the cameras that see its first event have been drawn, whatever
    the machine's speed; the others are drawn when somebody watches them.
    """

    def __init__(
        self,
        city: SimulatedCity,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        fps: float = _FPS,
        clock: Clock | None = None,
    ) -> None:
        """Port 0 takes a free one; ``fps`` is of rendered cameras, videos keep theirs."""
        self.city = city
        self._clock = clock or SystemClock()
        self._fps = fps
        self.rtsp = RtspServer(host, port, self._clock)
        self._drawing = ThreadPoolExecutor(_DRAWING_THREADS, thread_name_prefix="drawing")
        self._time: Timeline | None = None
        self._faulting: asyncio.Task[None] | None = None
        # One thread: two backdrops at a time would be ready no sooner, and take twice the memory.
        self._preparing = ThreadPoolExecutor(1, thread_name_prefix="preparing")

    @property
    def port(self) -> int:
        """The RTSP port."""
        return self.rtsp.port

    @property
    def cameras(self) -> list[Camera]:
        """The cameras with the URLs that they are served at."""
        return [
            replace(simulated.camera, url=self.rtsp.url(simulated.path))
            for simulated in self.city.cameras
        ]

    @property
    def timeline(self) -> Timeline:
        """The city's own time.

        Raises:
            RuntimeError: the context has not been entered.
        """
        if self._time is None:
            raise RuntimeError("the city has no time yet: enter the server's context first")
        return self._time

    async def __aenter__(self) -> CityServer:
        try:
            await self._open()
        except BaseException:
            # Asked to stop while it was being drawn: what waits to be drawn is drawn no more.
            self._rest()
            raise
        return self

    async def _open(self) -> None:
        if isinstance(self.city, City):
            # For the whole process: OpenCV's own threads spin while they wait for one another, and
            # cameras are drawn side by side anyway.
            cv2.setNumThreads(1)
            await self._stage(self.city)
        elif isinstance(self.city, VideoCity):
            await self._queue_up(self.city)
        await self.rtsp.__aenter__()
        if self._time is None:
            self._time = Timeline(self._clock)
        if isinstance(self.city, City) and self.city.scenario.faults:
            self._faulting = asyncio.create_task(self._break(self.city))

    async def __aexit__(self, *_: object) -> None:
        if self._faulting is not None:
            self._faulting.cancel()
            await asyncio.gather(self._faulting, return_exceptions=True)
        await self.rtsp.__aexit__()
        self._rest()

    def _rest(self) -> None:
        self._drawing.shutdown(wait=False, cancel_futures=True)
        self._preparing.shutdown(wait=False, cancel_futures=True)

    async def calls(self) -> AsyncIterator[SimulatedCall]:
        """The city's calls, each when its time has come."""
        for call in self.city.calls():
            await self.timeline.sleep_until(call.after_s)
            yield call

    async def _stage(self, city: City) -> None:
        """Give every camera its path, and draw those that see the first event.

        The others are drawn when they are first watched, one after the other in a thread of their
        own, so that the pictures of those that are ready go on.
        """
        loop = asyncio.get_running_loop()
        flames = await loop.run_in_executor(self._preparing, fluid.simulate, city.seed)
        first_place = city.first_place()
        drawn_first = []
        for index, simulated in enumerate(city.cameras):
            renderer = _CityRenderer(self, city, index, flames)
            source = RenderedSource(
                renderer,
                fps=self._fps,
                phase_s=index / len(city.cameras),
                executor=self._drawing,
                prepare=partial(self._prepare, renderer),
            )
            self.rtsp.add(simulated.path, source)
            if simulated.place_index == first_place:
                drawn_first.append(renderer)
        for renderer in drawn_first:
            await self._prepare(renderer)
        self._time = Timeline(self._clock)

    async def _break(self, city: City) -> None:
        """Switch what is wrong with connections as the scenario says."""
        for change in connection_faults(city.scenario):
            await self.timeline.sleep_until(change.at_s)
            self.rtsp.mount(city.cameras[change.camera].path).faults = change.faults

    async def _prepare(self, renderer: _CityRenderer) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._preparing, renderer.prepare)

    def elapsed_s(self, at: datetime) -> float:
        """The city's own time at a wall time; nothing happens before its beginning."""
        return max(0.0, (at - self.timeline.wall(0)).total_seconds())

    async def _queue_up(self, city: VideoCity) -> None:
        for index, (simulated, file) in enumerate(zip(city.cameras, city.files, strict=True)):
            # Golden-ratio phases: never two in step, however many there are.
            phase_s = 10.0 * (index * 0.618 % 1)
            source: Source = await asyncio.to_thread(FileSource, file, phase_s=phase_s)
            self.rtsp.add(simulated.path, source)


class _CityRenderer:
    """A view on the city's own time (`simulator.rtsp.Renderer`), drawn when it is first wanted."""

    def __init__(self, server: CityServer, city: City, index: int, flames: fluid.FireLoop) -> None:
        camera = city.cameras[index].camera
        if camera.pose is None:
            raise ValueError(f"{camera.id} has no pose, so it can't be drawn")
        self.width_px, self.height_px = camera.pose.width_px, camera.pose.height_px
        self._server = server
        self._city = city
        self._index = index
        self._flames = flames
        self._faults = PictureFaults.of(city.scenario, index)
        self._lock = threading.Lock()
        self._views: dict[bool, CameraView] = {}

    def prepare(self) -> None:
        """Draw the backdrop, which takes about half a second the first time."""
        self._view(is_nudged=False)

    def _view(self, *, is_nudged: bool) -> CameraView:
        with self._lock:
            if is_nudged not in self._views:
                pose = nudged(self._city, self._index) if is_nudged else None
                self._views[is_nudged] = view_of(self._city, self._index, self._flames, pose=pose)
            return self._views[is_nudged]

    def render(self, at: datetime) -> NDArray[np.uint8]:
        """See `simulator.rtsp.Renderer.render`."""
        elapsed_s = self._server.elapsed_s(at)
        fault = self._faults.at(elapsed_s)
        if fault.is_black:
            return black(self.width_px, self.height_px, elapsed_s)
        if fault.frozen_at_s is not None:
            at -= timedelta(seconds=elapsed_s - fault.frozen_at_s)
            elapsed_s = fault.frozen_at_s
        view = self._view(is_nudged=fault.is_nudged)
        return view.shoot(elapsed_s, at, clock=fault.clock).picture
