"""Scenarios: what is where and what happens when, as YAML files.

    name: market-fire
    title: A market fire seen by three cameras, and nine callers
    judul: Kebakaran pasar, tiga kamera, sembilan penelepon
    seconds: 240
    cameras: 6
    events:
      - {kind: fire, at: {junction: 0, a: 9.5, b: 9.8}, starts_s: 20, lasts_s: 200, width_m: 5,
         callers: {count: 9, delay_s: 25}}

The same file and seed give the same city, pictures, calls and truth. `simulator.library` reads
files.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from contracts import Hazard
from simulator.scene.conditions import BY_NAME
from simulator.scene.crashes import CrashShape
from simulator.scene.lanes import CYCLE_S


class ScenarioError(Exception):
    """A scenario that can't be played; the text names the file, the key and what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def did_you_mean(given: str, known: list[str]) -> str:
    """The end of a sentence about a name that isn't known."""
    close = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"


def _known(conditions: str) -> str:
    if conditions not in BY_NAME:
        raise ValueError(f"no such conditions{did_you_mean(conditions, list(BY_NAME))}")
    return conditions


Seconds = Annotated[float, Field(ge=0, le=86_400)]
Conditions = Annotated[str, AfterValidator(_known)]


class Spot(_Strict):
    """A point of a junction: `a` metres along its main road, `b` metres to the left of that."""

    junction: int = Field(0, ge=0, le=600, description="0 is in the middle of the city")
    a: float = Field(0.0, ge=-400, le=400)
    b: float = Field(0.0, ge=-400, le=400)


class Callers(_Strict):
    """Who calls about an event."""

    count: int | None = Field(None, ge=0, le=500, description="So many; at random where absent")
    mean: float = Field(3.0, ge=0, le=500, description="On average, where there is no count")
    delay_s: float = Field(22.0, ge=0.1, le=7_200, description="On average, to see and to dial")
    standoff_scale: float = Field(1.0, ge=0, le=20, description="How far off they stand")
    wrong_kind: float = Field(0.04, ge=0, le=1, description="Share that names another kind")
    later_fixes: float = Field(0.35, ge=0, le=1, description="Share whose phone finds itself anew")


class _Event(_Strict):
    id: str | None = Field(None, min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9.-]*$")
    at: Spot
    starts_s: Seconds
    lasts_s: float = Field(gt=0, le=86_400)
    callers: Callers | None = Field(None, description="Nobody calls where absent")


class FirePlan(_Event):
    """A fire that starts small and grows, with smoke in the wind."""

    kind: Literal["fire"]
    width_m: float = Field(2.8, gt=0.3, le=12)
    wind: float = Field(0.25, ge=0, le=1.2, description="How far it leans the smoke")


class CrashPlan(_Event):
    """A crash in the cars' lane of the main road that is nearest; `starts_s` is the impact."""

    kind: Literal["crash"]
    shape: CrashShape = CrashShape.REAR_END
    hurt: bool = Field(True, description="Somebody lies on the road, and people gather")


class FloodPlan(_Event):
    """Water that rises over road, kerbs and wheels, and recedes at the end."""

    kind: Literal["flood"]
    reach_a_m: float = Field(26.0, gt=1, le=110)
    reach_b_m: float = Field(11.0, gt=1, le=60)
    depth_m: float = Field(0.45, gt=0.02, le=2)
    rises_s: float = Field(60.0, gt=1, le=7_200)
    recedes_s: float = Field(40.0, gt=1, le=7_200)


class DecoyPlan(_Event):
    """What looks like an emergency and is none. A sunset stands in the direction of its spot."""

    kind: Literal[
        "lamp", "welding", "sunset", "steam", "dust", "roadworks", "congestion", "wet_asphalt"
    ]
    up_m: float = Field(1.2, ge=0, le=30)
    size: float = Field(1.0, gt=0.05, le=10)


class UnseenPlan(_Event):
    """What no camera sees: only callers tell of it."""

    kind: Literal["medical", "crime", "disaster", "other"]


class FalseCallPlan(_Strict):
    """Somebody calls about what isn't there: a prank, or a mistake."""

    kind: Literal["false_call"]
    id: str | None = Field(None, min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9.-]*$")
    at: Spot
    starts_s: Seconds
    hazard: Hazard
    callers: Callers = Callers(count=1, delay_s=1.0, standoff_scale=0.3)


