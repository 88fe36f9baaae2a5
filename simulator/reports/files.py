"""A city in numbers as the files that ``siaga replay`` reads, and its truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from contracts import CameraPose, Hazard
from simulator.reports.city import NumericCity
from simulator.reports.truth import TrueEvent

CAMERAS, REPORTS, TRUTH = "CAMERAS.geojson", "REPORTS.jsonl", "TRUTH.json"

_PROPERTIES = (
    "height_m",
    "bearing_deg",
    "tilt_deg",
    "roll_deg",
    "hfov_deg",
    "width_px",
    "height_px",
    "range_m",
    "position_sigma_m",
    "height_sigma_m",
    "bearing_sigma_deg",
    "tilt_sigma_deg",
    "roll_sigma_deg",
    "hfov_sigma_pct",
)


def write_city(city: NumericCity, folder: Path) -> tuple[Path, Path, Path]:
    """Writes cameras, reports and truth; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / CAMERAS, folder / REPORTS, folder / TRUTH
    features = [_feature(name, pose) for name, pose in city.poses.items()]
    paths[0].write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    paths[1].write_text("".join(json.dumps(line.plain()) + "\n" for line in city.lines))
    events = [
        {"hazard": e.hazard.value, "xy": list(e.xy), "onset_s": e.onset_s} for e in city.events
    ]
    paths[2].write_text(json.dumps({"events": events, "reports": dict(city.truth)}))
    return paths


def read_truth(path: Path) -> tuple[list[TrueEvent], dict[str, int | None]]:
    """The events, and which one each report is about."""
    plain = json.loads(path.read_text())
    events = [
        TrueEvent(number, Hazard(e["hazard"]), (e["xy"][0], e["xy"][1]), e["onset_s"])
        for number, e in enumerate(plain["events"])
    ]
    return events, plain["reports"]


def _feature(name: str, pose: CameraPose) -> dict[str, Any]:
    values = {key: getattr(pose, key) for key in _PROPERTIES}
    place = [pose.position.lon, pose.position.lat]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": place},
        "properties": {"id": name, **values},
    }
