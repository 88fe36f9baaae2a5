"""What goes wrong with a scenario's cameras, and when: in their pictures and on the line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts import CameraPose
from simulator.city import City
from simulator.rtsp.faults import HEALTHY, Faults
from simulator.scenario import FaultPlan, Scenario

_TURNS_DEG, _DROOPS_DEG = 14.0, -3.5
"""A knock on the mast turns a camera by so much."""
_LOST_CLOCK = "01-01-1970 00:00:{second:02.0f}"
LOST_CLOCK_S = -30 * 365 * 86_400.0
"""A camera that lost its clock sends capture times of so long ago."""


@dataclass(frozen=True, slots=True)
class PictureFault:
    """What is wrong with a picture at a time; all off is a good one."""

    is_black: bool = False
    is_nudged: bool = False
    frozen_at_s: float | None = None
    """The picture of this time is shown."""
    clock: str | None = None
    """What the camera takes the time for."""


@dataclass(frozen=True, slots=True)
class PictureFaults:
    """A camera's, over a scenario."""

    plans: tuple[FaultPlan, ...]
    seconds: float
    repeats: bool

    @classmethod
    def of(cls, scenario: Scenario, camera: int) -> PictureFaults:
        """Those of the camera at an index."""
        own = tuple(plan for plan in scenario.faults if plan.camera == camera)
        return cls(own, scenario.seconds, scenario.repeats)

    def at(self, elapsed_s: float) -> PictureFault:
        """What is wrong at a time of the city."""
        now = elapsed_s % self.seconds if self.repeats else elapsed_s
        fault = PictureFault()
        for plan in self.plans:
            if not plan.starts_s <= now < plan.starts_s + plan.lasts_s:
                continue
            match plan.kind:
                case "black":
                    fault = replace(fault, is_black=True)
                case "nudge":
                    fault = replace(fault, is_nudged=True)
                case "freeze":
                    fault = replace(fault, frozen_at_s=elapsed_s - (now - plan.starts_s))
                case "clock":
                    second = (now - plan.starts_s) % 60
                    fault = replace(fault, clock=_LOST_CLOCK.format(second=int(second)))
                case _:
                    pass
        return fault


def black(width_px: int, height_px: int, elapsed_s: float) -> NDArray[np.uint8]:
    """A covered lens: all dark, but for the sensor's noise."""
    random = np.random.default_rng(int(elapsed_s * 1000))
    grain = random.integers(2, 9, (height_px // 4, width_px // 4, 1), np.uint8)
    coarse = np.repeat(np.repeat(grain, 4, axis=0), 4, axis=1)
    return np.ascontiguousarray(np.broadcast_to(coarse, (height_px, width_px, 3)))


def nudged(city: City, index: int) -> CameraPose:
    """A camera's pose after a knock; the register still has the old one.

    Raises:
        ValueError: it has no pose.
    """
    pose = city.cameras[index].camera.pose
    if pose is None:
        raise ValueError(f"camera {index} has no pose")
    return replace(
        pose,
        bearing_deg=(pose.bearing_deg + _TURNS_DEG) % 360,
        tilt_deg=pose.tilt_deg + _DROOPS_DEG,
    )


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """From this time on, this is wrong with a camera's connections."""

    at_s: float
    camera: int
    faults: Faults


_ON_THE_LINE: dict[str, dict[str, Any]] = {
    "stall": {"stall": True},
    "drop": {"drop": True},
    "refuse": {"refuse": True},
    "loss": {"loss": 0.03},
    "clock": {"clock_off_s": LOST_CLOCK_S},
}


def connection_faults(scenario: Scenario) -> Iterator[ConnectionChange]:
    """All changes in order of time; without end where the scenario repeats."""
    plans = [plan for plan in scenario.faults if plan.kind in _ON_THE_LINE]
    edges = sorted({t for plan in plans for t in (plan.starts_s, plan.starts_s + plan.lasts_s)})
    start_s = 0.0
    while edges:
        for now in edges:
            for camera in sorted({plan.camera for plan in plans}):
                faults = HEALTHY
                for plan in plans:
                    is_on = plan.starts_s <= now < plan.starts_s + plan.lasts_s
                    if plan.camera == camera and is_on:
                        faults = replace(faults, **_ON_THE_LINE[plan.kind])
                yield ConnectionChange(start_s + now, camera, faults)
        if not scenario.repeats:
            return
        start_s += scenario.seconds
