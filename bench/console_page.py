"""One console in one tab of Chromium: opened, listened to, and asked what it costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from playwright.async_api import Browser, CDPSession, Page

from bench.console_thread import processes_s, shares, traced

USER, PASSWORD = "bench", "a long sentence for a benchmark"
MAP_FILES = ("maplibre", "controller", "palette", "stage")
"""Files that hold the map library and what stands on it."""
HEARD = """() => {
  const told = window.bench = { came: {}, seen: {}, touched: new Set(), added: 0 };
  const now = () => performance.timeOrigin + performance.now();
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...rest) {
    told.loud ??= now();
    return start.apply(this, rest);
  };
  window.WebSocket = class extends WebSocket {
    constructor(...rest) {
      super(...rest);
      this.addEventListener('message', ({ data }) => {
        if (told.awaited && String(data).includes(told.awaited)) told.came[told.awaited] ??= now();
      });
    }
  };
}"""
WATCH = """() => {
  const told = window.bench;
  const now = () => performance.timeOrigin + performance.now();
  const CARD = '[data-incident]';
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
        for (const { dataset: { incident } } of cards) {
          if (incident !== told.awaited) continue;
          // The task after the frame's callbacks begins once the frame has been painted.
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => { told.seen[incident] ??= now(); };
            port2.postMessage(null);
          });
        }
      }
    }
  }).observe(document.querySelector('[data-testid=queue]'),
             { subtree: true, childList: true, characterData: true, attributes: true });
}"""


class Browsing:
    """A console, and what it costs."""

    def __init__(self, browser: Browser, page: Page, devtools: CDPSession) -> None:
        self.page = page
        self._browser = browser
        self._devtools = devtools

    async def share(
        self, seconds: float, meanwhile: Awaitable[None] | None = None
    ) -> dict[str, float]:
        """Per cent of a core that the main thread spends in some seconds, by kind, and the GPU's
        process beside it."""
        before = await processes_s(self._browser)
        events, took_s = await traced(self._devtools, seconds, meanwhile)
        after = await processes_s(self._browser)
        gpu = (after.get("GPU", 0.0) - before.get("GPU", 0.0)) / took_s * 100
        return {**shares(events, took_s), "gpu_process": round(gpu, 1)}

    async def held(self) -> dict[str, float]:
        """What is held after everything else was thrown away."""
        await self._devtools.send("HeapProfiler.collectGarbage")
        told = await self._devtools.send("Performance.getMetrics")
        found = {one["name"]: one["value"] for one in told["metrics"]}
        return {
            "heap_mb": round(found["JSHeapUsedSize"] / 1e6, 1),
            "nodes": int(found["Nodes"]),
            "listeners": int(found["JSEventListeners"]),
        }

    async def until(self, expression: str, seconds: float) -> None:
        """Wait until an expression is true in the page.

        Raises:
            TimeoutError: it didn't become so.
        """
        deadline = time.monotonic() + seconds
        while not await self.page.evaluate(expression):
            if time.monotonic() > deadline:
                raise TimeoutError(expression)
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Close the tab."""
        await self.page.context.close()


async def open_console(
    browser: Browser, url: str, before: str = ""
) -> tuple[Browsing, dict[str, Any]]:
    """Sign in and wait for queue and map; with what the first load weighed and took. ``before`` is
    script that runs in the page before its own."""
    context = await browser.new_context(viewport={"width": 1600, "height": 1000})
    page = await context.new_page()
    await page.add_init_script(f"({HEARD})();{before}")
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
    console = Browsing(browser, page, devtools)
    began = time.monotonic()
    await page.goto(url, wait_until="commit")
    await page.get_by_test_id("signin-user").fill(USER)
    interactive_s = time.monotonic() - began
    await page.get_by_test_id("signin-password").fill(PASSWORD)
    await page.get_by_test_id("signin-submit").click()
    began = time.monotonic()
    await page.locator("[data-testid=queue] [data-incident]").first.wait_for(timeout=60_000)
    queue_s = time.monotonic() - began
    await console.until("window.siaga?.map?.idle() ?? false", 120)
    map_s = time.monotonic() - began
    by_name = [(names.get(key, ""), size / 1e3) for key, size in weights.items()]
    files = [(name, kb) for name, kb in by_name if "/assets/" in name or name.rstrip("/") == url]
    of_map = sum(kb for name, kb in files if any(word in name for word in MAP_FILES))
    return console, {
        "first_load_kb": round(sum(kb for _, kb in files) - of_map, 1),
        "map_library_kb": round(of_map, 1),
        "interactive_s": round(interactive_s, 2),
        "queue_after_sign_in_s": round(queue_s, 2),
        "map_after_sign_in_s": round(map_s, 2),
    }
