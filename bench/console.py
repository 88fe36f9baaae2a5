"""The console in a real browser under a city's load: `python -m bench.console`.

The API runs in a process of its own, the changes are committed by this one, and Chromium (software
rendering, as on the machine's own processor) shows the operations screen with 5,000 cameras and 500
open incidents. Told are: what the first load weighs and takes, what the main thread does at rest
and under changes, what a change makes the page touch, how long an alarm takes from its commit to
being seen and heard, and what a long shift's changes leave in the memory. Needs the `test` extra.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.async_api import Browser, CDPSession, Page, async_playwright

from api.feed.waking import Waker
from bench.console_city import City
from bench.feed_processes import process
from bench.feed_servers import api_in_process
from contracts import Hazard, IncidentAction
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.settings import Settings, load_settings

USER, PASSWORD = "bench", "a long sentence for a benchmark"
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
THREAD = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
WATCH = """() => {
  const told = window.bench = { seen: {}, heard: {}, touched: new Set(), added: 0 };
  const now = () => performance.timeOrigin + performance.now();
  const sound = document.querySelector('[data-testid=sound]');
  const CARD = '[data-incident]';
  let loud = null;
  new MutationObserver(() => { loud = sound.dataset.state === 'sounding' ? now() : null;
    if (loud) told.lastLoud = loud; }).observe(sound, { attributes: true });
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      told.added += addedNodes.length;
      const element = target.nodeType === 1 ? target : target.parentElement;
      const card = element?.closest(CARD);
      // What the clock moves on each card isn't the change's.
      if (card && !element.closest('.time')) told.touched.add(card.dataset.incident);
      for (const node of addedNodes) {
        if (node.nodeType !== 1) continue;
        const cards = node.matches(CARD) ? [node] : node.querySelectorAll(CARD);
        for (const one of cards) {
          requestAnimationFrame(() => { told.seen[one.dataset.incident] ??= now(); });
        }
      }
    }
  }).observe(document.querySelector('[data-testid=queue]'),
             { subtree: true, childList: true, characterData: true, attributes: true });
}"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to do."""

    cameras: int = 5_000
    incidents: int = 500
    changes_per_s: float = 20.0
    seconds: float = 15.0
    alarms: int = 30
    shift_changes: int = 4_000


class Browsing:
    """One console in one tab, and what it costs."""

    def __init__(self, page: Page, devtools: CDPSession) -> None:
        self.page = page
        self._devtools = devtools

    async def thread(self) -> dict[str, float]:
        """Seconds that the main thread has spent so far, by what on."""
        told = await self._devtools.send("Performance.getMetrics")
        return {one["name"]: one["value"] for one in told["metrics"] if one["name"] in THREAD}

    async def share(
        self, seconds: float, meanwhile: Awaitable[None] | None = None
    ) -> dict[str, float]:
        """Per cent of a core that the main thread spends in some seconds."""
        before, began = await self.thread(), time.monotonic()
        await asyncio.gather(asyncio.sleep(seconds), *([meanwhile] if meanwhile else []))
        took, after = time.monotonic() - began, await self.thread()
        return {
            name.removesuffix("Duration").lower(): round(
                (after[name] - before[name]) / took * 100, 1
            )
            for name in THREAD
        }

    async def heap_mb(self) -> float:
        """What is held after everything else was thrown away."""
        await self._devtools.send("HeapProfiler.collectGarbage")
        told = await self._devtools.send("Performance.getMetrics")
        used: float = next(
            one["value"] for one in told["metrics"] if one["name"] == "JSHeapUsedSize"
        )
        return round(used / 1e6, 1)


async def _open(browser: Browser, url: str) -> tuple[Browsing, dict[str, Any]]:
    """Sign in and wait for queue and map; with what the first load weighed and took."""
    context = await browser.new_context(viewport={"width": 1600, "height": 1000})
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    await devtools.send("Performance.enable")
    await devtools.send("Network.enable")
    names: dict[str, str] = {}
    weights: dict[str, float] = {}
    devtools.on(
        "Network.responseReceived", lambda e: names.update({e["requestId"]: e["response"]["url"]})
    )
    devtools.on(
        "Network.loadingFinished",
        lambda e: weights.update({e["requestId"]: e["encodedDataLength"]}),
    )
    began = time.monotonic()
    await page.goto(url, wait_until="commit")
    await page.get_by_test_id("signin-user").fill(USER)
    interactive_s = time.monotonic() - began
    await page.get_by_test_id("signin-password").fill(PASSWORD)
    await page.get_by_test_id("signin-submit").click()
    began = time.monotonic()
    await page.locator("[data-testid=queue] [data-incident]").first.wait_for(timeout=60_000)
    queue_s = time.monotonic() - began
    await _until(page, "window.siaga?.map?.idle() ?? false", 120)
    map_s = time.monotonic() - began
    by_name = [(names.get(key, ""), size / 1e3) for key, size in weights.items()]
    is_map = ("maplibre", "controller", "palette", "stage")
    files = [(name, kb) for name, kb in by_name if "/assets/" in name or name.rstrip("/") == url]
    return Browsing(page, devtools), {
        "first_load_kb": round(
            sum(kb for name, kb in files if not any(w in name for w in is_map)), 1
        ),
        "map_library_kb": round(sum(kb for name, kb in files if any(w in name for w in is_map)), 1),
        "interactive_s": round(interactive_s, 2),
        "queue_after_sign_in_s": round(queue_s, 2),
        "map_after_sign_in_s": round(map_s, 2),
    }


