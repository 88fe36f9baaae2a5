"""How much a citizens' app may report: a prankster's phone must not fill the map, nor one app's
broken release the desk, while everybody else goes on being heard."""

from __future__ import annotations

import math

from api.buckets import Buckets
from api.problems import Problem
from plumbing.clock import Clock
from plumbing.settings import CallsSettings


class CitizenLimits:
    """Reports of one reporter an hour, and of one app a minute; the counts live in the process."""

    def __init__(self, settings: CallsSettings, clock: Clock) -> None:
        self._settings = settings
        self._reporters = Buckets(clock)
        self._apps = Buckets(clock)

    def require_patience(self, app: str, reporter: str | None) -> None:
        """Count a report that is about to be stored; ``app`` is the key's name.

        Raises:
            Problem: 429 with Retry-After.
        """
        hourly = self._settings.reports_per_reporter_hour
        if reporter is not None:
            wait_s = self._reporters.wait_s(f"{app}\n{reporter}", per_s=hourly / 3600, burst=hourly)
            if wait_s > 0:
                raise _too_many("This reporter has reported", wait_s)
        minutely = self._settings.reports_per_app_minute
        wait_s = self._apps.wait_s(app, per_s=minutely / 60, burst=minutely)
        if wait_s > 0:
            raise _too_many("This app has reported", wait_s)


def _too_many(who: str, wait_s: float) -> Problem:
    return Problem(
        429,
        "too-many-reports",
        f"{who} too often; wait for Retry-After. Who is in danger should call 112.",
        headers={"Retry-After": str(math.ceil(wait_s))},
    )
