"""Why pairs come out wrong, and events twice: each fault under what caused it.

A pair of sources is wrong (in one incident, of two causes) or missed (of one event, in two
incidents). One of the two is where it belongs, the other strayed; the fault is named after where
the other one went and after what was the matter with it. Beside it stands whether the truth has the
higher score: then the search stopped short of it, else the model prefers what was found.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from bench.fusion.scoring import SURE, Found
from contracts import CallReport, ReportBody, evidence_key
from geo.fusion.evidence import Evidence, TrackEvidence
from geo.fusion.pairs import apart_bonus
from geo.fusion.scoring import Score
from simulator.reports import TrueEvent

CELL_M, FAR_M, WEDGE_M = 300.0, 150.0, 60.0
"""Sigma from which a call counts as placed by its cell, how far off a caller stands far, and sigma
from which a track is far out in the picture."""
SIBLING_M, SIBLING_S = 700.0, 1_800.0


@dataclass(slots=True)
class Causes:
    """Faults by cause, over cities."""

    pairs: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    truth_better: Counter[str] = field(default_factory=Counter)
    """Of the pairs and duplicates, those where the true partition scores higher."""
    clusters: int = 0
    clusters_truth_better: int = 0

    def figures(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "pairs": dict(self.pairs.most_common()),
            "duplicates": dict(self.duplicates.most_common()),
            "truth_scores_higher": dict(self.truth_better.most_common()),
        }

    def rows(self) -> Iterator[str]:
        """For people, the costliest first."""
        for title, counts in (("pairs", self.pairs), ("duplicates", self.duplicates)):
            whole = sum(counts.values())
            yield f"{title}: {whole}; of each cause, share, and where the truth scores higher"
            for cause, count in counts.most_common():
                of_search = self.truth_better[f"{title}: {cause}"]
                yield f"  {count:6d} {count / whole:6.1%} {of_search:6d}  {cause}"
        yield (
            f"confusions: {self.clusters}, of which the truth scores higher in "
            f"{self.clusters_truth_better}"
        )


def explain(
    causes: Causes,
    found: Sequence[Found],
    pieces: Mapping[str, Evidence],
    bodies: Sequence[ReportBody],
    truth: Mapping[str, int | None],
    events: Sequence[TrueEvent],
) -> None:
    """Adds one city's faults.

    Args:
        causes: Grows.
        found: All incidents, also the improbable ones.
        pieces: What each source says.
        bodies: All reports.
        truth: A source to the event it is about; None for clutter and nonsense.
        events: What happened, by number.
    """
    _City(causes, found, pieces, bodies, truth, events).explain()


class _City:
    def __init__(
        self,
        causes: Causes,
        found: Sequence[Found],
        pieces: Mapping[str, Evidence],
        bodies: Sequence[ReportBody],
        truth: Mapping[str, int | None],
        events: Sequence[TrueEvent],
    ) -> None:
        self.causes = causes
        self.found = found
        self.pieces = pieces
        self.truth = truth
        self.events = events
        self.bodies: dict[str, list[ReportBody]] = defaultdict(list)
        for body in bodies:
            self.bodies[evidence_key(body)].append(body)
        self.home = {source: n for n, one in enumerate(found) for source in one.sources}
        self.members: dict[int, list[str]] = defaultdict(list)
        for source, number in truth.items():
            if number is not None and source in self.home:
                self.members[number].append(source)
        self.main = {n: self._main_home(sources) for n, sources in self.members.items()}
        self.about = [self._about(one) for one in found]
        self.better = self._truth_better()

    def explain(self) -> None:
        """Counts every fault."""
        for number, sources in self.members.items():
            for a, b in combinations(sources, 2):
                if self.home[a] != self.home[b]:
                    astray = a if self.home[b] == self.main[number] else b
                    self._count(self.causes.pairs, "pairs", self._parted(astray), astray)
        for n, one in enumerate(self.found):
            for a, b in combinations(sorted(one.sources), 2):
                if self.truth[a] is None and self.truth[b] is None:
                    self._count(self.causes.pairs, "pairs", "nothing with nothing", a)
                elif self.truth[a] != self.truth[b]:
                    astray = b if self.truth[a] == self.about[n] else a
                    self._count(self.causes.pairs, "pairs", self._joined(astray, n), astray)
        self._duplicates()

    def _duplicates(self) -> None:
        holders: dict[int, list[int]] = defaultdict(list)
        for n, one in enumerate(self.found):
            about = self.about[n]
            if one.probability >= SURE and about is not None:
                holders[about].append(n)
        for held in holders.values():
            biggest = max(held, key=lambda n: (len(self.found[n].sources), -n))
            for n in held:
                if n == biggest:
                    continue
                sources = sorted(self.found[n].sources, key=lambda s: self.pieces[s].order)
                real = [s for s in sources if self.truth[s] == self.about[n]]
                size = "one source" if len(sources) == 1 else f"{min(len(sources), 4)} sources"
                cause = f"{size}, {self._matter(real[0])}"
                self._count(self.causes.duplicates, "duplicates", cause, real[0])

    def _count(self, counts: Counter[str], title: str, cause: str, source: str) -> None:
        counts[cause] += 1
        self.causes.truth_better[f"{title}: {cause}"] += self.better[self.home[source]]

    def _parted(self, astray: str) -> str:
        number, n = self.truth[astray], self.home[astray]
        about = self.about[n]
        if len(self.found[n].sources) == 1:
            where = "left alone"
        elif about == number:
            where = "event split"
        elif about is None:
            where = "gone with nothing"
        else:
            where = f"gone to {self._kin(number, about)}"
        return f"missed: {where}, {self._matter(astray)}"

    def _joined(self, astray: str, n: int) -> str:
        number, about = self.truth[astray], self.about[n]
        if number is None:
            return f"wrong: {self._matter(astray)} joined"
        whole = all(self.home[source] == n for source in self.members[number])
        size = len(self.members[number])
        kin = self._kin(number, about)
        if whole:
            return f"wrong: {kin} swallowed ({'one source' if size == 1 else 'several'})"
        return f"wrong: part of {kin}, {self._matter(astray)}"

    def _kin(self, one: int | None, other: int | None) -> str:
        if one is None or other is None:
            return "nothing"
        a, b = self.events[one], self.events[other]
        near = math.dist(a.xy, b.xy) < SIBLING_M and abs(a.onset_s - b.onset_s) < SIBLING_S
        kind = "same kind" if a.hazard is b.hazard else "another kind"
        return f"sibling of {kind}" if near else f"unrelated of {kind}"

    def _matter(self, source: str) -> str:
        """What is the matter with a source, the worst first."""
        first = self.bodies[source][0]
        number = self.truth[source]
        piece = self.pieces[source]
        if isinstance(piece, TrackEvidence):
            if number is None:
                return "clutter"
            if not piece.is_on_time:
                return "camera's clock"
            if math.sqrt(np.trace(piece.place(None).covariance)) > WEDGE_M:
                return "camera's far range"
            return "camera"
        if number is None:
            return "nonsense call"
        event = self.events[number]
        stated = first.hazard if isinstance(first, CallReport) else None
        named = "" if stated is event.hazard else "unnamed " if stated is None else "misnamed "
        place = piece.place(None)
        if math.sqrt(np.trace(place.covariance) / 2) > CELL_M:
            return f"{named}call by cell"
        if len(self.bodies[source]) > 2:
            return f"{named}call with late position"
        off = math.dist(piece.own_xy, event.xy)
        return f"{named}call from afar" if off > FAR_M else f"{named}call"

    def _about(self, one: Found) -> int | None:
        counts = Counter(n for s in one.sources if (n := self.truth[s]) is not None)
        return min(counts, key=lambda n: (-counts[n], n)) if counts else None

    def _main_home(self, sources: Sequence[str]) -> int:
        counts = Counter(self.home[source] for source in sources)
        return min(counts, key=lambda n: (-counts[n], n))

    def _truth_better(self) -> list[bool]:
        """Of each incident, whether the truth about all that it is confused with scores higher."""
        better = [False] * len(self.found)
        for incidents, events in self._clusters():
            if len(incidents) == 1 and len(events) <= 1:
                only = self.found[incidents[0]]
                if len(only.sources) == 1 or all(self.truth[s] is not None for s in only.sources):
                    continue
            sources = [s for n in incidents for s in self.found[n].sources]
            true: dict[int | str, list[Evidence]] = defaultdict(list)
            for source in sources:
                number = self.truth[source]
                true[source if number is None else number].append(self.pieces[source])
            held = [[self.pieces[s] for s in self.found[n].sources] for n in incidents]
            won = self._worth(list(true.values())) > self._worth(held) + 1e-6
            self.causes.clusters += 1
            self.causes.clusters_truth_better += won
            for n in incidents:
                better[n] = won
        return better

    def _worth(self, sets: Sequence[Sequence[Evidence]]) -> float:
        scores = [Score.of(pieces, pieces[0].parameters) for pieces in sets]
        return sum(one.gain for one in scores) + sum(
            apart_bonus(a, b) for a, b in combinations(scores, 2)
        )

    def _clusters(self) -> Iterator[tuple[list[int], set[int]]]:
        """Incidents and events that share sources, as connected components."""
        seen: set[int] = set()
        for start in range(len(self.found)):
            if start in seen:
                continue
            incidents, events, queue = [], set[int](), [start]
            seen.add(start)
            while queue:
                n = queue.pop()
                incidents.append(n)
                for source in self.found[n].sources:
                    number = self.truth[source]
                    if number is None or number in events:
                        continue
                    events.add(number)
                    more = {self.home[other] for other in self.members[number]} - seen
                    seen |= more
                    queue += sorted(more)
            yield incidents, events
