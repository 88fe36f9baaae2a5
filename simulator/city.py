"""The simulated cities: which cameras they have, what happens when, and who calls.

Making a city draws nothing; pictures are drawn when its cameras are served (`simulator.serve`).
"""

from __future__ import annotations

import heapq
import itertools
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from contracts import Hazard, LonLat
from geo.projection import LocalProjection
from simulator import streets
from simulator.callers import PUBLISHED_A_DAY, PUBLISHED_SHARES, SimulatedCall, calls_about
from simulator.events import TrueEvent, script_of, true_event
from simulator.library import named
from simulator.mapfile import read_geojson
from simulator.masts import USUAL_MASTS, SimulatedCamera, camera_plans, mounted
from simulator.scenario import FalseCallPlan, MapPlan, Scenario
from simulator.scene.conditions import BY_NAME, Change, Conditions
from simulator.scene.place import Place
from simulator.scene.script import Script

EVERYDAY = "everyday"
"""The library's scenario that a demonstration plays where none is named."""
_UNSEEN = (Hazard.MEDICAL, Hazard.DISASTER, Hazard.CRIME, Hazard.OTHER)
_OTHER_CALLS_SPREAD_M = 260.0


class SimulatedCity(Protocol):
    """What can be served and demonstrated."""

    @property
    def cameras(self) -> Sequence[SimulatedCamera]:
        """All cameras, in a steady order."""
        ...

    def calls(self) -> Iterator[SimulatedCall]:
        """The calls in order of time; may never end."""
        ...

    def background_geojson(self) -> dict[str, Any]:
        """A FeatureCollection to draw the map on."""
        ...


