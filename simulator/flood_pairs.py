"""`python -m simulator.flood_pairs DIR`: junctions dry and under water, for training alone.

    DIR/flood/render_sSEED_CAMERA-N.jpg    water over a good part of the lower picture
    DIR/dry/render_sSEED_CAMERA-N.jpg      the same camera before it rose

Every junction has its own seed, light, weather and depth of water; half of them have wet asphalt
too, which is no flood. Named so that `siaga train flood` takes one junction for one scene. Rendered
pictures may take part in training, never in the validation on real footage.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from contracts import LonLat
from simulator.city import City
from simulator.scenario import Scenario
from simulator.scene import fluid
from simulator.scene.conditions import ALL, Conditions
from simulator.scene.view import CameraView
from simulator.views import view_of

LEAST_COVER = 0.12
"""Share of the lower picture under water from which on it is called flooded."""
_LOWER = 0.35
"""The picture below this share of its height counts: above it is the street's far end."""
_FIRST_SEED = 1000
_CAMERAS_A_JUNCTION = 2
_MASTS = ("Barat", "Timur", "Utara", "Selatan")
_DRY_S, _FLOODED_S = ((5.0, 40.0), (45.0, 90.0)), ((135.0, 180.0), (185.0, 250.0))
"""When pictures are taken: the water rises at 100 s and is full at 130 s."""
_FLOOD_ID = "flood"
_WALL = datetime(2026, 11, 22, 3, tzinfo=UTC)
_CENTRE = LonLat(106.992, -6.2383)


def flood_pairs(folder: Path, junctions: int, first_seed: int = _FIRST_SEED) -> int:
    """Write so many junctions' pictures; the number of pictures comes back.

    Raises:
        OSError: the folder can't be written to.
    """
    for kind in ("dry", "flood"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    flames = fluid.simulate(first_seed)
    count = 0
    for seed in range(first_seed, first_seed + junctions):
        rng = np.random.default_rng(seed)
        city = City.of(_scenario(seed, rng), _CENTRE)
        for index in rng.permutation(len(_MASTS))[:_CAMERAS_A_JUNCTION].tolist():
            view = view_of(city, index, flames, under=_some_light(rng))
            count += _write(folder, f"render_s{seed:04d}_{index}", view, rng)
    return count


def _scenario(seed: int, rng: np.random.Generator) -> Scenario:
    def spot(along_m: float, across_m: float) -> dict[str, float]:
        a, b = rng.uniform(-1.0, 1.0, 2).tolist()
        return {"junction": 0, "a": a * along_m, "b": b * across_m}

    flood = {
        "id": _FLOOD_ID, "kind": "flood", "at": spot(5.0, 4.0), "starts_s": 100, "lasts_s": 190,
        "rises_s": 30, "recedes_s": 30, "depth_m": float(rng.uniform(0.25, 0.8)),
        "reach_a_m": float(rng.uniform(14, 32)), "reach_b_m": float(rng.uniform(8, 16)),
    }  # fmt: skip
    sheen = {
        "kind": "wet_asphalt", "at": spot(8.0, 4.0), "starts_s": 0, "lasts_s": 90,
        "size": float(rng.uniform(0.6, 1.6)),
    }  # fmt: skip
    return Scenario.model_validate(
        {
            "name": f"flood-pairs-{seed}",
            "title": "A junction before and in a flood",
            "seconds": 300,
            "seed": seed,
            "traffic": float(rng.uniform(0.3, 1.5)),
            "walkers": int(rng.integers(2, 24)),
            "map": {"junctions": 1},
            "cameras": [{"junction": 0, "mast": mast} for mast in _MASTS],
            "events": [flood, sheen] if rng.random() < 0.5 else [flood],
        }
    )


def _some_light(rng: np.random.Generator) -> Conditions:
    """One of the library's conditions, lighter or darker, noisier and wetter by chance."""
    usual = ALL[int(rng.integers(len(ALL)))]
    gain = rng.uniform(0.75, 1.2) * rng.uniform(0.93, 1.07, 3)
    red, green, blue = np.minimum(1.0, np.array(usual.light) * gain).tolist()
    wetter = float(rng.uniform(0.0, 0.6)) if rng.random() < 0.3 else 0.0
    return replace(
        usual,
        light=(red, green, blue),
        noise_sigma=usual.noise_sigma * float(rng.uniform(0.5, 1.6)),
        wet=min(1.0, usual.wet + wetter),
        dirt=float(rng.uniform(0.0, 0.5)) if rng.random() < 0.2 else usual.dirt,
    )


def _write(folder: Path, name: str, view: CameraView, rng: np.random.Generator) -> int:
    count = 0
    for number, (kind, between_s) in enumerate(
        [*(("dry", span) for span in _DRY_S), *(("flood", span) for span in _FLOODED_S)]
    ):
        at_s = float(rng.uniform(*between_s))
        shot = view.shoot(at_s, _WALL + timedelta(seconds=at_s), truth=True)
        seen = shot.seen.get(_FLOOD_ID)
        cover = 0.0 if seen is None else float(seen.mask[int(_LOWER * view.height_px) :].mean())
        if kind == "flood" and cover < LEAST_COVER:
            continue
        quality = int(rng.integers(55, 95))
        picture = cv2.cvtColor(np.ascontiguousarray(shot.picture), cv2.COLOR_RGB2BGR)
        coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        (folder / kind / f"{name}-{number}.jpg").write_bytes(coded.tobytes())
        count += 1
    return count


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Rendered junctions, dry and flooded.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--junctions", type=int, default=80)
    parser.add_argument("--first-seed", type=int, default=_FIRST_SEED)
    given = parser.parse_args()
    count = flood_pairs(given.folder, given.junctions, given.first_seed)
    print(f"{given.folder}: {count} pictures")


if __name__ == "__main__":
    main()
