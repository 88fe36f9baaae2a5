"""Notices that a camera was nudged or turned: its view is no more the one that is known.

Life cycle: one a watched camera, living as long as its registration. Unless a reference is kept
from before, the first minutes teach it: several pictures that show one view, and their median, in
which traffic is gone. Then a picture is compared once in a while.

Hysteresis: moved is said after `SURE_AFTER` comparisons that agree on how, and taken back after as
many that show the old view. A comparison that tells nothing counts for nothing, so that neither
night nor rain nor a lorry before the lens can say "moved". A camera on a tour never rests long
enough to be called moved. A view of which nothing at all is known again must last `FOREIGN_AFTER`
comparisons, standing still, and have begun within a moment of the known one in the same light.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from camera_ingest.health.references import References
from camera_ingest.health.views import (
    Comparison,
    Grey,
    Verdict,
    View,
    apart,
    compare,
    grey_of,
    is_coloured,
)
from contracts import CameraId, Frame, ViewShift
from plumbing.clock import Clock

CHECK_EVERY_S = 20.0
"""A comparison costs some 25 ms: a hundred cameras an eighth of a core."""
CALM_EVERY_S = 60.0
"""While the view was the known one each time lately: a hundred cameras a twenty-fourth."""
LEARN_FROM = 5
"""Pictures that show one view before it counts as known: under two minutes."""
SURE_AFTER = 3
FOREIGN_AFTER = 12
"""Four minutes: a bus that waits before the lens has left by then."""
_AGREE_WITHIN = 0.01
"""Widths of the picture within which successive shifts are one."""
_SAME_LIGHT = 25.0
"""Grey levels between the means of two pictures in one light."""
_FRESH_S = 90.0


@dataclass(frozen=True, slots=True)
class MovedView:
    """What is known of a camera that has moved."""

    since_s: float
    """On the monotonic clock: when it was first seen."""
    detail: str
    shift: ViewShift | None


@dataclass(frozen=True, slots=True)
class _Seen:
    view: View
    coloured: bool
    at_s: float

    def is_lit_as(self, other: _Seen) -> bool:
        apart = abs(float(self.view.grey.mean()) - float(other.view.grey.mean()))
        return self.coloured == other.coloured and apart < _SAME_LIGHT


class ViewWatch:
    """One camera's view. `see` is called in its reader's thread; `moved` may be read in any."""

    def __init__(
        self, camera_id: CameraId, view_key: str, references: References, clock: Clock
    ) -> None:
        self._camera_id = camera_id
        self._view_key = view_key
        self._references = references
        self._clock = clock
        self._lock = threading.Lock()
        self._next_s = -np.inf
        self._known: View | None = None
        self._looked_up = False
        self._learning: list[_Seen] = []
        self._last_same: _Seen | None = None
        self._last: _Seen | None = None
        self._same = 0
        self._shifts: list[tuple[float, ViewShift]] = []
        self._foreign: list[float] = []
        self._moved: MovedView | None = None

    @property
    def moved(self) -> MovedView | None:
        """What has moved, if it has."""
        with self._lock:
            return self._moved

    def see(self, frame: Frame) -> None:
        """Compare the picture, where it is time to."""
        now_s = self._clock.monotonic_s()
        if now_s < self._next_s:
            return
        self._next_s = now_s + CHECK_EVERY_S
        seen = _Seen(View(grey_of(frame.image)), is_coloured(frame.image), now_s)
        if not self._looked_up:
            self._looked_up = True
            kept = self._references.load(self._camera_id, self._view_key)
            self._known = None if kept is None else View(kept)
        if self._known is None or self._known.grey.shape != seen.view.grey.shape:
            self._learn(seen)
        else:
            self._judge(self._known, seen)
        self._last = seen
        if self._same >= SURE_AFTER:
            self._next_s = now_s + CALM_EVERY_S

    def _learn(self, seen: _Seen) -> None:
        if not self._learning:
            if seen.view.is_rich:
                self._learning = [seen]
            return
        verdict = compare(self._learning[0].view, seen.view).verdict
        if verdict is Verdict.SAME:
            self._learning.append(seen)
        elif verdict is not Verdict.UNKNOWN:
            self._learning = [seen] if seen.view.is_rich else []
        if len(self._learning) == LEARN_FROM:
            stack: Grey = np.stack([one.view.grey for one in self._learning])
            middle: Grey = np.median(stack, axis=0).astype(np.uint8)
            self._known, self._learning = View(middle), []
            self._last_same = seen
            self._references.save(self._camera_id, self._view_key, middle)

    def _judge(self, known: View, seen: _Seen) -> None:
        found = compare(known, seen.view)
        if found.verdict not in (Verdict.SAME, Verdict.MOVED) and self._last_same is not None:
            # In this light the reference may tell nothing, but what was seen lately does.
            lately = compare(self._last_same.view, seen.view)
            if lately.verdict in (Verdict.SAME, Verdict.MOVED):
                found = lately
            elif found.verdict is Verdict.FOREIGN or lately.verdict is Verdict.FOREIGN:
                found = Comparison(
                    Verdict.FOREIGN if self._is_another_view(seen) else Verdict.UNKNOWN
                )
        elif found.verdict is Verdict.FOREIGN:
            found = Comparison(Verdict.UNKNOWN)
        match found.verdict:
            case Verdict.SAME:
                self._note_same(seen)
            case Verdict.MOVED if found.shift is not None:
                self._note_shift(seen.at_s, found.shift)
            case Verdict.FOREIGN:
                self._note_foreign(seen.at_s)
            case _:
                self._foreign.clear()

    def _is_another_view(self, seen: _Seen) -> bool:
        """Not a change of light: in the light of the last known picture, right after it, and from
        then on standing still.
        """
        before = self._last_same
        if before is None or not seen.is_lit_as(before):
            return False
        if not self._foreign:
            return seen.at_s - before.at_s < _FRESH_S
        return (
            self._last is not None and compare(self._last.view, seen.view).verdict is Verdict.SAME
        )

    def _note_same(self, seen: _Seen) -> None:
        self._last_same = seen
        self._shifts.clear()
        self._foreign.clear()
        self._same += 1
        if self._same >= SURE_AFTER:
            with self._lock:
                self._moved = None

    def _note_shift(self, at_s: float, shift: ViewShift) -> None:
        self._same = 0
        self._foreign.clear()
        if self._shifts and apart(self._shifts[-1][1], shift) > _AGREE_WITHIN:
            self._shifts.clear()
        self._shifts.append((at_s, shift))
        if len(self._shifts) >= SURE_AFTER:
            self._say(self._shifts[0][0], _MOVED, max((s for _, s in self._shifts), key=_weight))
            del self._shifts[: -2 * SURE_AFTER]

    def _note_foreign(self, at_s: float) -> None:
        self._same = 0
        self._foreign.append(at_s)
        if len(self._foreign) >= FOREIGN_AFTER:
            self._say(self._foreign[0], _FOREIGN, None)

    def _say(self, since_s: float, detail: str, shift: ViewShift | None) -> None:
        with self._lock:
            if self._moved is None or (self._moved.shift is None) != (shift is None):
                self._moved = MovedView(since_s, detail, shift)


def _weight(shift: ViewShift) -> int:
    return shift.matches


_MOVED = (
    "the camera was turned or nudged: it no longer shows the view that it was calibrated for; "
    "turn it back, or calibrate it anew"
)
_FOREIGN = (
    "nothing of the known view is seen any more: the camera was turned away, or something stands "
    "before it; look at it, and calibrate it anew if it is to stay so"
)
