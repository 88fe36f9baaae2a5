"""How an incident may fall apart, or exchange with another: the few ways that are tried.

Each source may leave alone, the worst placed first, so may one of a camera's several tracks, and
the whole may fall in two: by what was named, by the longest silence, and along its longest axis.
Bounded, so that a report's cost is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from contracts import Hazard
from geo.fusion.evidence import TrackEvidence
from geo.fusion.parameters import FusionParameters
from geo.fusion.scoring import LOG_KM2, Score
from geo.fusion.sources import Source

MOST_LEAVERS = 5
"""Sources that are tried for leaving alone."""
MOST_SOURCES = 14
"""Of an incident of more only the newest report is tried for leaving, and the whole no longer for
falling in two along its axes: trying costs more than a report may."""
MOST_TRACKS = 2
"""Of a camera's several tracks, the least telling ones that are tried for leaving alone."""
MOST_PULLED = 3
"""Sources of a neighbour that are tried for coming over."""
LEAST_FIT = 6.0
"""Nats by which a place may fit worse and still be tried: time may tell against where it is."""
MOST_SWEEPS = 3
"""Times that an incident's sources choose anew between two rivals."""
MOST_SHARED_OUT = 30
"""An incident of more sources is not shared out between two."""

Groups = tuple[list[int], list[int]]
"""The numbers of a set's sources, in two."""


def partings(score: Score) -> Iterator[tuple[Score, Score]]:
    """Pairs of a part that may leave and the rest, which keeps the oldest source where the two
    are halves.
    """
    sources = score.sources
    if len(sources) < 2:
        return
    ways: list[frozenset[int]] = []
    if len(sources) <= MOST_SOURCES:
        ways += [*_leavers(score), *_halves(sources)]
    if 3 <= len(sources) <= MOST_SHARED_OUT:
        ways += _shared_out(score)
    seen: set[frozenset[int]] = set()
    for leaving in ways:
        rest = [n for n in range(len(sources)) if n not in leaving]
        if not leaving or not rest or leaving in seen:
            continue
        seen |= {leaving, frozenset(rest)}
        yield (
            Score([sources[n] for n in sorted(leaving)], score.parameters, score),
            Score([sources[n] for n in rest], score.parameters, score),
        )
    if len(sources) <= MOST_SOURCES:
        yield from _single_tracks(score)


def exchanges(one: Score, other: Score) -> Iterator[tuple[Score, Score]]:
    """The two with what one camera saw in each of them exchanged, for each camera in both.

    A camera is one source, so that a false track which came first keeps a true one out: neither
    leaving nor joining gains by itself, only both at once.
    """
    for mine in one.sources:
        for theirs in other.sources:
            if (
                isinstance(mine.best, TrackEvidence)
                and mine.best.source_id == theirs.best.source_id
            ):
                yield _with(one, mine, theirs), _with(other, theirs, mine)


def pullable(score: Score, to: Score) -> Iterator[tuple[Score, Score]]:
    """Sources of a set that may be better placed in another one, the likeliest first, each with the
    rest of its set; none of those that fit the other place far worse than they fit their own.
    """
    if not 2 <= len(score.sources) <= MOST_SHARED_OUT:
        return
    hazard = score.hazard_probabilities[0][0]
    there = to.place
    fits = []
    for number, (source, step) in enumerate(zip(score.sources, score.steps(hazard), strict=True)):
        place = source.best.place(None if score.unstated else hazard)
        log_mass = there.log_mass(place)
        if number == score.best_placed:
            step -= math.log(score.parameters.rate(hazard))
        gains = source.log_odds(hazard) + log_mass + LOG_KM2 - step
        if gains > -LEAST_FIT:
            fits.append((-gains, number))
    for _, number in sorted(fits)[:MOST_PULLED]:
        rest = [each for n, each in enumerate(score.sources) if n != number]
        yield (
            Score([score.sources[number]], score.parameters),
            Score(rest, score.parameters, score),
        )


def _with(score: Score, gone: Source, come: Source) -> Score:
    kept = (each for each in score.sources if each is not gone)
    return Score((*kept, come), score.parameters, score)


def _leavers(score: Score) -> list[frozenset[int]]:
    steps = score.steps(score.hazard_probabilities[0][0])
    worst_first = sorted(range(len(steps)), key=lambda number: (steps[number], number))
    return [frozenset((number,)) for number in worst_first[:MOST_LEAVERS]]


def _single_tracks(score: Score) -> Iterator[tuple[Score, Score]]:
    """Tracks of which their camera has others in the set, and the rest. Of one camera a lamp and a
    fire are one source, which can't leave for one of the two.
    """
    hazard = score.hazard_probabilities[0][0]
    for source in score.sources:
        if len(source.pieces) < 2:
            continue
        least_first = sorted(source.pieces, key=lambda piece: piece.own_log_odds(hazard))
        for leaving in least_first[:MOST_TRACKS]:
            rest = [piece for piece in score.pieces if piece is not leaving]
            yield Score.of([leaving], score.parameters), Score.of(rest, score.parameters)


