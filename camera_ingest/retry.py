"""When to try again, and how many streams may be opening at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from camera_ingest.stopping import StopSignal
from contracts import CameraState
from plumbing.clock import Clock

HEALTHY_AFTER_S = 10.0
"""A stream that lasted this long starts its waits anew, for it was worth its opening; one that
flaps does not. Recorders that end every session after half a minute are seen nearly all the time.
"""

_GROWTH = 2.0

_PATIENT_STATES = frozenset({CameraState.UNAUTHORISED, CameraState.QUARANTINED})
"""Failures that time doesn't mend. Cameras lock an account after a few wrong passwords, so these
get the longest wait from the start; a corrected register entry opens at once anyway."""


class RetryWaits:
    """The waits of one camera: growing, with jitter, so that a site's cameras don't return in step.

    Args:
        first_s: Longest first wait.
        longest_s: No wait is longer.
        chance: Uniform numbers in [0, 1).
    """

    def __init__(
        self, first_s: float, longest_s: float, chance: Callable[[], float] = random.random
    ) -> None:
        self._first_s = min(first_s, longest_s)
        self._longest_s = longest_s
        self._chance = chance
        self._failures = 0

    def after(self, state: CameraState, uptime_s: float) -> float:
        """Seconds to wait after an attempt that delivered for ``uptime_s``, then ended so."""
        if uptime_s >= HEALTHY_AFTER_S:
            self._failures = 0
        wait_s = self._longest_s
        if state not in _PATIENT_STATES:
            # The exponent is bounded, for a camera may be away for months.
            wait_s = min(self._longest_s, self._first_s * _GROWTH ** min(self._failures, 30))
        self._failures += 1
        return wait_s * (0.5 + 0.5 * self._chance())


class OpenGate:
    """Lets a few streams open at a time, spaced out.

    Opening costs as much CPU as ten seconds of watching, and streams opened in step send their
    keyframes in step for ever after. An opening that takes longer than ``patience_s`` waits for the
    network and costs nothing: it gives its place up, or a few dead cameras would block the rest.
    And those that failed the last time let the others go first: where half a city's cameras are
    dead and tried again and again, one that merely lost its line is back at once.

    Args:
        limit: Streams opening at once.
        clock: For spacing and patience.
        spacing_s: Least time between two openings' starts.
        patience_s: How long an opening keeps its place.
    """

    def __init__(
        self, limit: int, clock: Clock, *, spacing_s: float = 0.1, patience_s: float = 1.0
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._spacing_s = spacing_s
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._opening: dict[object, float] = {}
        self._hopeful_waiting = 0
        self._last_start_s = float("-inf")

    @contextmanager
    def passing(self, stop: StopSignal, *, hopeful: bool = True) -> Iterator[None]:
        """Inside the block one may open; waits for that, and raises `Stopped` on order.

        ``hopeful`` are those that didn't fail the last time.
        """
        place = object()
        with self._waiting(hopeful):
            while (wait_s := self._try_enter(place, hopeful)) > 0:
                stop.sleep(wait_s)
        try:
            yield
        finally:
            with self._lock:
                self._opening.pop(place, None)

    @contextmanager
    def _waiting(self, hopeful: bool) -> Iterator[None]:
        with self._lock:
            self._hopeful_waiting += hopeful
        try:
            yield
        finally:
            with self._lock:
                self._hopeful_waiting -= hopeful

    def _try_enter(self, place: object, hopeful: bool) -> float:
        """Take a place and return 0, or return how long to wait before asking again."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            since_s = now_s - self._last_start_s
            if since_s < self._spacing_s:
                return self._spacing_s - since_s
            busy = sum(now_s - start_s < self._patience_s for start_s in self._opening.values())
            if busy >= self._limit or (self._hopeful_waiting and not hopeful):
                return self._spacing_s or 0.05
            self._opening[place] = self._last_start_s = now_s
            return 0.0
