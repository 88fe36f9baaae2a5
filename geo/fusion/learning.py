"""What closed incidents teach: estimators, each with a floor of data or a prior's weight."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from contracts import Hazard
from geo.callers import STANDOFFS

EXISTENCE_FLOOR = 50
"""Verdicts before probabilities are bent; and at least `EXISTENCE_EACH` of either kind."""
EXISTENCE_EACH = 10
DISTANCE_FLOOR = 20
_FACTORS = np.exp(np.linspace(math.log(0.4), math.log(4.0), 93))
_FACTOR_SPREAD = 0.4
"""Of the prior on the log of how much farther off callers stand than assumed."""
_ROUNDS = 30


def isotonic(said: Sequence[float], real: Sequence[bool]) -> tuple[float, ...]:
    """Pairs (probability as reckoned, share that was real), rising in both, flattened; empty below
    the floor. Pool adjacent violators (Ayer et al. 1955), with half a case of either kind added to
    each block, so that nothing is ever called certain.
    """
    if len(said) < EXISTENCE_FLOOR or not EXISTENCE_EACH <= sum(real) <= len(real) - EXISTENCE_EACH:
        return ()
    # What was reckoned alike is one case, whatever it turned out to be.
    alike: dict[float, list[float]] = {}
    for p, was in zip(said, real, strict=True):
        case = alike.setdefault(p, [0.0, 0.0, 0.0])
        case[0], case[1], case[2] = case[0] + p, case[1] + was, case[2] + 1
    blocks: list[list[float]] = []
    for _, case in sorted(alike.items()):
        blocks.append(case)
        while len(blocks) > 1 and blocks[-2][1] / blocks[-2][2] >= blocks[-1][1] / blocks[-1][2]:
            p_sum, hits, count = blocks.pop()
            blocks[-1] = [blocks[-1][0] + p_sum, blocks[-1][1] + hits, blocks[-1][2] + count]
    knots: list[float] = []
    for p_sum, hits, count in blocks:
        knots += [p_sum / count, (hits + 0.5) / (count + 1.0)]
    # Half a case weighs more in a small block, and must not turn the order round.
    knots[1::2] = np.maximum.accumulate(knots[1::2]).tolist()
    return tuple(knots)


def calibrated(probability: float, knots: Sequence[float]) -> float:
    """The probability as it turned out to be, by `isotonic`'s pairs; between them linear, and from
    the outermost to 0 and 1.
    """
    if not knots:
        return probability
    return float(np.interp(probability, (0.0, *knots[0::2], 1.0), (0.0, *knots[1::2], 1.0)))


def distance_factor(distances: Sequence[tuple[Hazard, float, float]]) -> float | None:
    """How many times farther off callers stand than assumed: most probable, with a prior about 1.

    Args:
        distances: Hazard, metres between a caller's position and the event's, and the standard
            deviation of that position (a coordinate).

    Returns:
        None below the floor.
    """
    if len(distances) < DISTANCE_FLOOR:
        return None
    log_p = -0.5 * (np.log(_FACTORS) / _FACTOR_SPREAD) ** 2
    for hazard, metres, sigma_m in distances:
        parts = STANDOFFS[hazard]
        whole = sum(weight for weight, _ in parts)
        density = np.full(len(_FACTORS), 1e-9)
        for weight, sigma in parts:
            variance = (sigma * _FACTORS) ** 2 + sigma_m**2
            density = density + weight / whole * np.exp(-0.5 * metres**2 / variance) / variance
        log_p = log_p + np.log(density)
    return float(_FACTORS[int(np.argmax(log_p))])


def gamma_poisson(count: float, exposure: float, mean: float, weight: float) -> float:
    """Rate after ``count`` in ``exposure``, under a prior of ``mean`` worth ``weight`` exposure."""
    return (mean * weight + count) / (weight + exposure)


def calls_per_event(
    calls: Sequence[tuple[int, bool]], mean: float, weight: float, shape: float
) -> float:
    """Mean number of calls that an event brings, under a prior of ``mean`` worth ``weight`` events.

    What neither a camera saw nor anybody called about isn't known of. So the events without a
    camera stand for those like them that nobody called about, too: of gamma-Poisson counts of
    this ``shape``, a share of ``(1 + mean / shape) ** -shape`` are 0.

    Args:
        calls: Of each known event, how many called, and whether a camera reported it.
    """
    whole = sum(count for count, _ in calls) + mean * weight
    seen = sum(by_camera for _, by_camera in calls) + weight
    heard = len(calls) - sum(by_camera for _, by_camera in calls)
    rate = mean
    for _ in range(_ROUNDS):
        none_called = (1 + rate / shape) ** -shape
        rate = whole / (seen + heard / (1 - none_called))
    return rate