def _shared_out(score: Score) -> Iterator[frozenset[int]]:
    """The sources that go with the younger of two rivals, where each goes with whom it fits better.

    The rivals are the two sources that contradict each other most; the others choose in the order
    of how well they are placed (sequentially allocated splits, Dahl 2005). Or all begin on either
    side of the middle. Then each chooses anew, now that it is known who is where.
    """
    sources, p = score.sources, score.parameters
    hazard = score.hazard_probabilities[0][0]
    places = [source.best.place(None if score.unstated else hazard) for source in sources]
    xy = np.array([place.mean for place in places])
    spread = np.array([np.trace(place.covariance) / 2 for place in places])
    started = np.array([source.started_s for source in sources])
    apart2 = np.sum((xy[:, None] - xy[None]) ** 2, axis=2) / (spread[:, None] + spread[None])
    waits = np.abs(started[:, None] - started[None]) / 86_400 / p.delay_days(hazard)
    best_placed_first = np.argsort(spread, kind="stable").tolist()
    first, second = sorted(map(int, np.unravel_index(np.argmax(0.5 * apart2 + waits), waits.shape)))
    seeds = [_along_axis(sources, xy)]
    if first != second:
        seeds.append(_allocated(sources, (first, second), best_placed_first, hazard, p))
    for groups in seeds:
        again = _allocated_again(sources, groups, hazard, p)
        yield _without_oldest(frozenset(again[1]), len(sources))


def _along_axis(sources: Sequence[Source], xy: np.ndarray) -> Groups:
    """Those on either side of the middle, along the axis on which the well placed lie."""
    precise = np.array([_is_precise(source) for source in sources])
    if precise.sum() < 2:
        precise[:] = True
    _, axes = np.linalg.eigh(np.cov(xy[precise].T) + np.eye(2))
    along = xy @ axes[:, 1]
    beyond = along > (along[precise].min() + along[precise].max()) / 2
    return np.flatnonzero(~beyond).tolist(), np.flatnonzero(beyond).tolist()


def _allocated(
    sources: Sequence[Source],
    rivals: tuple[int, int],
    order: Sequence[int],
    hazard: Hazard,
    parameters: FusionParameters,
) -> Groups:
    groups = ([rivals[0]], [rivals[1]])
    scores = [Score([sources[number]], parameters) for number in rivals]
    odds = [one.log_z_of(hazard) for one in scores]
    for number in order:
        if number in rivals:
            continue
        joint = [one.joined(Score([sources[number]], parameters)) for one in scores]
        then = [one.log_z_of(hazard) for one in joint]
        chosen = int(then[1] - odds[1] > then[0] - odds[0])
        groups[chosen].append(number)
        scores[chosen], odds[chosen] = joint[chosen], then[chosen]
    return groups


def _allocated_again(
    sources: Sequence[Source], groups: Groups, hazard: Hazard, parameters: FusionParameters
) -> Groups:
    for _ in range(MOST_SWEEPS):
        if not all(groups):
            break
        scores = [Score([sources[n] for n in sorted(group)], parameters) for group in groups]
        chosen = [
            int(scores[1].fit(source, hazard) > scores[0].fit(source, hazard)) for source in sources
        ]
        again: Groups = ([], [])
        for number, one in enumerate(chosen):
            again[one].append(number)
        if not all(again) or list(map(sorted, groups)) == list(again):
            break
        groups = again
    return groups


def _halves(sources: Sequence[Source]) -> Iterator[frozenset[int]]:
    count = len(sources)
    if count < 3:
        return
    named = [source.best.stated for source in sources]
    for hazard in dict.fromkeys(named):
        if hazard is not None:
            yield _without_oldest(frozenset(n for n in range(count) if named[n] is hazard), count)
    started = np.array([source.started_s for source in sources])
    order = np.argsort(started, kind="stable")
    yield _cut(order, started[order], count)
    precise = np.array([_is_precise(source) for source in sources])
    if precise.sum() >= 2:
        xy = np.array([source.best.own_xy for source in sources])
        _, axes = np.linalg.eigh(np.cov(xy[precise].T) + np.eye(2))
        along = xy @ axes[:, 1]
        order = np.argsort(along, kind="stable")
        yield _cut(order, along[order], count)


def _cut(order: np.ndarray, values: np.ndarray, count: int) -> frozenset[int]:
    gap = int(np.argmax(np.diff(values)))
    return _without_oldest(frozenset(order[gap + 1 :].tolist()), count)


def _without_oldest(part: frozenset[int], count: int) -> frozenset[int]:
    return frozenset(range(count)) - part if 0 in part else part


def _is_precise(source: Source) -> bool:
    best = source.best
    return isinstance(best, TrackEvidence) or np.trace(best.place(None).covariance) < 300.0**2
