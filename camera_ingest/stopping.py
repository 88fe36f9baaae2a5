"""How a reader is stopped while it waits, in our own code or deep inside FFmpeg.

FFmpeg asks a callback about ten times a second, in the waiting thread, whether to go on. PyAV owns
that callback and only compares `time.monotonic()` with its deadline. So a thread that shall stop is
shown a clock on which every deadline has passed, for as long as it takes to come out. While nobody
is being stopped PyAV sees the real clock, and nothing is slower than before. Were PyAV to change
here, a stop would merely wait for the ordinary timeout; a test watches for that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import av.container.core

from camera_ingest.errors import Stopped

_LEAP_S = 1e6
"""Longer than any timeout."""

_lock = threading.Lock()
_hurried: set[int] = set()


class _HurriedTime(ModuleType):
    """The `time` that PyAV sees while a thread is being stopped."""

    _leaps = 0

    def monotonic(self) -> float:
        now_s = time.monotonic()
        if threading.get_ident() not in _hurried:
            return now_s
        # Each look finds another leap gone by: PyAV may take its start time from here as well.
        self._leaps += 1
        return now_s + self._leaps * _LEAP_S


_hurried_time = _HurriedTime("time")


def _hurry(thread: int) -> None:
    with _lock:
        _hurried.add(thread)
        av.container.core.time = _hurried_time  # type: ignore[attr-defined]


def _calm(thread: int) -> None:
    with _lock:
        _hurried.discard(thread)
        if not _hurried:
            av.container.core.time = time  # type: ignore[attr-defined]


class StopSignal:
    """An order to stop that reaches its reader wherever that waits. Set once, by any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        # Callbacks run under this lock, so that none runs after its block was left.
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    def set(self) -> None:
        """Give the order; returns at once."""
        with self._lock:
            self._event.set()
            for callback in self._callbacks:
                callback()

    @property
    def is_set(self) -> bool:
        """Whether the order was given."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Stopped` when the order was given."""
        if self._event.is_set():
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """Wait; raises `Stopped` as soon as the order comes."""
        if self._event.wait(max(0.0, seconds)):
            raise Stopped

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Inside the block the order calls ``callback`` too; raises `Stopped` if it came before."""
        with self._lock:
            self.check()
            self._callbacks.append(callback)
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    @contextmanager
    def reaching_ffmpeg(self) -> Iterator[None]:
        """Inside the block, the order ends FFmpeg's waits in this thread (within about 0.1 s)."""
        thread = threading.get_ident()

        def hurry() -> None:
            _hurry(thread)

        try:
            with self.calling(hurry):
                yield
        finally:
            _calm(thread)
