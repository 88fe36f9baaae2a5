"""Which cameras are looked back at, in which order, and at what cost. No I/O, no threads.

A camera that is watched by its keyframes shows no motion. When something weak was seen, or a call
came in, its last seconds are decoded after all. That costs a hundred times a cold camera's second,
so it has a budget: a share of one core, paid from as it is spent. Cameras take turns: who was
looked back at longest ago comes first, after those that a call is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts import CameraId

LOOK_BACK = timedelta(seconds=8)
"""A vehicle that skids, hits and comes to rest takes three to five seconds; and what led to it."""
LOOK_BACK_FPS = 5.0
"""As a hot camera is looked at."""
LEAST_GAP_S = 20.0
"""Between two looks back at one camera: it is hot meanwhile, and sees all."""
WAITS_S = 12.0
"""One that had to wait longer is given up: its packets are about to be dropped."""
BURST_S = 6.0
"""CPU seconds saved up at most: a few looks back at once, when a call names several cameras."""
MOST_WAITING = 64
"""Beyond it, a weak cue is not looked into; its camera turns hot all the same."""


@dataclass(frozen=True, slots=True)
class LookBackRequest:
    """Look at what a camera saw up to a moment."""

    camera_id: CameraId
    until: datetime
    asked_s: float
    """On the monotonic clock."""
    is_urgent: bool
    """Somebody called, or an incident is there; else a weak cue of the camera's own."""


@dataclass(slots=True)
class LookBackCounts:
    """What became of them, since the process started."""

    asked: int = 0
    done: int = 0
    given_up: int = 0
    """Waited too long, or there was no room to wait: the budget is too small."""
    alarms: int = 0
    cpu_s: float = 0.0


class LookBackQueue:
    """Requests waiting for their turn and their budget. One thread at a time."""

    def __init__(self, share: float, now_s: float) -> None:
        """`share`: of one core, what looking back may take in the long run; 0 turns it off."""
        self.counts = LookBackCounts()
        self._share = share
        self._balance_s = BURST_S if share > 0 else 0.0
        self._balanced_s = now_s
        self._waiting: dict[CameraId, LookBackRequest] = {}
        self._served_s: dict[CameraId, float] = {}

    def ask(
        self, camera_id: CameraId, until: datetime, now_s: float, *, is_urgent: bool = False
    ) -> None:
        """Queue a camera, unless it waits already or was looked back at just now."""
        if self._share <= 0 or now_s - self._served_s.get(camera_id, -LEAST_GAP_S) < LEAST_GAP_S:
            return
        waiting = self._waiting.get(camera_id)
        if waiting is not None and (waiting.is_urgent or not is_urgent):
            return
        self.counts.asked += waiting is None
        if waiting is None and len(self._waiting) >= MOST_WAITING:
            self.counts.given_up += 1
            return
        self._waiting[camera_id] = LookBackRequest(camera_id, until, now_s, is_urgent)

    def forget(self, camera_id: CameraId) -> None:
        """The camera has left."""
        self._waiting.pop(camera_id, None)
        self._served_s.pop(camera_id, None)

    def next(self, now_s: float) -> LookBackRequest | None:
        """Whose turn it is, if the budget allows one."""
        self._balance_s = min(
            BURST_S, self._balance_s + self._share * max(0.0, now_s - self._balanced_s)
        )
        self._balanced_s = now_s
        for camera_id, request in list(self._waiting.items()):
            if now_s - request.asked_s > WAITS_S:
                del self._waiting[camera_id]
                self.counts.given_up += 1
        if not self._waiting or self._balance_s <= 0.0:
            return None
        first = min(
            self._waiting.values(),
            key=lambda r: (
                not r.is_urgent,
                self._served_s.get(r.camera_id, float("-inf")),
                r.asked_s,
            ),
        )
        del self._waiting[first.camera_id]
        self._served_s[first.camera_id] = now_s
        return first

    def spent(self, cpu_s: float) -> None:
        """Pay for what a look back has cost; the balance may go below nothing, and waits then."""
        self._balance_s -= cpu_s
        self.counts.cpu_s += cpu_s
