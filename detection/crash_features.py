"""What the crash model is told of each moment of a clip: how it moves now against shortly before
and after, over the whole picture and place by place. Pure.

Nothing reaches farther than two seconds back and one and a half ahead: how long a clip has run must
not show, since crashes in clips cut for training come late.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.crash_motion import (
    ACROSS,
    CHANGE,
    CHANNELS,
    DOWN,
    GRID,
    JERK,
    SPEED,
    STRANGE,
    UNEXPLAINED,
    Field,
)

Floats = NDArray[np.float64]

_PLACES = 6
"""Places whose mean counts beside the greatest: a crash is larger than one."""
_STANDS = 4.0
"""How fast a place stops counting as one that stands, by its speed."""
LOOKS_BACK = 10
"""Moments before a moment that its measures are taken from: with fewer they are of less."""
FEATURES = 4 * 3 * CHANNELS + 4 * 4 * 2 + 6 + 33


def motion_features(fields: Field) -> Floats:
    """(T, FEATURES) of a clip's fields (T, CHANNELS, GRID, GRID)."""
    flat = fields.reshape(len(fields), CHANNELS, -1).astype(np.float64)
    return np.concatenate([*_general(flat), *_in_one_place(flat)], axis=1)


def disturbance(fields: Field, moment: int) -> Field:
    """(12, 12): where, at one moment, motion turns and stays unexplained: the place to point at."""
    flat = fields.reshape(len(fields), CHANNELS, -1).astype(np.float64)
    unexplained = _mean(np.log1p(np.abs(flat[:, UNEXPLAINED])), -1, 1)
    return np.asarray((_turn(flat) + unexplained)[moment].reshape(GRID, GRID), np.float32)


def _general(flat: Floats) -> list[Floats]:
    """How much moves, jerks and turns, and how that changes."""
    ordered = np.sort(np.log1p(np.abs(flat)), axis=2)
    whole = np.concatenate(
        [ordered[:, :, -1], ordered[:, :, -_PLACES:].mean(axis=2), ordered.mean(axis=2)], axis=1
    )
    now = _mean(whole, -1, 1)
    columns = [
        now,
        now - _mean(whole, -8, -4),
        _mean(whole, 1, 3) - _mean(whole, -4, -1),
        _mean(whole, 2, 5) - _mean(whole, -10, -3),
    ]
    for channel in (SPEED, UNEXPLAINED, JERK, CHANGE):
        place = np.log1p(np.abs(flat[:, channel]))
        at, past, later = _mean(place, 0, 2), _mean(place, -6, -2), _mean(place, 2, 5)
        columns += [_top(d) for d in (past - at, at - past, past - later, at - later)]
    columns.append(_top(_turn(flat)))
    standing = _standing(flat)
    columns.append(_top(_mean(standing, 1, 4) - _mean(standing, -6, -3)))
    debris = np.log1p(np.abs(flat[:, UNEXPLAINED])) - 0.5 * np.log1p(np.abs(flat[:, SPEED]))
    columns.append(_top(_mean(debris, -1, 1)))
    # Everybody slows down where two have crashed.
    some = [SPEED, CHANNELS + SPEED, *(2 * CHANNELS + c for c in (SPEED, UNEXPLAINED, JERK))]
    columns.append(_mean(whole[:, some], 3, 8) - _mean(whole[:, some], -10, -2))
    return columns


def _in_one_place(flat: Floats) -> list[Floats]:
    """What happens at one and the same place: that something stands where it crashed; that what
    brakes also turns and breaks up; that flows run into one another.
    """
    speed = np.log1p(np.abs(flat[:, SPEED]))
    unexplained = _mean(np.log1p(np.abs(flat[:, UNEXPLAINED])), -1, 1)
    jerk = _mean(np.log1p(np.abs(flat[:, JERK])), -1, 1)
    turn = _turn(flat)
    standing = _standing(flat)
    stands = _mean(standing, 4, 8) - _mean(standing, -10, -4)
    came_to_stand = np.maximum(stands, 0.0)
    braked = np.maximum(_mean(speed, -5, -1) - _mean(speed, 2, 6), 0.0)
    sped_up = np.maximum(_mean(speed, 1, 4) - _mean(speed, -5, -1), 0.0)
    converging = _converging(flat)
    places = [
        stands,
        came_to_stand * _nearby(_mean(speed, -6, -1)),
        came_to_stand * _nearby(turn),
        came_to_stand * _nearby(unexplained),
        turn * unexplained,
        turn * jerk,
        braked * unexplained,
        braked * jerk,
        braked * turn,
        sped_up * unexplained,
        unexplained * jerk,
        converging,
        converging * unexplained,
        converging * braked,
    ]
    return [_top(place) for place in places]


def _standing(flat: Floats) -> Floats:
    """(T, places): how strange a place looks while nothing moves there."""
    still = np.exp(-_STANDS * np.abs(flat[:, SPEED]))
    return np.asarray(np.log1p(np.abs(flat[:, STRANGE])) * still)


def _turn(flat: Floats) -> Floats:
    """(T, places): how much each place's flow differs after a moment from before it, logarithm."""
    across, down = flat[:, ACROSS], flat[:, DOWN]
    return np.log1p(
        np.hypot(
            _mean(across, -4, -1) - _mean(across, 1, 3), _mean(down, -4, -1) - _mean(down, 1, 3)
        )
    )


def _converging(flat: Floats) -> Floats:
    """(T, places): by how much the flow at either side runs towards a place, logarithm."""
    shape = (len(flat), GRID, GRID)
    across, down = (_mean(flat[:, c], -3, 0).reshape(shape) for c in (ACROSS, DOWN))
    inwards = np.zeros(shape)
    inwards[:, :, 1:-1] += across[:, :, :-2] - across[:, :, 2:]
    inwards[:, 1:-1] += down[:, :-2] - down[:, 2:]
    return np.log1p(np.maximum(inwards.reshape(len(flat), -1), 0.0))


def _nearby(places: Floats) -> Floats:
    """The greatest value at each place and its eight neighbours."""
    shape = (len(places), GRID, GRID)
    padded = np.pad(places.reshape(shape), ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = [padded[:, i : i + GRID, j : j + GRID] for i in range(3) for j in range(3)]
    return np.asarray(np.max(around, axis=0).reshape(places.shape))


def _mean(series: Floats, first: int, last: int) -> Floats:
    """At each moment the mean over the moments from `first` to `last` relative to it, as far as
    there are any; else the nearest there is.
    """
    length = len(series)
    so_far = np.concatenate([np.zeros((1, *series.shape[1:])), np.cumsum(series, axis=0)])
    moment = np.arange(length)
    begin = np.clip(moment + first, 0, length - 1)
    end = np.maximum(np.clip(moment + last + 1, 1, length), begin + 1)
    return np.asarray((so_far[end] - so_far[begin]) / (end - begin)[:, None])


def _top(places: Floats) -> Floats:
    """The greatest value over the places and the mean of the greatest few, (T, 2)."""
    greatest = np.partition(places, -_PLACES, axis=1)[:, -_PLACES:]
    return np.stack([greatest.max(axis=1), greatest.mean(axis=1)], axis=1)
