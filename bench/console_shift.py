"""A whole shift in minutes: server, city and console live by a clock that runs many times as fast.

What grows in a console grows with changes, with the clock's ticks, or with time that should make it
forget; all three come here as often as a real shift brings them. Incidents are found, refined and
ended, calls come, cameras fall sick and get well, and somebody goes from incident to incident.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.console_city import City
from bench.console_page import Browsing
from contracts import Hazard, IncidentAction

LOOK_EVERY = 100
"""Changes between two looks at another incident."""


@dataclass(frozen=True, slots=True)
class FastClock:
    """The machine's clock until ``began``, and from then on ``speed`` times as fast."""

    began: datetime
    speed: float

    def now(self) -> datetime:
        """See `plumbing.clock.Clock`."""
        real = datetime.now(UTC)
        return real if real < self.began else self.began + (real - self.began) * self.speed

    def monotonic_s(self) -> float:
        """The true one: connections and retries live in this world."""
        return time.monotonic()

    def script(self) -> str:
        """What makes a page live by it: its wall clock, and everything it does at intervals."""
        return f"""(() => {{
          const began = {self.began.timestamp() * 1000}, speed = {self.speed};
          const real = Date.now.bind(Date), every = window.setInterval.bind(window);
          Date.now = () => Math.max(real(), began + (real() - began) * speed);
          window.setInterval = (work, ms, ...rest) => every(work, ms / speed, ...rest);
        }})();"""


async def shift(
    city: City, console: Browsing, clock: FastClock, hours: float, every_s: float
) -> list[dict[str, float]]:
    """Let ``hours`` of the fast clock pass with a change every ``every_s`` of it; what the page
    holds at the beginning, then an hour apart."""
    told = [{"hour": 0, **await console.held(), "changes": 0}]
    start = clock.now()
    changes, hour = 0, 0
    # A first click: from here on it sounds.
    await console.page.mouse.click(800, 20)
    while hour < hours:
        due = start + timedelta(seconds=(changes + 1) * every_s)
        await asyncio.sleep(max(0.0, (due - clock.now()).total_seconds() / clock.speed))
        await _change(city, changes)
        changes += 1
        if changes % LOOK_EVERY == 0:
            await console.page.keyboard.press("j")
        if clock.now() >= start + timedelta(hours=hour + 1):
            hour += 1
            await console.until(f"siaga.state.seq >= {await city.last_seq()}", 60)
            told.append({"hour": hour, **await console.held(), "changes": changes})
    return told


async def _change(city: City, number: int) -> None:
    """Of twenty changes: an alarm that comes and is rejected, calls, cameras, and refinements."""
    match number % 20:
        case 0:
            incident_id = await city.found(Hazard.CRASH, 0.97)
            await city.act(incident_id, IncidentAction.REJECT, reason="benchmark")
        case 5 | 15:
            await city.call()
        case 10:
            await city.health()
        case 12:
            await city.note()
        case _:
            await city.refine()
