"""How loaded the desk is, as figures for Prometheus, from what the log tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from api.metrics import Metrics
from api.wire import EncodedEntry
from contracts import DeskLoad, LogEntry

_Reading = Callable[[DeskLoad], float]

_GAUGES: tuple[tuple[str, str, float, _Reading], ...] = (
    ("siaga_alarm_flood", "1 while there is a flood of alarms", 0, lambda it: bool(it.flood_since)),
    ("siaga_alarms_last_hour", "Alarms of the last hour", 0, lambda it: it.alarms_last_hour),
    ("siaga_alarm_odds_factor", "By what load raises alarms' odds", 1, lambda it: it.odds_factor),
    ("siaga_alarms_chattering", "Areas that are kept quiet", 0, lambda it: len(it.chattering)),
)


class DeskFigures:
    """Gauges of what was told last."""

    def __init__(self, metrics: Metrics, last: Callable[[], Awaitable[DeskLoad | None]]) -> None:
        self._last = last
        self._load: DeskLoad | None = None
        for name, text, untold, reading in _GAUGES:
            metrics.describe(name, "gauge", text)
            metrics.gauge(name, self._gauge(reading, untold))

    def _gauge(self, reading: _Reading, untold: float) -> Callable[[], float]:
        return lambda: untold if self._load is None else float(reading(self._load))

    async def run(self) -> None:
        """Take over what was told before this process began."""
        found = await self._last()
        if self._load is None:
            self._load = found

    def on_entries(self, _encoded: Sequence[EncodedEntry], entries: Sequence[LogEntry]) -> None:
        """Take note of what the feed hands over."""
        for entry in entries:
            if isinstance(entry.subject, DeskLoad):
                self._load = entry.subject