EventPlan = Annotated[
    FirePlan | CrashPlan | FloodPlan | DecoyPlan | UnseenPlan | FalseCallPlan,
    Field(discriminator="kind"),
]


class CameraPlan(_Strict):
    """One camera on one of a junction's masts."""

    junction: int = Field(0, ge=0, le=600)
    mast: Literal["Barat", "Timur", "Utara", "Selatan"]
    dirt: float = Field(0.0, ge=0, le=1, description="Dried drops and dust on its dome")
    shake_px: float = Field(0.0, ge=0, le=20, description="How far gusts move its picture")


class FaultPlan(_Strict):
    """Something wrong with a camera for a while."""

    camera: int = Field(ge=0, description="Its number in the scenario, from 0")
    kind: Literal["stall", "freeze", "black", "nudge", "clock", "drop", "refuse", "loss"]
    starts_s: Seconds
    lasts_s: float = Field(gt=0, le=86_400)


class OtherCalls(_Strict):
    """Calls about what no camera sees, all over the city, at the shares of its published table."""

    times_published: float = Field(
        40.0, gt=0, le=10_000, description="Against the city's real rate: one in two hours"
    )
    from_s: Seconds = 40.0


class WeatherPlan(_Strict):
    """Other conditions come: rain begins, dusk falls, fog lifts."""

    at_s: Seconds
    over_s: float = Field(60.0, gt=0, le=86_400, description="Until they are fully there")
    conditions: Conditions


class MapPlan(_Strict):
    """Roads and areas: generated, or from a GeoJSON file with roads as LineStrings."""

    junctions: int = Field(4, ge=1, le=600)
    geojson: Path | None = Field(
        None, description="Beside the scenario's file; generated if absent"
    )


class Scenario(_Strict):
    """One scenario; see the module's description."""

    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str = Field(min_length=1, max_length=200)
    judul: str = Field("", max_length=200, description="The title in Indonesian")
    seconds: float = Field(gt=1, le=86_400)
    repeats: bool = False
    seed: int = Field(7, ge=0)
    conditions: Conditions = "grey afternoon"
    weather: tuple[WeatherPlan, ...] = Field((), description="How the conditions change")
    traffic: float = Field(1.0, gt=0, le=3, description="Vehicles against an ordinary day's")
    walkers: int = Field(14, ge=0, le=80, description="People on foot at a junction")
    map: MapPlan = MapPlan()
    cameras: int | tuple[CameraPlan, ...] = 8
    events: tuple[EventPlan, ...] = ()
    faults: tuple[FaultPlan, ...] = ()
    other_calls: OtherCalls | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        if self.repeats and self.seconds % CYCLE_S:
            raise ValueError(f"seconds of a scenario that repeats is a multiple of {CYCLE_S:g}")
        if isinstance(self.cameras, int) and not 1 <= self.cameras <= 1_000:
            raise ValueError(f"cameras is 1 to 1000, not {self.cameras}")
        count = self.cameras if isinstance(self.cameras, int) else len(self.cameras)
        for index, fault in enumerate(self.faults):
            if fault.camera >= count:
                raise ValueError(f"faults.{index}: there are {count} cameras, from 0")
        names = [self.id_of(index) for index in range(len(self.events))]
        for index, event in enumerate(self.events):
            ends = event.starts_s + getattr(event, "lasts_s", 0.0)
            if ends > self.seconds:
                raise ValueError(f"events.{index}: ends at {ends:g} s, after the scenario's end")
            if self.map.geojson is None and event.at.junction >= self.map.junctions:
                raise ValueError(
                    f"events.{index}: the map has {self.map.junctions} junctions, from 0"
                )
            if names.count(names[index]) > 1:
                raise ValueError(f"events.{index}: another event has the id {names[index]}")
        for index, change in enumerate(self.weather):
            if (
                index
                and change.at_s < self.weather[index - 1].at_s + self.weather[index - 1].over_s
            ):
                raise ValueError(f"weather.{index}: begins before the change before it is over")
        crashes = [e.at.junction for e in self.events if isinstance(e, CrashPlan)]
        if len(set(crashes)) < len(crashes):
            raise ValueError("a junction has one crash at most: its signals are set for it")
        return self

    def id_of(self, index: int) -> str:
        """An event's id: its own, or its kind with a number."""
        event = self.events[index]
        if event.id is not None:
            return event.id
        before = sum(other.kind == event.kind for other in self.events[:index])
        return f"{event.kind}-{before + 1}".replace("_", "-")
