"""Newest-frame-wins: the one place where a slow detector meets fast cameras.

Every camera has one slot. A frame that is not taken in time is replaced by the next one and
counted, so memory is bounded by one picture a camera and what is taken is always fresh. Hot cameras
are served before cold ones, which keep a place in every batch.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque

from contracts import CameraId, Frame


class FrameSlot:
    """One camera's newest frame. All slots of a `FrameSlots` share one condition."""

    def __init__(self, camera_id: CameraId, ready: deque[FrameSlot], changed: threading.Condition):
        self.camera_id = camera_id
        self.is_hot = False
        """Somebody looks at this camera or calls about what it sees: it is served first."""
        self.frames_put = 0
        self.frames_put_hot = 0
        self.frames_overwritten = 0
        """Frames that nobody took in time: the sign of overload."""
        self._ready = ready
        self._changed = changed
        self._frame: Frame | None = None
        self._closed = False

    def put(self, frame: Frame) -> None:
        """Lay a frame down, replacing one that was not taken. Does nothing once closed."""
        with self._changed:
            if self._closed:
                return
            self.frames_put += 1
            self.frames_put_hot += self.is_hot
            if self._frame is None:
                self._ready.append(self)
                self._changed.notify()
            else:
                self.frames_overwritten += 1
            self._frame = frame

    def take(self) -> Frame | None:
        """The newest frame, if there is one that was not taken yet."""
        with self._changed:
            if self._frame is not None:
                self._ready.remove(self)
            return self._empty()

    def close(self) -> None:
        """Drop what is held and take nothing more."""
        with self._changed:
            self._closed = True
            if self._frame is not None:
                self._ready.remove(self)
                self._frame = None

    def _empty(self) -> Frame | None:
        frame, self._frame = self._frame, None
        return frame


class FrameSlots:
    """The slots of many cameras, and waiting on all of them at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # A slot stands here once while it holds a frame: bounded by the number of cameras.
        self._ready: deque[FrameSlot] = deque()
        self._closed = False

    def slot(self, camera_id: CameraId) -> FrameSlot:
        """A new slot for a camera."""
        return FrameSlot(camera_id, self._ready, self._changed)

    def take(self, max_count: int, timeout_s: float) -> list[Frame]:
        """At most ``max_count`` frames, one a camera, in the order in which the slots filled.

        Hot cameras come first, but for the last place, which is a cold one's where one waits.
        Among themselves a camera goes to the end of the queue after each of its frames, so all get
        the same share. Waits until there is at least one; empty after ``timeout_s`` or `close`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._closed, timeout_s)
            frames: list[Frame] = []
            for slot in self._served_next(max_count):
                self._ready.remove(slot)
                frame = slot._empty()
                if frame is not None:
                    frames.append(frame)
            return frames

    def _served_next(self, count: int) -> list[FrameSlot]:
        hot = [slot for slot in self._ready if slot.is_hot]
        if not hot or len(hot) == len(self._ready) or count < 2:
            return list(itertools.islice(self._ready, count))
        cold = [slot for slot in self._ready if not slot.is_hot]
        first = hot[: count - 1]
        return first + cold[: count - len(first)]

    def close(self) -> None:
        """End all waiting, now and later."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
