"""How an incident may fall apart, or exchange with another: the few ways that are tried.

Each source may leave alone, the worst placed first, and the whole may fall in two: by what was
named, by the longest silence, and along its longest axis. Bounded, so that a report's cost is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from geo.fusion.evidence import TrackEvidence
from geo.fusion.scoring import Score
from geo.fusion.sources import Source

MOST_LEAVERS = 5
"""Sources that are tried for leaving alone."""
MOST_SOURCES = 14
"""Of an incident of more only the newest report is tried for leaving, and the whole no longer for
falling in two along its axes: trying costs more than a report may."""
MOST_SHARED_OUT = 30
"""An incident of more sources is not shared out between two."""


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
        ways.append(_shared_out(score))
    seen: set[frozenset[int]] = set()
    for leaving in ways:
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


def _shared_out(score: Score) -> frozenset[int]:
    """The sources that go with the younger of two rivals, where each goes with whom it fits better.

    The rivals are the two best placed sources that contradict each other most; the others choose
    in the order of how well they are placed (sequentially allocated splits, Dahl 2005).
    """
    sources, p = score.sources, score.parameters
    hazard = score.hazard_probabilities[0][0]
    places = [source.best.place(None if score.unstated else hazard) for source in sources]
    xy = np.array([place.mean for place in places])
    spread = np.array([np.trace(place.covariance) / 2 for place in places])
    started = np.array([source.started_s for source in sources])
    apart2 = np.sum((xy[:, None] - xy[None]) ** 2, axis=2) / (spread[:, None] + spread[None])
    waits = np.abs(started[:, None] - started[None]) / 86_400 / p.delay_days(hazard)
    first, second = np.unravel_index(np.argmax(0.5 * apart2 + waits), apart2.shape)
    groups = [[min(first, second)], [max(first, second)]]
    scores = [Score([sources[each[0]]], p) for each in groups]
    odds = [one.log_z_of(hazard) for one in scores]
    for number in np.argsort(spread, kind="stable").tolist():
        if number in (first, second):
            continue
        joint = [one.joined(Score([sources[number]], p)) for one in scores]
        then = [one.log_z_of(hazard) for one in joint]
        chosen = int(then[1] - odds[1] > then[0] - odds[0])
        groups[chosen].append(number)
        scores[chosen], odds[chosen] = joint[chosen], then[chosen]
    return _without_oldest(frozenset(int(n) for n in groups[1]), len(sources))


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
