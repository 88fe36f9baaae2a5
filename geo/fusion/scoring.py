"""The odds that one event explains a set of evidence, against each piece being clutter.

For a set C and a hazard h with rate mu::

    log Z_h = log mu_h + sum_i a_i(h) + log integral prod_i L_i(x | h) dx
              + log integral prod_i f_i(t_i - t_0 | h) dt_0

with ``a_i`` a source's odds against clutter, ``L_i`` its density over the event's place (1/km2) and
``f_i`` the density of its delay after the event's beginning (1/day). ``Z = sum_h Z_h`` are the odds
that the event exists, and ``log(1 + Z)`` is what the set adds to the score of a partition.

Tracks of one camera are one source: it looks once, however many tracks it makes of what it sees.
Two concurrent tracks of it at clearly different places are never one event.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from operator import add

import numpy as np

from contracts import Hazard
from geo.fusion.evidence import CallEvidence, Evidence, TrackEvidence
from geo.fusion.laws import DAY_S, arrived, log_call_count, log_delay, log_delays, weighed
from geo.fusion.parameters import FusionParameters
from geo.fusion.sources import Source, source_key
from geo.mixture import Floats, Mixture

LOG_KM2 = math.log(1e6)


@dataclass(frozen=True, slots=True)
class Term:
    """What a set comes to under one hazard: a step and the place so far, a source; the best placed
    first."""

    steps: tuple[float, ...]
    places: tuple[Mixture, ...]

    @property
    def log_k(self) -> float:
        """The sum of the steps."""
        return sum(self.steps)

    @property
    def place(self) -> Mixture:
        """Where the event is."""
        return self.places[-1]


class Score:
    """The odds of one set of evidence; immutable, its parts are computed when asked for.

    Places are multiplied the best placed source first. Of a product few components are kept, and
    those of the wide ones would crowd out where the precise ones agree.

    ``like`` is a set that differs by little: what both begin with isn't reckoned twice.
    """

    def __init__(
        self, sources: Iterable[Source], parameters: FusionParameters, like: Score | None = None
    ) -> None:
        self.parameters = parameters
        self.sources = tuple(sorted(sources, key=lambda source: source.order))
        self._best_placed_first = sorted(
            range(len(self.sources)), key=lambda number: (self.sources[number].spread_m2, number)
        )
        self.impossible = any(
            len(source.pieces) > 1 and source.splits(parameters) for source in self.sources
        )
        stated = {piece.stated for source in self.sources for piece in source.pieces} - {None}
        self.unstated = not stated
        self.hazards = tuple(h for h in Hazard if h in stated or self.unstated)
        self._terms: dict[Hazard, Term] = {}
        self._fits: dict[tuple[Source, Hazard], float] = {}
        self._like = like

    @classmethod
    def of(
        cls,
        pieces: Iterable[Evidence],
        parameters: FusionParameters,
    ) -> Score:
        """Of a set of pieces, in whatever order they come."""
        by_source: dict[str, list[Evidence]] = {}
        for piece in pieces:
            by_source.setdefault(source_key(piece), []).append(piece)
        return cls(map(Source, by_source.values()), parameters)

    def joined(self, other: Score) -> Score:
        """Of both sets together."""
        keys = {source_key(source.best) for source in self.sources}
        if any(source_key(source.best) in keys for source in other.sources):
            return Score.of((*self.pieces, *other.pieces), self.parameters)
        larger = max(self, other, key=lambda score: len(score.sources))
        return Score((*self.sources, *other.sources), self.parameters, larger)

    def settled(self) -> Score:
        """The same, to be kept: it no longer leans on a set like it."""
        _ = self.gain
        self._like = None
        return self

    @property
    def pieces(self) -> tuple[Evidence, ...]:
        """All evidence, oldest first."""
        return tuple(
            sorted(
                (piece for source in self.sources for piece in source.pieces),
                key=lambda piece: piece.order,
            )
        )

    def term(self, hazard: Hazard) -> Term:
        """``log Z_h`` without the delays, the place's posterior, and the steps that led there."""
        found = self._terms.get(hazard)
        if found is None:
            found = self._terms[hazard] = self._term(hazard)
        return found

    def _term(self, hazard: Hazard) -> Term:
        steps, places = self._begun(hazard)
        for number in self._best_placed_first[len(steps) :]:
            source = self.sources[number]
            own, place = source.log_odds(hazard), self._place_of(source, hazard)
            if not steps:
                steps, places = [math.log(self.parameters.rate(hazard)) + own], [place]
                continue
            log_mass, posterior = places[-1].product(place)
            steps.append(own + log_mass + LOG_KM2)
            places.append(posterior)
        return Term(tuple(steps), tuple(places))

    def _begun(self, hazard: Hazard) -> tuple[list[float], list[Mixture]]:
        like = self._like
        if like is None or like.unstated is not self.unstated or hazard not in like._terms:
            return [], []
        term, same = like._terms[hazard], 0
        for mine, theirs in zip(self._best_placed_first, like._best_placed_first, strict=False):
            if self.sources[mine] is not like.sources[theirs]:
                break
            same += 1
        return list(term.steps[:same]), list(term.places[:same])

    def steps(self, hazard: Hazard) -> tuple[float, ...]:
        """What each of `sources` adds to a hazard's log odds by its words, its rates and how well
        its place goes with those that are placed better; the best placed brings the event's rate.
        """
        steps = self.term(hazard).steps
        return tuple(step for _, step in sorted(zip(self._best_placed_first, steps, strict=True)))

    @property
    def best_placed(self) -> int:
        """Which of `sources` tells the place best."""
        return self._best_placed_first[0]

    def _place_of(self, source: Source, hazard: Hazard) -> Mixture:
        # Where nobody named a hazard all of them are possible, and one place serves for all.
        return source.best.place(None if self.unstated else hazard)

    @cached_property
    def log_z_by_hazard(self) -> tuple[float, ...]:
        """``log Z_h`` of `hazards`."""
        if self.impossible:
            return (-math.inf,) * len(self.hazards)
        if self.unstated and len(self.sources) > 1:
            for hazard in self.hazards:
                self._share_term(hazard)
        return tuple(map(self.log_z_of, self.hazards))

    def log_z_of(self, hazard: Hazard) -> float:
        """``log Z_h`` of any hazard, also one that nobody spoke for."""
        if self.impossible:
            return -math.inf
        return (
            self.term(hazard).log_k + self.log_expected(hazard) + float(self.delays(hazard).sum())
        )

    def delays(self, hazard: Hazard) -> Floats:
        """``(N,)`` what each source's time adds to a hazard's log odds, in nats."""
        p = self.parameters
        started = np.array([source.started_s for source in self.sources])
        prompt = np.array([source.is_prompt for source in self.sources])
        return log_delays(started, prompt, p.delay_days(hazard), p.found_within_s / DAY_S)

    def log_expected(self, hazard: Hazard) -> float:
        """Of how many times its mean rate the hazard's is at the set's hour, month and place."""
        p = self.parameters
        found = p.log_season(hazard, self.sources[0].started_s)
        if p.events_by_area is not None:
            found += p.events_by_area.log_factor(hazard, self.term(hazard).place)
        return found

    def _share_term(self, hazard: Hazard) -> None:
        """One product of places for all hazards, since without a name they are alike."""
        first = self.hazards[0]
        term = self.term(first)
        if hazard is first:
            return
        p = self.parameters
        placed = [self.sources[number] for number in self._best_placed_first]
        shifts = [source.log_odds(hazard) - source.log_odds(first) for source in placed]
        shifts[0] += math.log(p.rate(hazard) / p.rate(first))
        self._terms[hazard] = Term(tuple(map(add, term.steps, shifts)), term.places)

    def fit(self, source: Source, hazard: Hazard) -> float:
        """How well a source's place and time go with this set's, and its words with a hazard, in
        nats; as if the set's place and start were known.
        """
        key = (source, hazard)
        found = self._fits.get(key)
        if found is None:
            p = self.parameters
            place = source.best.place(None if self.unstated else hazard)
            late_s = source.started_s - self.started_s
            paced = log_delay(abs(late_s), p.delay_days(hazard))
            if late_s < 0:
                # The event would have begun earlier, and all the others would be later.
                at_once = log_delay(0.0, p.delay_days(hazard))
                paced = at_once + len(self.sources) * (paced - at_once)
            found = source.log_odds(hazard) + self.place.log_mass(place) + LOG_KM2 + paced
            self._fits[key] = found
        return found

    @cached_property
    def log_look_alike(self) -> float:
        """Log odds that one harmless thing on the ground is what its cameras saw, against each
        having seen something of its own: the traffic of a junction agrees in place, too.

        It is as a set's ``log Z`` without what the pictures say, at the look-alikes' rate. What
        cameras chatter about is there for all to see: as far as all of them report more clutter
        than is assumed, the look-alikes' rate is raised with the clutter's.
        """
        seen = [source for source in self.sources if isinstance(source.best, TrackEvidence)]
        if len(seen) < 2 or self.impossible:
            return -math.inf
        p = self.parameters
        cameras = self if len(seen) == len(self.sources) else Score(seen, p)
        log_rate = math.log(p.look_alikes_per_km2_day)
        return max(
            z
            - sum(source.own_log_odds(h) for source in seen)
            - cameras.log_expected(h)
            - math.log(p.rate(h))
            + log_rate
            + min(source.restlessness(h) for source in seen)
            for h, z in zip(cameras.hazards, cameras.log_z_by_hazard, strict=True)
        )

    @cached_property
    def log_z(self) -> float:
        """Log odds that the event exists."""
        return float(np.logaddexp.reduce(self.log_z_by_hazard)) - self.doubt

    @property
    def doubt(self) -> float:
        """What a look-alike takes from the log odds of every hazard."""
        return float(np.logaddexp(0.0, self.log_look_alike))

    @cached_property
    def gain(self) -> float:
        """What the set adds to a partition's score, in hindsight: an event that would have brought
        more calls than it did is the less likely for it.
        """
        if self.impossible:
            return -math.inf
        in_hindsight = [
            z + log_call_count(self.calls, self.parameters.calls_per_event(h), self.parameters)
            for h, z in zip(self.hazards, self.log_z_by_hazard, strict=True)
        ]
        return float(np.logaddexp(0.0, np.logaddexp.reduce(in_hindsight) - self.doubt))

    @cached_property
    def calls(self) -> int:
        """How many people called."""
        return sum(isinstance(source.best, CallEvidence) for source in self.sources)

    def call_count(self, at_s: float) -> tuple[float, ...]:
        """What the number of calls by a time says, in nats, for each of `hazards`."""
        p, waited_s = self.parameters, at_s - self.started_s
        return tuple(
            log_call_count(self.calls, p.calls_per_event(h), p, arrived(waited_s, p.delay_days(h)))
            for h in self.hazards
        )

    @property
    def started_s(self) -> float:
        """The earliest time that a piece speaks of, seconds since 1970."""
        return min(source.started_s for source in self.sources)

    @property
    def probability(self) -> float:
        """That the event exists."""
        return math.exp(self.log_z - float(np.logaddexp(0.0, self.log_z)))

    @property
    def hazard_probabilities(self) -> tuple[tuple[Hazard, float], ...]:
        """Of the hazards spoken for, given that the event exists; most probable first."""
        return weighed(self.hazards, self.log_z_by_hazard)[0]

    @cached_property
    def place(self) -> Mixture:
        """Where the event is, over all hazards."""
        if self.unstated:
            return self.term(self.hazards[0]).place
        shares = np.array(self.log_z_by_hazard) - np.logaddexp.reduce(self.log_z_by_hazard)
        kept = [(share, self.term(h).place) for h, share in zip(self.hazards, shares, strict=True)]
        kept = [(share, place) for share, place in kept if share > -6.0]
        if len(kept) == 1:
            return kept[0][1]
        log_weights = np.concatenate([share + place.log_weights for share, place in kept])
        return Mixture(
            log_weights - np.logaddexp.reduce(log_weights),
            np.concatenate([place.means for _, place in kept]),
            np.concatenate([place.covariances for _, place in kept]),
        )
