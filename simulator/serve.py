"""A city's cameras on the network, and its calls as they come.

city = City.demo(cameras=6, seed=1, centre=LonLat(106.992, -6.2383))
async with CityServer(city) as server:
    for camera in server.cameras: ...        # register them; the URLs are the server's
    async for call in server.calls(): ...    # each when its time has come
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from contracts import Camera, LonLat, to_plain
from geo.camera import PinholeCamera
from plumbing.clock import Clock, SystemClock
from simulator.callers import SimulatedCall
from simulator.city import City, SimulatedCity, VideoCity
from simulator.rtsp import FileSource, RenderedSource, RtspServer, Source, Timeline
from simulator.scene import fluid
from simulator.scene.fires import Fire
from simulator.scene.ground import ground_map
from simulator.scene.place import Place
from simulator.scene.traffic import Traffic
from simulator.scene.view import CameraView, Stage

_FPS = 5.0
_DRAWING_THREADS = 2
_DRAWN_FIRST = 8
"""Cameras that are drawn before the server listens; a larger city fills up behind them."""
_TIMEZONE = ZoneInfo("Asia/Jakarta")


class CityServer:
    """Serves a city from the moment its context is entered, until it is left.

    The demonstration city's own time starts when its first cameras have been drawn: the first fire
    comes `simulator.city.FIRST_FIRE_S` later, whatever the machine's speed.
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
        self._rest: asyncio.Task[None] | None = None

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
        if isinstance(self.city, City):
            await self._stage(self.city)
        elif isinstance(self.city, VideoCity):
            await self._queue_up(self.city)
        await self.rtsp.__aenter__()
        if self._time is None:
            self._time = Timeline(self._clock)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._rest is not None:
            self._rest.cancel()
            await asyncio.gather(self._rest, return_exceptions=True)
        await self.rtsp.__aexit__()
        self._drawing.shutdown(wait=False, cancel_futures=True)

    async def calls(self) -> AsyncIterator[SimulatedCall]:
        """The city's calls, each when its time has come."""
        for call in self.city.calls():
            await self.timeline.sleep_until(call.after_s)
            yield call

    async def _stage(self, city: City) -> None:
        """Draw the first cameras; the rest get their paths one by one while the city runs."""
        loop = asyncio.get_running_loop()
        flames = await loop.run_in_executor(self._drawing, fluid.simulate, city.seed)
        stages = {place.name: LazyStage(city, place, flames) for place in city.places}

        async def draw(index: int) -> None:
            camera = city.cameras[index]
            renderer = await loop.run_in_executor(
                self._drawing, self._view, city, index, stages[city.place_of(index).name]
            )
            phase_s = index / len(city.cameras)
            source = RenderedSource(
                renderer, fps=self._fps, phase_s=phase_s, executor=self._drawing
            )
            self.rtsp.add(camera.path, source)

        async def draw_the_rest() -> None:
            for index in range(_DRAWN_FIRST, len(city.cameras)):
                await draw(index)

        await asyncio.gather(*(draw(i) for i in range(min(_DRAWN_FIRST, len(city.cameras)))))
        self._rest = asyncio.create_task(draw_the_rest(), name="drawing cameras")
        self._time = Timeline(self._clock)

    def _view(self, city: City, index: int, stage: LazyStage) -> _CityRenderer:
        camera = city.cameras[index].camera
        if camera.pose is None:
            raise ValueError(f"{camera.id} has no pose, so it can't be drawn")
        model = PinholeCamera.from_pose(camera.pose, city.projection)
        seed = city.seed * 1_000 + index
        return _CityRenderer(CameraView(model, stage.get(), camera.name.upper(), seed), self)

    def elapsed_s(self, at: datetime) -> float:
        """The city's own time at a wall time; nothing happens before its beginning."""
        return max(0.0, (at - self.timeline.wall(0)).total_seconds())

    async def _queue_up(self, city: VideoCity) -> None:
        for index, (simulated, file) in enumerate(zip(city.cameras, city.files, strict=True)):
            # Golden-ratio phases: never two in step, however many there are.
            phase_s = 10.0 * (index * 0.618 % 1)
            source: Source = await asyncio.to_thread(FileSource, file, phase_s=phase_s)
            self.rtsp.add(simulated.path, source)


class LazyStage:
    """A junction's stage, drawn once, by whoever needs it first."""

    def __init__(self, city: City, place: Place, flames: fluid.FireLoop) -> None:
        self._city = city
        self._place = place
        self._flames = flames
        self._lock = threading.Lock()
        self._stage: Stage | None = None

    def get(self) -> Stage:
        """The stage; some seconds the first time."""
        with self._lock:
            if self._stage is None:
                self._stage = Stage(
                    place=self._place,
                    ground=ground_map(self._place),
                    traffic=Traffic(self._place.seed),
                    fires=self._burning,
                    loop=self._flames,
                    timezone=_TIMEZONE,
                )
            return self._stage

    def _burning(self, elapsed_s: float) -> list[Fire]:
        events = self._city.fires_at(elapsed_s)
        return [event.fire for event in events if event.place is self._place]


class _CityRenderer:
    """A view on the city's own time (`simulator.rtsp.Renderer`)."""

    def __init__(self, view: CameraView, server: CityServer) -> None:
        self.width_px, self.height_px = view.width_px, view.height_px
        self._view = view
        self._server = server

    def render(self, at: datetime) -> NDArray[np.uint8]:
        """See `simulator.rtsp.Renderer.render`."""
        return self._view.shoot(self._server.elapsed_s(at), at).picture


async def serve_city(
    cameras: int, seed: int, centre: LonLat, port: int = 0, host: str = "127.0.0.1"
) -> None:
    """Serve the demonstration city until cancelled; one JSON line on standard output when ready."""
    await _serve(CityServer(City.demo(cameras, seed, centre), host, port))


async def serve_videos(
    folder: Path, centre: LonLat, port: int = 0, host: str = "127.0.0.1"
) -> None:
    """Serve a folder's videos until cancelled; one JSON line on standard output when ready."""
    await _serve(CityServer(VideoCity.from_folder(folder, centre), host, port))


async def _serve(server: CityServer) -> None:
    async with server:
        ready = {"port": server.port, "cameras": [to_plain(camera) for camera in server.cameras]}
        print(json.dumps(ready), flush=True)
        async for call in server.calls():
            print(f"{call.after_s:7.1f} s  {call.note}", file=sys.stderr)
        await asyncio.Event().wait()
