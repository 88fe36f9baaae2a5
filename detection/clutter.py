"""What a camera's place in the picture is known to be mistaken for. Pure: times are passed in.

The ratio that a detector's score gives compares a hazard with clutter *anywhere*. Where a camera
has a lamp that fires every night, clutter is likelier, and the ratio must be divided by how much
likelier. Two things tell:

- **people's verdicts:** a sighting that was rejected is a look-alike, known by its place, its size
  and the pattern that is seen there. What resembles it in all of them is discounted at once and by
  more than the evidence of any one track can make up for; what is larger, elsewhere, or changes the
  pattern, as a fire in front of a lamp does, hardly.
- **habit:** for how long things have been seen at each spot, over days. What always fires there is
  discounted, by MOST_HABIT_LLR at most.

Both forget slowly, and neither silences a place: the one needs likeness, the other is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.detections import Box
from contracts.hazards import Sighting
from contracts.verdicts import Truth, Verdict
from detection.appearance import Patch, Shares, patch_at, small_copy, unlikeness
from detection.restlessness import Restlessness
from detection.road_reference import RoadReference

REJECTED_LLR: Mapping[Sighting, float] = MappingProxyType(
    {Sighting.FIRE: 9.0, Sighting.SMOKE: 9.0, Sighting.CRASH: 9.0, Sighting.FLOOD: 5.0}
)
"""What a rejection takes from what looks exactly the same: a little more than two independent
looks of the surest kind, the most that a track can be worth. A flood has one place a camera, so
that everything there is alike: it loses what a wet road is worth, and deep water exceeds it."""
_NOTHING = -4.0
"""Odds of such a logarithm change no evidence."""
FORGETS_S = 20 * 86_400.0
"""The rate that a rejection stands for falls to 1/e in this time, and the discount by one."""
PLACE_SIGMA = 0.3
"""Of the middle of one lamp's boxes, in their sides; boxes of one thing jitter, and are drawn
otherwise by night."""
SIZE_SIGMA = 0.3
"""Of the logarithm of their sides."""
PATTERN_SIGMA = 0.15
"""Of the unlikeness of two pictures of one unchanged place."""
MOST_UNLIKE_LLR = 8.0
"""What the pattern alone can give back: the light of another hour changes it as well."""

MOST_HABIT_LLR = 3.0
HABIT_S = 600.0
"""A spot that has fired for so long is twice as likely to be clutter as one that never did."""
HABIT_HALF_LIFE_S = 7 * 86_400.0
LONGEST_STEP_S = 2.0
"""A look stands for the time since the one before, but for no more than this."""
GRID = (18, 32)
"""Rows and columns of spots."""
_LEAST_S = 1.0
"""Spots that fired for less are not worth keeping."""


@dataclass(frozen=True, slots=True, eq=False)
class LookAlike:
    """Something that was taken for a hazard and is none."""

    sighting: Sighting
    box: Shares
    rejected_s: float
    """When, on the clock of the pictures."""
    pattern: Patch | None = None
    """What is seen there; none where no picture was kept."""

    def discount(
        self, sighting: Sighting, box: Shares, at_s: float, small: NDArray[np.uint8] | None
    ) -> float:
        """What it takes from the evidence of a box of this kind, in nats, 0 or more.

        `small` is a small copy of the picture that the box was found in: what it shows at *our*
        box, lamp or fire, is compared.
        """
        if sighting is not self.sighting:
            return 0.0
        away = _distance(self.box, box) / 2
        nats = REJECTED_LLR[sighting] - max(0.0, at_s - self.rejected_s) / FORGETS_S - away
        if nats > _NOTHING and small is not None and self.pattern is not None:
            unlike = unlikeness(patch_at(small, self.box), self.pattern)
            nats -= min(MOST_UNLIKE_LLR, (unlike / PATTERN_SIGMA) ** 2 / 2)
        # The rate of this look-alike here, over that of any other clutter.
        return math.log1p(math.exp(nats)) if nats > _NOTHING else 0.0


def _distance(a: Shares, b: Shares) -> float:
    """Squared distance of two boxes' places and sizes, in standard deviations."""
    width_a, width_b = max(a[2] - a[0], 1e-4), max(b[2] - b[0], 1e-4)
    height_a, height_b = max(a[3] - a[1], 1e-4), max(b[3] - b[1], 1e-4)
    side_x, side_y = math.sqrt(width_a * width_b), math.sqrt(height_a * height_b)
    return (
        ((a[0] + a[2] - b[0] - b[2]) / 2 / side_x / PLACE_SIGMA) ** 2
        + ((a[1] + a[3] - b[1] - b[3]) / 2 / side_y / PLACE_SIGMA) ** 2
        + (math.log(width_a / width_b) / SIZE_SIGMA) ** 2
        + (math.log(height_a / height_b) / SIZE_SIGMA) ** 2
    )


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What people's decisions about a camera come to."""

    look_alikes: tuple[LookAlike, ...] = ()
    real: tuple[tuple[Sighting, Shares], ...] = ()
    """What was confirmed, and where: no habit of the place's."""


