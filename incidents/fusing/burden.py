"""Tells all readers how the desk is doing: that a flood of alarms has begun, what it is made of,
what is held back on its account, and that it is over."""

from __future__ import annotations

from datetime import timedelta

from contracts import AlarmGroup, DeskLoad, Hazard
from incidents.fusing.alarms import LOAD_OVER, AlarmPolicy
from incidents.fusing.loads import DeskLoads
from plumbing.clock import Clock
from plumbing.logs import get_logger

_log = get_logger(__name__)

PAUSE = timedelta(seconds=10)
"""Between two entries, but for a flood's beginning and end, which are told at once."""
FACTOR_STEP = 0.1
"""Share by which the odds that alarms need must change to be told."""


class Burden:
    """For the process that leads; see the module."""

    def __init__(self, loads: DeskLoads, alarms: AlarmPolicy, clock: Clock) -> None:
        self._loads = loads
        self._alarms = alarms
        self._clock = clock
        self._told: DeskLoad | None = None

    async def recall(self) -> None:
        """Take over what the database holds; for a new leader."""
        self._alarms.recall(await self._loads.alarms_since(self._clock.now() - LOAD_OVER))
        self._told = await self._loads.last()

    async def tell(self, fencing: int) -> None:
        """Tell where there is news.

        Raises:
            FencedOff: another writer has taken over.
        """
        load = self._alarms.load(self._clock.now())
        if not is_news(self._told, load):
            return
        await self._loads.tell(load, fencing=fencing)
        if load.flood_since is not None and (self._told is None or not self._told.flood_since):
            groups = [f"{one.hazard.value} {one.place_name}: {one.count}" for one in load.groups]
            _log.warning("alarm flood", alarms=load.alarms_last_ten_minutes, groups=groups)
        self._told = load


def is_news(told: DeskLoad | None, load: DeskLoad) -> bool:
    """Whether readers should hear of a load."""
    if told is None:
        return load.flood_since is not None or load.odds_factor > 1 or bool(load.chattering)
    if (told.flood_since is None) != (load.flood_since is None):
        return True
    if load.at - told.at < PAUSE:
        return False
    return (
        abs(load.odds_factor - told.odds_factor) >= FACTOR_STEP * told.odds_factor
        or (load.odds_factor == 1) != (told.odds_factor == 1)
        or _places(load.chattering) != _places(told.chattering)
        or load.groups != told.groups
    )


def _places(groups: tuple[AlarmGroup, ...]) -> set[tuple[Hazard, str]]:
    return {(one.hazard, one.place_name) for one in groups}
