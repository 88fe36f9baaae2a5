"""Why pairs come out wrong, and events twice: each fault under what caused it.

A pair of sources is wrong (in one incident, of two causes) or missed (of one event, in two
incidents). One of the two is where it belongs, the other strayed; the fault is named after where
the other one went and after what was the matter with it. Beside it stands whether the truth has the
higher score (`bench.fusion.confusions`).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from bench.fusion.confusions import confusions
from bench.fusion.scoring import SURE, Found
from contracts import CallReport, ReportBody, evidence_key
from geo.fusion.evidence import Evidence, TrackEvidence
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
    city = _City(found, pieces, bodies, truth, events)
    judged = confusions(found, pieces, truth)
    causes.clusters += judged.clusters
    causes.clusters_truth_better += judged.clusters_truth_better
    for title, counts, faults in (
        ("pairs", causes.pairs, city.pairs()),
        ("duplicates", causes.duplicates, city.duplicates()),
    ):
        for cause, source in faults:
            counts[cause] += 1
            causes.truth_better[f"{title}: {cause}"] += judged.truth_better[city.home[source]]


class _City:
    """What was found in a city beside what is true; each fault as its cause and who strayed."""

    def __init__(
        self,
        found: Sequence[Found],
        pieces: Mapping[str, Evidence],
        bodies: Sequence[ReportBody],
        truth: Mapping[str, int | None],
        events: Sequence[TrueEvent],
    ) -> None:
        self._found = found
        self._pieces = pieces
        self._truth = truth
        self._events = events
        self._bodies: dict[str, list[ReportBody]] = defaultdict(list)
        for body in bodies:
            self._bodies[evidence_key(body)].append(body)
        self.home = {source: n for n, one in enumerate(found) for source in one.sources}
        """Which incident holds a source, by its place in ``found``."""
        self._members: dict[int, list[str]] = defaultdict(list)
        for source, number in truth.items():
            if number is not None and source in self.home:
                self._members[number].append(source)
        self._main = {n: self._main_home(sources) for n, sources in self._members.items()}
        self._about = [self._event_of(one) for one in found]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Two of one event in two incidents, and two of one incident that are of two causes."""
        for number, sources in self._members.items():
            for a, b in combinations(sources, 2):
                if self.home[a] != self.home[b]:
                    astray = a if self.home[b] == self._main[number] else b
                    yield self._parted(astray), astray
        for n, one in enumerate(self._found):
            for a, b in combinations(sorted(one.sources), 2):
                if self._truth[a] is None and self._truth[b] is None:
                    yield "nothing with nothing", a
                elif self._truth[a] != self._truth[b]:
                    astray = b if self._truth[a] == self._about[n] else a
                    yield self._joined(astray, n), astray

    def duplicates(self) -> Iterator[tuple[str, str]]:
        """Probable incidents about an event of which a larger one tells already."""
        holders: dict[int, list[int]] = defaultdict(list)
        for n, one in enumerate(self._found):
            about = self._about[n]
            if one.probability >= SURE and about is not None:
                holders[about].append(n)
        for held in holders.values():
            biggest = max(held, key=lambda n: (len(self._found[n].sources), -n))
            for n in held:
                if n == biggest:
                    continue
                sources = sorted(self._found[n].sources, key=lambda s: self._pieces[s].order)
                real = next(s for s in sources if self._truth[s] == self._about[n])
                size = "one source" if len(sources) == 1 else f"{min(len(sources), 4)} sources"
                yield f"{size}, {self._matter(real)}", real

    def _parted(self, astray: str) -> str:
        number, n = self._truth[astray], self.home[astray]
        about = self._about[n]
        if len(self._found[n].sources) == 1:
            where = "left alone"
        elif about == number:
            where = "event split"
        elif about is None:
            where = "gone with nothing"
        else:
            where = f"gone to {self._kin(number, about)}"
        return f"missed: {where}, {self._matter(astray)}"

    def _joined(self, astray: str, n: int) -> str:
        number, about = self._truth[astray], self._about[n]
        if number is None:
            return f"wrong: {self._matter(astray)} joined"
        whole = all(self.home[source] == n for source in self._members[number])
        size = len(self._members[number])
        kin = self._kin(number, about)
        if whole:
            return f"wrong: {kin} swallowed ({'one source' if size == 1 else 'several'})"
        return f"wrong: part of {kin}, {self._matter(astray)}"

    def _kin(self, one: int | None, other: int | None) -> str:
        if one is None or other is None:
            return "nothing"
        a, b = self._events[one], self._events[other]
        near = math.dist(a.xy, b.xy) < SIBLING_M and abs(a.onset_s - b.onset_s) < SIBLING_S
        kind = "same kind" if a.hazard is b.hazard else "another kind"
        return f"sibling of {kind}" if near else f"unrelated of {kind}"

    def _matter(self, source: str) -> str:
        """What is the matter with a source, the worst first."""
        first = self._bodies[source][0]
        number = self._truth[source]
        piece = self._pieces[source]
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
        event = self._events[number]
        stated = first.hazard if isinstance(first, CallReport) else None
        named = "" if stated is event.hazard else "unnamed " if stated is None else "misnamed "
        place = piece.place(None)
        if math.sqrt(np.trace(place.covariance) / 2) > CELL_M:
            return f"{named}call by cell"
        if len(self._bodies[source]) > 2:
            return f"{named}call with late position"
        off = math.dist(piece.own_xy, event.xy)
        return f"{named}call from afar" if off > FAR_M else f"{named}call"

    def _event_of(self, one: Found) -> int | None:
        counts = Counter(n for s in one.sources if (n := self._truth[s]) is not None)
        return min(counts, key=lambda n: (-counts[n], n)) if counts else None

    def _main_home(self, sources: Sequence[str]) -> int:
        counts = Counter(self.home[source] for source in sources)
        return min(counts, key=lambda n: (-counts[n], n))
