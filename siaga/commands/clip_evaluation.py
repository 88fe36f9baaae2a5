"""`siaga eval clips`: every video of a folder through `watch`, and what its truth says of that."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts import CameraId, Sighting
from detection.evaluation import per_hour_95
from siaga.commands.looped import loop_file
from siaga.commands.watch import (
    HOT_EVERY_S,
    Alarm,
    Tier,
    open_watch,
    watch_file,
    watch_frames,
)
from siaga.failures import Failure

VIDEO_SUFFIXES = (".mp4", ".mkv", ".avi", ".mov", ".ts")
EARLY_S = 0.5
"""An alarm this much before the noted onset still counts for it: onsets are noted by eye."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a clip holds: a hazard from `onset_s` on, or nothing."""

    hazard: str | None
    onset_s: float


def read_truth(path: Path) -> dict[str, list[Truth]]:
    """`[{"file", "hazard"|null, "onset_s"}]` by file name: a clip that holds several hazards has as
    many rows. Raises Failure where it isn't that.
    """
    known: dict[str, list[Truth]] = {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(rows, list):
            raise ValueError("no list")
        for row in rows:
            name = row["file"]
            hazard = Sighting(row["hazard"]).value if row["hazard"] is not None else None
            onset_s = float(row.get("onset_s") or 0.0)
            if not math.isfinite(onset_s):
                raise ValueError(f"{name} begins at no time")
            others = known.setdefault(name, [])
            if any((other.hazard is None) is not (hazard is None) for other in others):
                raise ValueError(f"{name} holds a hazard and none")
            if Truth(hazard, onset_s) not in others:
                others.append(Truth(hazard, onset_s))
    except FileNotFoundError:
        raise Failure(f"there is no file {path}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Failure(f"{path}: expected a list of file, hazard and onset_s ({error})") from error
    return known


def judge_clip(truths: Sequence[Truth], alarms: Sequence[Alarm]) -> dict[str, Any]:
    """Delay, miss and false alarms of one clip. Smoke speaks for fire and fire for smoke.

    Of a clip that holds several hazards the first stands like any other, the others in `also`.
    """
    right = [[alarm for alarm in alarms if _fits(alarm, truth)] for truth in truths]
    found = [
        {
            "hazard": truth.hazard,
            "delay_s": round(mine[0].alarmed_s - truth.onset_s, 3) if mine else None,
            "missed": truth.hazard is not None and not mine,
        }
        for truth, mine in zip(truths, right, strict=True)
    ]
    false = sum(not any(alarm in mine for mine in right) for alarm in alarms)
    also = {"also": found[1:]} if len(found) > 1 else {}
    return {**found[0], "false_alarms": false, **also}


def _fits(alarm: Alarm, truth: Truth) -> bool:
    if truth.hazard is None:
        return False
    same = Sighting(alarm.hazard).hazard is Sighting(truth.hazard).hazard
    return same and alarm.alarmed_s >= truth.onset_s - EARLY_S


def clips(
    folder: Annotated[Path, typer.Argument(help="A folder of videos.")],
    truth: Annotated[
        Path | None, typer.Option(help="JSON list of file, hazard (or null), onset_s.")
    ] = None,
    every: Annotated[
        float, typer.Option("--every", min=0.04, max=60.0, help="Seconds between two looks.")
    ] = 1.0,
    tier: Annotated[Tier, typer.Option(help="As for `siaga watch`.")] = Tier.LIVE,
    loop_minutes: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=120.0,
            help="Play the quiet clips of the truth, and no other, over and over for so long, "
            "with brightness and compression varied.",
        ),
    ] = 0.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """Every video of DIR through `watch`: alarms by hazard with times; with truth, delays."""
    if not folder.is_dir():
        raise Failure(f"{folder}: no such folder")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES)
    if not paths:
        raise Failure(f"{folder} holds no video ({', '.join(VIDEO_SUFFIXES)})")
    known = read_truth(truth) if truth is not None else {}
    there = {path.name for path in paths}
    if loop_minutes > 0:
        paths = [p for p in paths if p.name in known and known[p.name][0].hazard is None]
        if not paths:
            raise Failure("--loop-minutes needs a --truth that names quiet clips (hazard null)")
    watch = open_watch()
    rows: list[dict[str, Any]] = []
    for number, path in enumerate(paths, start=1):
        typer.echo(f"{number}/{len(paths)} {path.name}", err=True)
        if loop_minutes > 0:
            camera_id = CameraId(path.name[:80])
            frames = loop_file(path, camera_id, HOT_EVERY_S, loop_minutes)
            alarms, duration_s = watch_frames(watch, path.name, camera_id, frames, every, tier)
        else:
            alarms, duration_s = watch_file(watch, path, every, tier)
        by_hazard: dict[str, list[float]] = {}
        for alarm in alarms:
            by_hazard.setdefault(alarm.hazard, []).append(round(alarm.alarmed_s, 3))
        row: dict[str, Any] = {
            "file": path.name,
            "duration_s": round(duration_s, 3),
            "alarms": [a.to_plain() for a in alarms],
            "by_hazard": by_hazard,
        }
        if path.name in known:
            row |= judge_clip(known[path.name], alarms)
        rows.append(row)
    judged = [row for row in rows if "missed" in row]
    document: dict[str, Any] = {"clips": rows}
    if truth is not None:
        document |= {
            **_false_alarms(judged),
            "quiet": _false_alarms([row for row in judged if row["hazard"] is None]),
            "missed": sum(one["missed"] for row in judged for one in (row, *row.get("also", ()))),
            "not_judged": [row["file"] for row in rows if "missed" not in row],
            "not_there": sorted(known.keys() - there),
        }
        if document["not_there"]:
            absent = ", ".join(document["not_there"])
            typer.echo(f"{truth} names what is not in {folder}: {absent}", err=True)
    typer.echo(json.dumps(document) if as_json else _for_people(document, loop_minutes > 0))


def _for_people(document: dict[str, Any], looped: bool) -> str:
    lines = []
    for row in document["clips"]:
        verdict = ""
        if "missed" in row:
            for one in (row, *row.get("also", ())):
                delay = "" if one["delay_s"] is None else f"delay {one['delay_s']:.1f} s "
                verdict += f"{'MISSED ' if one['missed'] else ''}{delay}"
            verdict += f"false {row['false_alarms']}"
        times = "  ".join(
            f"{h} at {', '.join(f'{t:.1f}' for t in ts)} s" for h, ts in row["by_hazard"].items()
        )
        lines.append(f"{row['file']:<30} {row['duration_s']:6.1f} s  {times or '-':<40} {verdict}")
    if interval := document.get("false_per_hour_95"):
        proof = (
            "the same minutes over and over are no further proof"
            if looped
            else "so little footage proves no low rate"
        )
        lines.append(
            f"false alarms {document['false_alarms']} in {document['watched_s']:.0f} s: "
            f"{document['false_per_hour']:.0f} an hour (95 % {interval[0]:.0f} to "
            f"{interval[1]:.0f}); {proof}"
        )
    return "\n".join(lines)


def _false_alarms(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many these clips brought, and what that says of an hour."""
    watched_s = sum(row["duration_s"] for row in rows)
    false = sum(row["false_alarms"] for row in rows)
    return {
        "watched_s": round(watched_s, 3),
        "false_alarms": false,
        "false_per_hour": false / watched_s * 3600 if watched_s else None,
        "false_per_hour_95": per_hour_95(false, watched_s),
    }