class Habits:
    """For how long each spot of a camera's picture has fired, by kind; halves every week."""

    def __init__(self) -> None:
        self._fired_s: dict[Sighting, NDArray[np.float32]] = {}
        self._told_at_s: dict[Sighting, float] = {}

    def note(self, sighting: Sighting, box: Shares, at_s: float, lasted_s: float) -> None:
        """Something was seen in a box, at a time, for a while."""
        spots = self._fired_s.setdefault(sighting, np.zeros(GRID, np.float32))
        self._age(sighting, at_s)
        spots[_spots(box)] += np.float32(lasted_s)

    def forgive(self, sighting: Sighting, box: Shares) -> None:
        """What was seen there was real."""
        if (spots := self._fired_s.get(sighting)) is not None:
            spots[_spots(box)] = 0.0

    def discount(self, sighting: Sighting, box: Shares, at_s: float) -> float:
        """What a box's evidence is worth less for its place, in nats: 0 to MOST_HABIT_LLR."""
        spots = self._fired_s.get(sighting)
        if spots is None:
            return 0.0
        since_s = max(0.0, at_s - self._told_at_s[sighting])
        fired_s = float(spots[_spots(box)].mean()) * 0.5 ** (since_s / HABIT_HALF_LIFE_S)
        return min(MOST_HABIT_LLR, math.log1p(fired_s / HABIT_S))

    def to_plain(self) -> dict[str, Any]:
        """JSON form: only the spots that have fired."""
        return {
            sighting.value: {
                "at_s": self._told_at_s[sighting],
                "spots": [
                    [int(row), int(column), round(float(spots[row, column]), 1)]
                    for row, column in zip(*np.nonzero(spots >= _LEAST_S), strict=True)
                ],
            }
            for sighting, spots in self._fired_s.items()
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Habits:
        """From the JSON form. Raises ValueError, KeyError or TypeError where it is none."""
        habits = cls()
        for name, given in plain.items():
            spots = np.zeros(GRID, np.float32)
            for row, column, fired_s in given["spots"]:
                if 0 <= row < GRID[0] and 0 <= column < GRID[1]:
                    spots[row, column] = max(0.0, float(fired_s))
            habits._fired_s[Sighting(name)] = spots
            habits._told_at_s[Sighting(name)] = float(given["at_s"])
        return habits

    def _age(self, sighting: Sighting, at_s: float) -> None:
        since_s = at_s - self._told_at_s.get(sighting, at_s)
        if since_s > 0:
            self._fired_s[sighting] *= np.float32(0.5 ** (since_s / HABIT_HALF_LIFE_S))
        self._told_at_s[sighting] = max(at_s, self._told_at_s.get(sighting, at_s))


def _spots(box: Shares) -> tuple[slice, slice]:
    rows, columns = GRID
    left = min(columns - 1, max(0, int(box[0] * columns)))
    top = min(rows - 1, max(0, int(box[1] * rows)))
    right = min(columns, max(left + 1, math.ceil(box[2] * columns)))
    bottom = min(rows, max(top + 1, math.ceil(box[3] * rows)))
    return slice(top, bottom), slice(left, right)


class ClutterMap:
    """Everything that is known of one camera's clutter."""

    def __init__(
        self,
        habits: Habits | None = None,
        road: RoadReference | None = None,
        crashes: Habits | None = None,
        restlessness: Restlessness | None = None,
    ) -> None:
        self.habits = habits or Habits()
        self.road = road or RoadReference()
        self.crashes = crashes or Habits()
        """Where vehicles move in ways that pass for crashes again and again: turning close to the
        camera, mostly. Apart from where they stand, which says nothing of how they move."""
        self.restlessness = restlessness or Restlessness()
        """How often they do so anywhere in the picture."""
        self._look_alikes: tuple[LookAlike, ...] = ()

    def know(self, learnt: Learnt) -> None:
        """Replace what people decided of this camera."""
        for sighting, box in learnt.real:
            self.habits.forgive(sighting, box)
            self.crashes.forgive(sighting, box)
        self._look_alikes = learnt.look_alikes

    def rejected_llr(
        self, sighting: Sighting, box: Shares, at_s: float, small: NDArray[np.uint8] | None
    ) -> float:
        """What a box's evidence is worth less for what people rejected, in nats, 0 or more.

        `small` is a small copy of the picture in which it is seen, if there is one
        (`detection.appearance`). Of several look-alikes the nearest counts: they are one thing.
        """
        return max(
            (known.discount(sighting, box, at_s, small) for known in self._look_alikes),
            default=0.0,
        )


def learnt_from(
    verdicts: Sequence[Verdict], picture_of: Callable[[Verdict], NDArray[np.uint8] | None]
) -> Learnt:
    """What all of people's decisions about one camera teach; oldest first.

    `picture_of` gives the RGB picture that a verdict was about, if it was kept. What was confirmed
    takes back the rejections before it of what looks the same.
    """
    known: list[LookAlike] = []
    real: list[tuple[Sighting, Shares]] = []
    for verdict in verdicts:
        box = shares_of(verdict.box, verdict.frame_width_px, verdict.frame_height_px)
        at_s = verdict.decided_at.timestamp()
        if verdict.truth is Truth.CONFIRMED:
            known = [one for one in known if one.discount(verdict.sighting, box, at_s, None) < 1.0]
            real.append((verdict.sighting, box))
            continue
        picture = picture_of(verdict)
        pattern = None if picture is None else patch_at(small_copy(picture), box)
        known.append(LookAlike(verdict.sighting, box, at_s, pattern))
    return Learnt(tuple(known), tuple(real))


def shares_of(box: Box, width_px: float, height_px: float) -> Shares:
    """A box in pixels as shares of its picture."""
    return box.x0 / width_px, box.y0 / height_px, box.x1 / width_px, box.y1 / height_px
