"""kill -9 of the fusion process; `siaga bench fusion --kills 100` deals more blows."""

from __future__ import annotations

from bench.fusion import killing
from bench.fusion.cities import made_city
from simulator.reports import CityAssumptions
from simulator.reports.assumptions import sized


async def test_who_is_killed_at_work_changes_nothing_in_the_outcome() -> None:
    day = sized(CityAssumptions(), side_m=3_000.0, cameras=60, hours=24.0)
    figures = await killing.kill_through(made_city(day, 3), kills=2, seed=3)
    assert figures["reports"] > 40 and figures["incidents"] > 10
    assert {name: figures[name] for name in killing.FAULTS} == dict.fromkeys(killing.FAULTS, 0)
