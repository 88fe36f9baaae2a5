"""What a page's main thread spends its time on, read from Chromium's own trace.

Times are the thread's CPU time, so that what waits for a busy machine isn't counted. Drawing is
what turns a finished page into pictures: the map's frames (WebGL calls of its animation callbacks)
and the browser's paint, layers and commit. What the software renderer then does in the GPU's
process isn't the main thread's, and is told beside it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterable
from typing import Any

from playwright.async_api import Browser, CDPSession

Event = dict[str, Any]

MAP_CHUNKS = ("/stage-", "/maplibre")
"""Files of the build that hold the map library."""
_CATEGORIES = ("toplevel", "devtools.timeline", "v8.execute", "v8", "disabled-by-default-v8.gc")
_TASK = "ThreadControllerImpl::RunTask"
_KINDS = {
    **dict.fromkeys(
        ("PrePaint", "Paint", "Layerize", "Commit", "UpdateLayer", "UpdateLayerTree"), "paint"
    ),
    **dict.fromkeys(
        ("UpdateLayoutTree", "RecalculateStyles", "Layout", "HitTest", "ParseAuthorStyleSheet"),
        "layout",
    ),
    **dict.fromkeys(("MinorGC", "MajorGC", "V8.GCFinalizeMC", "V8.GCScavenger"), "garbage"),
    **dict.fromkeys(
        ("FunctionCall", "EvaluateScript", "EvaluateModule", "v8.compile", "v8.compileModule",
         "RunMicrotasks", "TimerFire", "EventDispatch", "FireAnimationFrame", "v8.callFunction"),
        "script",
    ),
}  # fmt: skip
DRAWING = ("map", "paint")


async def traced(
    devtools: CDPSession, seconds: float, meanwhile: Awaitable[None] | None = None
) -> tuple[list[Event], float]:
    """The trace of some seconds, and how long they truly were."""
    chunks: list[Event] = []
    complete = asyncio.Event()
    devtools.on("Tracing.dataCollected", lambda told: chunks.extend(told["value"]))
    devtools.once("Tracing.tracingComplete", lambda _: complete.set())
    await devtools.send(
        "Tracing.start",
        {"transferMode": "ReportEvents", "traceConfig": {"includedCategories": list(_CATEGORIES)}},
    )
    began = time.monotonic()
    await asyncio.gather(asyncio.sleep(seconds), *([meanwhile] if meanwhile else []))
    took = time.monotonic() - began
    await devtools.send("Tracing.end")
    await complete.wait()
    return chunks, took


def shares(events: Iterable[Event], took_s: float) -> dict[str, float]:
    """Per cent of a core that the page's main thread spent, by kind; its `drawing` and what it
    does `apart` from that add up to all.

    A stretch of time belongs to the innermost event that has a kind. Within one of the map's
    frames everything is the map's.
    """
    spent: dict[str, float] = defaultdict(float)
    for event, own_us, above in _nested(_main_thread(events)):
        spent[_kind(event, above)] += own_us
    drawing = sum(spent[kind] for kind in DRAWING)
    spent["drawing"], spent["apart"] = drawing, sum(spent.values()) - drawing
    return {kind: round(us / took_s / 1e4, 1) for kind, us in spent.items()}


def _kind(event: Event, above: list[Event]) -> str:
    line = [*above, event]
    frame = next((n for n, one in enumerate(line) if one["name"] == "FireAnimationFrame"), None)
    if frame is not None and any(_is_map(one) for one in line[frame:]):
        return "map"
    return next((_KINDS[one["name"]] for one in reversed(line) if one["name"] in _KINDS), "other")


def _is_map(event: Event) -> bool:
    url = str(event.get("args", {}).get("data", {}).get("url", ""))
    return any(chunk in url for chunk in MAP_CHUNKS)


def _main_thread(events: Iterable[Event]) -> list[Event]:
    """The timed events of the thread that ran the most script, by their beginning."""
    by_thread: dict[tuple[int, int], list[Event]] = {}
    calls: Counter[tuple[int, int]] = Counter()
    for event in events:
        if event["ph"] != "X" or "tdur" not in event:
            continue
        thread = (event["pid"], event["tid"])
        by_thread.setdefault(thread, []).append(event)
        calls[thread] += event["name"] == "FunctionCall"
    if not calls:
        raise RuntimeError("the trace holds no events with thread times; is this Chromium?")
    # The longer one of two that begin together holds the other.
    return sorted(by_thread[calls.most_common(1)[0][0]], key=lambda e: (e["ts"], -e["dur"]))


def _nested(events: list[Event]) -> Iterable[tuple[Event, float, list[Event]]]:
    """Each event inside a task with the CPU time that is its own and not its children's (us), and
    the events around it, outermost first."""
    own = [float(event["tdur"]) for event in events]
    lines: list[list[int]] = []
    stack: list[int] = []
    for number, event in enumerate(events):
        while stack and _end(events[stack[-1]]) <= event["ts"]:
            stack.pop()
        if stack:
            own[stack[-1]] -= event["tdur"]
        lines.append(list(stack))
        stack.append(number)
    for number, event in enumerate(events):
        around = [events[one] for one in lines[number]]
        if _TASK in (event["name"], *(one["name"] for one in around)):
            yield event, max(0.0, own[number]), around


def _end(event: Event) -> float:
    return float(event["ts"] + event["dur"])


async def processes_s(browser: Browser) -> dict[str, float]:
    """CPU seconds that the browser's processes have used so far, by what they are for."""
    session = await browser.new_browser_cdp_session()
    told = await session.send("SystemInfo.getProcessInfo")
    await session.detach()
    used: Counter[str] = Counter()
    for one in told["processInfo"]:
        used[one["type"]] += one["cpuTime"]
    return dict(used)
