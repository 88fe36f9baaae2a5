"""`siaga bench feed`, its last part: from a camera's picture to a message at a reader.

The whole system runs as `siaga demo` starts it, on a folder of its own, with the simulated city's
cameras over real RTSP. A reader follows the feed; each time a message names a detection for the
first time, the delay runs from the detection's picture (its arrival at the worker, and its capture
at the camera) to the message's arrival here. What a worker sees while a camera is quiet costs the
same, but says nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import environ
from pathlib import Path
from typing import Any

from contracts import Detection, ReportId
from incidents.errors import NotFound
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.settings import load_settings
from siaga.feed_client import Change, follow_feed

STARTED_WITHIN_S = 60.0

Say = Callable[[str], None]


@dataclass(slots=True)
class _Seen:
    """When each report was first named by a message."""

    at: dict[ReportId, datetime] = field(default_factory=dict)

    def take(self, change: Change, now: datetime) -> None:
        """Note the reports of an incident's change that no earlier one named."""
        if not change.kind.startswith("incident."):
            return
        for report_id in change.subject["estimate"]["report_ids"]:
            self.at.setdefault(ReportId(report_id), now)


def run(seconds: float = 75.0, cameras: int = 4, say: Say = lambda _text: None) -> dict[str, Any]:
    """Run the demonstration for so long after its start; returns the figures."""
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as folder:
        say(f"the whole system, {cameras} simulated cameras, {seconds:g} s")
        with _demonstration(Path(folder), cameras) as url:
            return asyncio.run(_measure(Path(folder) / "demo", url, seconds))


async def _measure(data_dir: Path, url: str, seconds: float) -> dict[str, Any]:
    settings = load_settings(None, {"SIAGA__DATA_DIR": str(data_dir)})
    store = await Store.open(settings.database_url, SystemClock())
    try:
        key = await store.keys.issue("bench", Role.VIEWER)
        seen = _Seen()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for item in follow_feed(url, key=key):
                    if isinstance(item, Change):
                        seen.take(item, datetime.now(UTC))
        arrival_ms: list[float] = []
        capture_ms: list[float] = []
        for report_id, at in seen.at.items():
            try:
                body = (await store.reports.by_id(report_id)).body
            except NotFound:
                continue
            if isinstance(body, Detection):
                arrival_ms.append((at - body.received_at).total_seconds() * 1000)
                capture_ms.append((at - body.captured_at).total_seconds() * 1000)
    finally:
        await store.close()
    return {
        "detections": len(arrival_ms),
        "arrival_to_client_p50_ms": _quantile(arrival_ms, 0.50),
        "arrival_to_client_p95_ms": _quantile(arrival_ms, 0.95),
        "capture_to_client_p50_ms": _quantile(capture_ms, 0.50),
        "capture_to_client_p95_ms": _quantile(capture_ms, 0.95),
    }


@contextlib.contextmanager
def _demonstration(folder: Path, cameras: int) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "siaga", "demo", "--cameras", str(cameras)],
        env={**environ, "SIAGA__DATA_DIR": str(folder), "SIAGA__API__PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    lines: list[str] = []

    reader = threading.Thread(target=_follow, args=(process, lines), daemon=True)
    reader.start()
    try:
        yield _address(process, lines)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        reader.join(5)


def _follow(process: subprocess.Popen[str], lines: list[str]) -> None:
    if process.stdout is None:
        raise RuntimeError("the demonstration was started without a pipe")
    lines.extend(process.stdout)


def _address(process: subprocess.Popen[str], lines: list[str]) -> str:
    """The address, once all roles run.

    Raises:
        RuntimeError: the demonstration ended or did not start in time; holds what it wrote.
    """
    deadline_s = time.monotonic() + STARTED_WITHIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        text = "".join(lines)
        found = re.search(r"(http://\S+)", text)
        if found and "city: ready" in text:
            return found.group(1)
        time.sleep(0.2)
    raise RuntimeError(f"the demonstration did not start:\n{''.join(lines)[-2000:]}")


def _quantile(values: list[float], share: float) -> float | None:
    if len(values) < 2:
        return None
    return round(statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1], 1)


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    return "\n".join(
        (
            f"{figures['detections']} detections through the whole system",
            f"  picture arrived to reader ms   p50 {figures['arrival_to_client_p50_ms']}"
            f"  p95 {figures['arrival_to_client_p95_ms']}",
            f"  picture taken to reader ms     p50 {figures['capture_to_client_p50_ms']}"
            f"  p95 {figures['capture_to_client_p95_ms']}",
        )
    )
