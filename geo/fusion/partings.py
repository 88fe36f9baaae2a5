"""How an incident may fall apart, or exchange with another: the few ways that are tried.

Each source may leave alone, the worst placed first, and the whole may fall in two: by what was
named, by the longest silence, and along its longest axis. Bounded, so that a report's cost is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from geo.fusion.evidence import TrackEvidence
from geo.fusion.scoring import Score, Source

MOST_LEAVERS = 5
"""Sources that are tried for leaving alone."""
MOST_SOURCES = 14
"""An incident of more is not taken apart: trying costs more than a report may, and it is seldom
two."""


def partings(score: Score) -> Iterator[tuple[Score, Score]]:
    """Pairs of a part that may leave and the rest, which keeps the oldest source where the two
    are halves.
    """
    sources = score.sources
    if not 2 <= len(sources) <= MOST_SOURCES:
        return
    seen: set[frozenset[int]] = set()
    for leaving in (*_leavers(score), *_halves(sources)):
        rest = [n for n in range(len(sources)) if n not in leaving]
        if not leaving or not rest or leaving in seen:
            continue
        seen |= {leaving, frozenset(rest)}
        yield (
            Score([sources[n] for n in sorted(leaving)], score.parameters),
            Score([sources[n] for n in rest], score.parameters),
        )


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


def _with(score: Score, gone: Source, come: Source) -> Score:
    return Score((*(each for each in score.sources if each is not gone), come), score.parameters)


def _leavers(score: Score) -> list[frozenset[int]]:
    steps = score.term(score.hazard_probabilities[0][0]).steps
    worst_first = sorted(range(len(steps)), key=lambda number: (steps[number], number))
    return [frozenset((number,)) for number in worst_first[:MOST_LEAVERS]]


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
