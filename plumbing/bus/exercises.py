"""What the simulated city tells of the exercise that it plays."""

from __future__ import annotations

from typing import Any

from contracts import ScenarioReport, from_json, to_json
from plumbing.bus.link import Link


class ExerciseState:
    """The last report; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def publish(self, report: ScenarioReport) -> None:
        """Replace what is known of the city."""
        async with self._link.reached():
            await self._link.quick.set(self._link.key("exercise-state"), to_json(report))

    async def read(self) -> ScenarioReport | None:
        """What the city told last."""
        async with self._link.reached():
            found: Any = await self._link.quick.get(self._link.key("exercise-state"))
        return None if found is None else from_json(ScenarioReport, found)