@dataclass(frozen=True)
class City:
    """A scenario's city: junctions with drawn cameras, what happens there, and callers."""

    scenario: Scenario
    projection: LocalProjection
    places: tuple[Place, ...]
    cameras: list[SimulatedCamera]
    _scripts: dict[int, Script] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, scenario: Scenario, centre: LonLat) -> City:
        """The city of a scenario about a centre.

        Raises:
            ScenarioError: its map's file can't be used.
        """
        projection = LocalProjection(centre)
        if scenario.map.geojson is not None:
            places = streets.from_geojson(scenario.map.geojson, projection, scenario.seed)
        else:
            places = streets.lay_out(scenario.map.junctions, scenario.seed)
        plans = camera_plans(scenario, len(places))
        cameras = [
            mounted(places[plan.junction], plan, projection, scenario.seed) for plan in plans
        ]
        return cls(scenario, projection, tuple(places), cameras)

    @classmethod
    def demo(
        cls,
        cameras: int,
        seed: int,
        centre: LonLat,
        *,
        scenario: str | Scenario = EVERYDAY,
    ) -> City:
        """A scenario with another number of cameras and another seed.

        Raises:
            ValueError: not a number of cameras that the city can have.
            ScenarioError: there is no such scenario.
        """
        if not 1 <= cameras <= 1_000:
            raise ValueError(f"the demonstration has 1 to 1000 cameras, not {cameras}")
        known = named(scenario) if isinstance(scenario, str) else scenario
        junctions = max(known.map.junctions, math.ceil(cameras / USUAL_MASTS))
        plan = MapPlan(junctions=junctions, geojson=known.map.geojson)
        # A camera that isn't there has no faults.
        faults = tuple(fault for fault in known.faults if fault.camera < cameras)
        update = {"cameras": cameras, "seed": seed, "map": plan, "faults": faults}
        return cls.of(known.model_copy(update=update), centre)

    @property
    def seed(self) -> int:
        """The scenario's."""
        return self.scenario.seed

    @property
    def under(self) -> Conditions:
        """The conditions that all cameras share."""
        return BY_NAME[self.scenario.conditions]

    def conditions_of(self, index: int) -> Conditions:
        """What the camera at an index of `cameras` sees through at the beginning."""
        return self._through(index, self.under)

    def changes_of(self, index: int) -> tuple[Change, ...]:
        """What becomes of that while the scenario is played."""
        return tuple(
            Change(plan.at_s, plan.over_s, self._through(index, BY_NAME[plan.conditions]))
            for plan in self.scenario.weather
        )

    def _through(self, index: int, under: Conditions) -> Conditions:
        """Conditions seen through a camera's own dirt, from its own mast."""
        camera = self.cameras[index]
        if camera.dirt or camera.shake_px:
            under = replace(
                under,
                dirt=max(under.dirt, camera.dirt),
                shake_px=max(under.shake_px, camera.shake_px),
            )
        return under

    def script(self, place_index: int) -> Script:
        """What happens at a junction; made when it is first asked for."""
        if place_index not in self._scripts:
            self._scripts[place_index] = script_of(
                self.scenario, place_index, self.places[place_index].seed
            )
        return self._scripts[place_index]

    def first_place(self) -> int:
        """The junction where something is first to be seen."""
        seen = [event for event in self.round_of_events(0) if event.is_seen]
        return min(seen, key=lambda event: event.starts_s).place_index if seen else 0

    def round_of_events(self, number: int) -> list[TrueEvent]:
        """Everything that happens in the ``number``-th round of the scenario, by its start."""
        if number and not self.scenario.repeats:
            return []
        found = [
            true_event(self.scenario, index, self.places, self.projection, number)
            for index in range(len(self.scenario.events))
        ]
        return sorted(found, key=lambda event: (event.starts_s, event.id))

    def events(self, until_s: float) -> list[TrueEvent]:
        """Everything that begins before a time of the city."""
        rounds = math.ceil(until_s / self.scenario.seconds) if self.scenario.repeats else 1
        found = [e for number in range(max(1, rounds)) for e in self.round_of_events(number)]
        return [event for event in found if event.starts_s < until_s]

    def calls(self) -> Iterator[SimulatedCall]:
        """See `SimulatedCity.calls`: about the events, and about what no camera sees."""
        return heapq.merge(self._event_calls(), self._other_calls(), key=lambda call: call.after_s)

    def _event_calls(self) -> Iterator[SimulatedCall]:
        waiting: list[tuple[float, int, SimulatedCall]] = []
        order = itertools.count()
        rounds = itertools.count() if self.scenario.repeats else range(1)
        for number in rounds:
            for event in self.round_of_events(number):
                while waiting and waiting[0][0] <= event.starts_s:
                    yield heapq.heappop(waiting)[2]
                for call in self._calls_about(event, number):
                    heapq.heappush(waiting, (call.after_s, next(order), call))
            if not self.scenario.events and self.scenario.repeats:
                break
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _calls_about(self, event: TrueEvent, number: int) -> list[SimulatedCall]:
        plan = self.scenario.events[event.index]
        callers = plan.callers
        claimed = plan.hazard if isinstance(plan, FalseCallPlan) else event.hazard
        if callers is None or claimed is None or callers.count == 0:
            return []
        place = self.places[event.place_index]
        x, y = place.to_plane(np.array([(event.a, event.b)]))[0]
        return calls_about(
            event.id,
            claimed,
            (float(x), float(y)),
            f"Simpang {place.name}",
            event.starts_s,
            self.projection,
            zlib.crc32(f"{self.seed}/{event.index}/{number}".encode()),
            mean_callers=callers.mean,
            mean_delay_s=callers.delay_s,
            standoff_scale=callers.standoff_scale,
            count=callers.count,
            wrong_kind=callers.wrong_kind,
            later_fixes=callers.later_fixes,
        )

    def _other_calls(self) -> Iterator[SimulatedCall]:
        """Of the kinds no camera sees, at the shares that the city publishes."""
        plan = self.scenario.other_calls
        if plan is None:
            return
        random = np.random.default_rng((self.seed, 112))
        shares = np.array([PUBLISHED_SHARES[kind] for kind in _UNSEEN])
        gap_s = 86_400 / (PUBLISHED_A_DAY * float(shares.sum()) * plan.times_published)
        at_s = plan.from_s
        for number in itertools.count():
            at_s += float(random.exponential(gap_s))
            if not self.scenario.repeats and at_s > self.scenario.seconds:
                return
            hazard = _UNSEEN[int(random.choice(len(_UNSEEN), p=shares / shares.sum()))]
            place = self.places[int(random.integers(len(self.places)))]
            where = np.array((place.x, place.y)) + random.normal(0, _OTHER_CALLS_SPREAD_M, 2)
            (call,) = calls_about(
                f"{hazard.value}-elsewhere-{number}",
                hazard,
                (float(where[0]), float(where[1])),
                f"Simpang {place.name}",
                at_s,
                self.projection,
                self.seed * 104_729 + number,
                count=1,
            )
            yield replace(call, after_s=at_s)

    def background_geojson(self) -> dict[str, Any]:
        """See `SimulatedCity.background_geojson`."""
        if self.scenario.map.geojson is not None:
            found = read_geojson(self.scenario.map.geojson)
            named_spots = streets.junctions(self.places, self.projection)
            return {**found, "features": [*found["features"], *named_spots]}
        return streets.geojson(list(self.places), self.projection)
