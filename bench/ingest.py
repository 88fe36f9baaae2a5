"""`siaga bench ingest`: cameras a core, beside the usual ways of watching the same cameras.

The cameras are simulated and served over real RTSP by a process of their own, which isn't counted.
Each way watches all of them, in a process of its own, one after another. CPU time is user and
system time of that process (for ffmpeg of all its processes, their opening included, which weighs
the more the shorter the run). Where a way falls behind on a crowded machine, its CPU time is
divided by the share of the pictures that it managed (*kept up*): a stream-second is one that was
watched.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.ingest_methods import HOT_FPS, METHODS, OPEN_WITHIN_S
from bench.streams import StreamSpec, served

Say = Callable[[str], None]

DEFAULT_ROWS: Sequence[tuple[str, Sequence[str]]] = (
    ("h264:1280x720@25/2", METHODS),
    ("h264:704x576@15/2", ("siaga-keyframe",)),
    ("h264:1920x1080@25/2", ("siaga-keyframe",)),
    ("h265:1280x720@25/2", ("siaga-keyframe",)),
)
"""The first one beside every other way; the rest ours alone, to stay within two minutes."""
FULL_STREAMS = 4
"""Decoding everything costs ten times as much; so many cameras fit on a small machine."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run."""

    rows: Sequence[tuple[str, Sequence[str]]] = DEFAULT_ROWS
    streams: int = 12
    seconds: float = 8.0


def run(plan: Plan, say: Say = lambda _text: None) -> dict[str, Any]:
    """All rows of the plan.

    Raises:
        RuntimeError: a measurement ended without a figure.
        ValueError: a stream's text is none.
    """
    rows = []
    for text, methods in plan.rows:
        spec = StreamSpec.parse(text)
        with served(spec, plan.streams) as urls:
            for method in methods:
                if method == "ffmpeg" and shutil.which("ffmpeg") is None:
                    say("no ffmpeg on the PATH: left out")
                    continue
                keyframes = method == "ffmpeg" or method.startswith("siaga-keyframe")
                watched = urls if keyframes else urls[:FULL_STREAMS]
                say(f"{spec} x {len(watched)}: {method}, {plan.seconds:g} s")
                rows.append(_row(spec, method, watched, plan.seconds))
    return {"rows": rows, "machine": machine()}


def _row(spec: StreamSpec, method: str, urls: list[str], seconds: float) -> dict[str, Any]:
    measured = subprocess.run(
        [sys.executable, "-m", "bench.ingest_methods", method, str(seconds)],
        input=json.dumps(urls) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        timeout=OPEN_WITHIN_S + seconds + 30,
        check=False,
    )
    if measured.returncode or not measured.stdout:
        raise RuntimeError(f"{method} on {spec} gave no figure (exit {measured.returncode})")
    figures = json.loads(measured.stdout)
    kept_up = min(1.0, figures["pictures_per_s"] / _expected(spec, method))
    cpu_ms = round(figures["cpu_ms_per_stream_s"] / max(kept_up, 0.01), 2)
    return {
        "codec": spec.codec,
        "size": spec.size,
        "fps": spec.fps,
        "gop_s": spec.gop_s,
        "method": method,
        "streams": len(urls),
        **figures,
        "cpu_ms_per_stream_s": cpu_ms,
        "cameras_per_core": int(1000 / cpu_ms) if cpu_ms else None,
        "kept_up": round(kept_up, 2),
    }


def _expected(spec: StreamSpec, method: str) -> float:
    """Pictures a second and camera of a way that keeps up."""
    if method == "cv2":
        return spec.fps
    return min(spec.fps, HOT_FPS) if method == "siaga-full" else 1 / spec.gop_s


def machine() -> str:
    """The machine's facts, for the table's head."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}{load}"


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [
        figures["machine"],
        f"{'stream':28}{'method':21}{'cameras':>8}{'CPU ms a':>10}{'cameras':>9}{'pictures':>10}"
        f"{'kept':>6}{'worst':>8}{'MB a':>8}",
        f"{'':28}{'':21}{'':>8}{'stream-s':>10}{'a core':>9}{'a s':>10}"
        f"{'up':>6}{'gap s':>8}{'camera':>8}",
    ]
    for row in figures["rows"]:
        stream = f"{row['codec']} {row['size']}@{row['fps']} GOP {row['gop_s']:g} s"
        watched = f"{row['live']}/{row['streams']}"
        lines.append(
            f"{stream:28}{row['method']:21}{watched:>8}{row['cpu_ms_per_stream_s']:>10}"
            f"{row['cameras_per_core']:>9}{row['pictures_per_s']:>10}{row['kept_up']:>6}"
            f"{row['worst_gap_s']:>8}{row['rss_mb_per_stream']:>8}"
        )
    return "\n".join(lines)