async def _until(page: Page, expression: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not await page.evaluate(expression):
        if time.monotonic() > deadline:
            raise TimeoutError(expression)
        await asyncio.sleep(0.05)


async def _steadily(plan: Plan, work: Callable[[], Awaitable[object]]) -> None:
    count = round(plan.changes_per_s * plan.seconds)
    began = time.monotonic()
    for number in range(count):
        await work()
        await asyncio.sleep(max(0.0, began + (number + 1) / plan.changes_per_s - time.monotonic()))


async def _alarm(city: City, page: Page) -> tuple[float, float]:
    """Milliseconds from the commit of an alarm to its being on the screen, and to its sound."""
    await page.evaluate("delete window.bench.lastLoud")
    incident_id = await city.found(Hazard.FIRE, 0.98)
    committed_ms = time.time() * 1000
    await _until(page, f"window.bench.seen['{incident_id}'] && window.bench.lastLoud", 20)
    seen, heard = await page.evaluate(f"[bench.seen['{incident_id}'], bench.lastLoud]")
    await city.act(incident_id, IncidentAction.REJECT, reason="benchmark")
    gone = "document.querySelector('[data-testid=sound]').dataset.state !== 'sounding'"
    await _until(page, gone, 20)
    return seen - committed_ms, heard - committed_ms


async def _touched(city: City, page: Page) -> tuple[int, int]:
    """How many cards one change touches, and how many elements it makes anew."""
    await page.evaluate("bench.touched.clear(); bench.added = 0")
    incident_id = await city.note()
    await asyncio.sleep(1.0)
    cards, added = await page.evaluate("[[...bench.touched], bench.added]")
    return len(set(cards) - {incident_id}), int(added)


async def _measure(plan: Plan, settings: Settings, say: Callable[[str], None]) -> dict[str, Any]:
    store = await Store.open(settings.database_url, SystemClock())
    await store.accounts.add(USER, PASSWORD, Role.OPERATOR)
    say(f"{plan.cameras} cameras, {plan.incidents} incidents")
    city = City(store)
    await city.furnish(plan.cameras, plan.incidents)
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    async with Bus(settings.bus.url or "", settings.bus.namespace) as bus, async_playwright() as pw:
        waker = Waker(bus)
        store.listen(waker.committed)
        waking = asyncio.create_task(waker.run())
        browser = await pw.chromium.launch(executable_path=executable, args=FLAGS)
        with process(api_in_process, settings) as api:
            url = await asyncio.to_thread(api.recv)
            say("first load")
            console, found = await _open(browser, url)
            # Everything that is open has been seen, so that each new alarm begins the sound.
            for incident_id in city.made:
                now = await store.incidents.get(incident_id)
                if now.state.value == "detected" and now.level.value == "alarm":
                    await city.act(incident_id, IncidentAction.ACKNOWLEDGE)
            await console.page.mouse.click(800, 20)
            await asyncio.sleep(5)
            await console.page.evaluate(WATCH)
            say("at rest, and under changes")
            found["rest"] = await console.share(plan.seconds)
            found["notes"] = await console.share(plan.seconds, _steadily(plan, city.note))
            found["refinements"] = await console.share(plan.seconds, _steadily(plan, city.refine))
            touched = [await _touched(city, console.page) for _ in range(10)]
            found["other_cards_touched"] = max(cards for cards, _ in touched)
            found["elements_made"] = median(added for _, added in touched)
            say(f"{plan.alarms} alarms")
            delays = [await _alarm(city, console.page) for _ in range(plan.alarms)]
            for name, each in zip(("seen", "heard"), zip(*delays, strict=True), strict=True):
                cuts = quantiles(each, n=20)
                found[name] = {"p50_ms": round(median(each)), "p95_ms": round(cuts[18])}
            say("a long shift")
            found["shift"] = await _shift(plan, city, console)
        await browser.close()
        waking.cancel()
    await store.close()
    return found


async def _shift(plan: Plan, city: City, console: Browsing) -> dict[str, Any]:
    """As many changes as hours bring, as fast as they go: incidents come, are refined, and end."""
    heaps = [await console.heap_mb()]
    quarter = plan.shift_changes // 4
    for _ in range(4):
        for number in range(quarter):
            if number % 10:
                await city.refine()
                continue
            incident_id = await city.found(Hazard.CRASH, 0.97)
            await console.page.evaluate("bench.seen = {}") if number % 200 == 0 else None
            await city.act(incident_id, IncidentAction.REJECT, reason="benchmark")
        await asyncio.sleep(3)
        heaps.append(await console.heap_mb())
    return {"changes": quarter * 4, "heap_mb": heaps}


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
        told = (
            value
            if not isinstance(value, dict)
            else ", ".join(f"{k} {v}" for k, v in value.items())
        )
        print(f"{name:24} {told}")


if __name__ == "__main__":
    main()
