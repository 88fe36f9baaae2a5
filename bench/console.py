"""The console in a real browser under a city's load: `python -m bench.console`.

The API runs in a process of its own, the changes are committed by this one, and Chromium (software
rendering, as on the machine's own processor) shows the operations screen with 5,000 cameras and 500
open incidents. Told are: what the first load weighs and takes, what the main thread does at rest
and under changes (CPU time in per cent of a core, drawing apart), what a change makes the page
touch, how long an alarm takes from its commit to being seen and heard, and what a shift of eight
hours leaves in the memory. Needs the `test` extra.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import os
import platform
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.async_api import Browser, async_playwright

from api.feed.waking import Waker
from bench.console_city import City
from bench.console_page import PASSWORD, USER, WATCH, Browsing, open_console
from bench.console_shift import FastClock, shift
from bench.feed_processes import process
from bench.feed_servers import api_in_process
from contracts import Hazard, IncidentAction
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.settings import Settings, load_settings

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to do."""

    cameras: int = 5_000
    incidents: int = 500
    changes_per_s: float = 20.0
    seconds: float = 10.0
    alarms: int = 30
    shift_hours: float = 8.0
    shift_speed: float = 120.0
    shift_change_every_s: float = 4.0


async def _steadily(
    plan: Plan, work: Callable[[], Awaitable[object]], seconds: float | None = None
) -> None:
    began = time.monotonic()
    for number in itertools.count(1):
        if number > plan.changes_per_s * (seconds or plan.seconds):
            break
        await work()
        await asyncio.sleep(max(0.0, began + number / plan.changes_per_s - time.monotonic()))


async def _alarm(city: City, console: Browsing) -> dict[str, float]:
    """Milliseconds from the commit of an alarm to the message that tells of it, to its card having
    been painted, and to its sound."""
    incident_id = city.next_id()
    await console.page.evaluate(f"bench.awaited = '{incident_id}'; delete bench.loud")
    await city.found(Hazard.FIRE, 0.98, incident_id)
    committed_ms = time.time() * 1000
    await console.until(f"bench.seen['{incident_id}'] && bench.loud", 20)
    came, seen, heard = await console.page.evaluate(
        f"[bench.came['{incident_id}'], bench.seen['{incident_id}'], bench.loud]"
    )
    await city.act(incident_id, IncidentAction.REJECT, reason="benchmark")
    gone = "document.querySelector('[data-testid=sound]').dataset.state !== 'sounding'"
    await console.until(gone, 20)
    return {
        "message": came - committed_ms,
        "seen": seen - committed_ms,
        "heard": heard - committed_ms,
    }


async def _touched(city: City, console: Browsing) -> tuple[int, int]:
    """How many other cards one change touches, and how many elements it makes anew."""
    await console.page.evaluate("bench.touched.clear(); bench.added = 0")
    incident_id = await city.note()
    await asyncio.sleep(1.0)
    cards, added = await console.page.evaluate("[[...bench.touched], bench.added]")
    return len(set(cards) - {incident_id}), int(added)


async def _under_changes(plan: Plan, city: City, browser: Browser, url: str) -> dict[str, Any]:
    console, found = await open_console(browser, url)
    # Everything that is open has been seen, so that each new alarm begins the sound.
    await city.acknowledge_all()
    await console.page.mouse.click(800, 20)
    await asyncio.sleep(5)
    await console.page.evaluate(WATCH)
    found["rest"] = await console.share(plan.seconds)
    found["notes"] = await console.share(plan.seconds, _steadily(plan, city.note))
    found["refinements"] = await console.share(plan.seconds, _steadily(plan, city.refine))
    touched = [await _touched(city, console) for _ in range(10)]
    found["other_cards_touched"] = max(cards for cards, _ in touched)
    found["elements_made"] = median(added for _, added in touched)
    found["alarms"] = await _alarms(plan, city, console)
    changing = asyncio.create_task(_steadily(plan, city.refine, math.inf))
    found["alarms_amid_refinements"] = await _alarms(plan, city, console)
    changing.cancel()
    await asyncio.gather(changing, return_exceptions=True)
    await console.close()
    # The first desk came to a server that had only just started; this is any other one.
    second, told = await open_console(browser, url)
    await second.close()
    found["another_desk"] = {name: told[name] for name in told if name.endswith("_s")}
    return found


async def _alarms(plan: Plan, city: City, console: Browsing) -> dict[str, str]:
    delays = []
    for _ in range(plan.alarms):
        delays.append(await _alarm(city, console))
        # They come when they come: anywhere between two ticks of the page's clock.
        await asyncio.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - a scenario, no secret
    return {
        name: "p50 {} ms, p95 {} ms".format(*_cuts([one[name] for one in delays]))
        for name in delays[0]
    }


def _cuts(values: list[float]) -> tuple[int, int]:
    return round(median(values)), round(quantiles(values, n=20)[18])


async def _measure(plan: Plan, settings: Settings, say: Say) -> dict[str, Any]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    async with Bus(settings.bus.url or "", settings.bus.namespace) as bus, async_playwright() as pw:
        waker = Waker(bus)
        waking = asyncio.create_task(waker.run())
        browser = await pw.chromium.launch(executable_path=executable, args=FLAGS)

        clock = SystemClock()
        store = await Store.open(settings.database_url, clock)
        store.listen(waker.committed)
        await store.accounts.add(USER, PASSWORD, Role.OPERATOR)
        say(f"{plan.cameras} cameras, {plan.incidents} incidents")
        city = City(store, clock)
        await city.furnish(plan.cameras, plan.incidents)
        say("first load, at rest, under changes, alarms")
        with process(api_in_process, settings) as api:
            url = await asyncio.to_thread(api.recv)
            found = await _under_changes(plan, city, browser, url)
        await store.close()

        if plan.shift_hours:
            say(f"{plan.shift_hours:g} hours, {plan.shift_speed:g} times as fast")
            fast = FastClock(datetime.now(UTC), plan.shift_speed)
            store = await Store.open(settings.database_url, fast)
            store.listen(waker.committed)
            with process(api_in_process, settings, fast) as api:
                url = await asyncio.to_thread(api.recv)
                console, _ = await open_console(browser, url, fast.script())
                found["shift"] = await shift(
                    city.by(store, fast), console, fast, plan.shift_hours, plan.shift_change_every_s
                )
            await store.close()
        await browser.close()
        waking.cancel()
    return found


def main() -> None:
    """Parse what was asked for, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, value in Plan.__dataclass_fields__.items():
        kind = type(value.default)
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=value.default)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    wishes = vars(parser.parse_args())
    as_json = wishes.pop("json")
    with (
        tempfile.TemporaryDirectory(prefix="siaga-bench-") as folder,
        EmbeddedBus(Path(folder)) as bus,
    ):
        settings = load_settings(
            None,
            {
                "SIAGA__DATA_DIR": folder,
                "SIAGA__BUS__URL": bus.url,
                "SIAGA__API__PORT": "0",
                # Nobody touches the desk in its whole shift.
                "SIAGA__API__SESSION_IDLE_MINUTES": "10080",
                "SIAGA__EVIDENCE__MIN_FREE_BYTES": "0",
            },
        )
        found = asyncio.run(
            _measure(Plan(**wishes), settings, lambda text: print(text, file=sys.stderr))
        )
    found["machine"] = {
        "cpus": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 1),
        "processor": platform.machine(),
    }
    if as_json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        for row in value if isinstance(value, list) else [value]:
            print(f"{name:24} {_words(row)}")


def _words(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{name} {one}" for name, one in value.items())


if __name__ == "__main__":
    main()
