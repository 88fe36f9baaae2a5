"""Whether the truth scores higher than what was found: then the search stopped short of it, else
the model prefers what was found.

Incidents that share events, and events that share incidents, are judged together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from bench.fusion.scoring import Found
from geo.fusion.evidence import Evidence
from geo.fusion.pairs import apart_bonus
from geo.fusion.scoring import Score


@dataclass(frozen=True, slots=True)
class Confusions:
    """What a city's incidents are confused with."""

    truth_better: Sequence[bool]
    """Of each incident, whether the truth about all that it is confused with scores higher."""
    clusters: int
    clusters_truth_better: int


def confusions(
    found: Sequence[Found],
    pieces: Mapping[str, Evidence],
    truth: Mapping[str, int | None],
) -> Confusions:
    """Judges a city; the arguments are those of `bench.fusion.causes.explain`."""
    better = [False] * len(found)
    judged = judged_better = 0
    for incidents, events in _clusters(found, truth):
        sources = [source for n in incidents for source in found[n].sources]
        is_right = len(incidents) == 1 and len(events) <= 1
        if is_right and (len(sources) == 1 or all(truth[s] is not None for s in sources)):
            continue
        true: dict[int | str, list[Evidence]] = defaultdict(list)
        for source in sources:
            number = truth[source]
            true[source if number is None else number].append(pieces[source])
        held = [[pieces[source] for source in found[n].sources] for n in incidents]
        won = _worth(list(true.values())) > _worth(held) + 1e-6
        judged += 1
        judged_better += won
        for n in incidents:
            better[n] = won
    return Confusions(better, judged, judged_better)


def _worth(sets: Sequence[Sequence[Evidence]]) -> float:
    scores = [Score.of(pieces, pieces[0].parameters) for pieces in sets]
    return sum(one.gain for one in scores) + sum(
        apart_bonus(a, b) for a, b in combinations(scores, 2)
    )


def _clusters(
    found: Sequence[Found], truth: Mapping[str, int | None]
) -> Iterator[tuple[list[int], set[int]]]:
    """Incidents and events that share sources, as connected components."""
    holders: dict[int, set[int]] = defaultdict(set)
    for n, one in enumerate(found):
        for source in one.sources:
            if (number := truth[source]) is not None:
                holders[number].add(n)
    seen: set[int] = set()
    for start in range(len(found)):
        if start in seen:
            continue
        incidents, events, queue = [], set[int](), [start]
        seen.add(start)
        while queue:
            n = queue.pop()
            incidents.append(n)
            for source in found[n].sources:
                number = truth[source]
                if number is None or number in events:
                    continue
                events.add(number)
                more = holders[number] - seen
                seen |= more
                queue += sorted(more)
        yield incidents, events
