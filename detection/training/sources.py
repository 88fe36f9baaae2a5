"""The pictures that models are trained on: where they lie, which scene each belongs to, what is
left out and why.

Nothing here is committed with the project. `SIAGA_DATA` names the folder (default `../shared/data`
beside the repository); its `hazards/` folder has the layout described in the model cards.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HAZARD_CLASSES = ("fire", "smoke", "crash")

DESK = "desk"
"""Folder beside the data sets where `siaga train export` puts operators' verdicts to be trained on,
and the prefix of its files."""

RENDERED = "rendered"
"""Folder beside the data sets for what `python -m simulator.flood_pairs` draws: trained on, and
never chosen or reported with."""
RENDER = "render"
"""The prefix of its files."""

LICENCES = {
    "abonia": "CC BY 4.0 (Roboflow fire-wrpgm; Abonia1/YOLOv8-Fire-and-Smoke-Detection)",
    "biplab": "CC BY 4.0 (Roboflow forest-fire-tyoo7; BIPLABMAHAPATRA1951/forest_fire_detection_)",
    "shub": "CC BY 4.0 (Roboflow, by way of shubhankar-shandilya-india/Accident-Detection-Model)",
    "medan": "none stated (sylvany/deteksi-kepadatan-lalu-lintas)",
    "denpasar": "none stated (rai-pramana/Vehicle-AccidentYoloApp)",
    "ukroad": "none stated (informatics-lab/machine-learning-traffic-cams)",
    "fog": "none stated (DAWN, by way of ankitaS11/Vechicle-Detection-in-Adverse-Weather)",
    "yuskun": "CC BY 4.0 (yuskun/object_detected)",
    "indonesia": "CC BY 4.0 (Roboflow universitas-tidar, by way of adeirman46/Level2-FSD)",
    "vnjunction": "CC BY 4.0 (tatthangdz123/Nhan-dien-giao-thong)",
    "rio": "none stated (luisresende13/octa-flood-images)",
    "mishra": "README says MIT, web pictures (Mishra-Kaumod/flood-depth-estimator)",
    "duy": "Apache-2.0 repository, web pictures "
    "(DuyLe3397/Split-inference-for-urban-flood-identification-problem)",
    "jshaffer": "none stated (jshaffer94247/Extracting-Flood-Depths-From-Imagery)",
    "opendatacam": "MIT (opendatacam/opendatacam)",
    "desk": "the operators' own verdicts (`siaga train export`)",
    RENDER: "AGPL-3.0-or-later, drawn by `python -m simulator.flood_pairs`",
}
"""Source prefix to licence as stated by its publisher."""

STATED_LICENCES = frozenset(
    source for source, licence in LICENCES.items() if not licence.startswith("none")
)

EXCLUDED = {
    # Sunsets, sunlit clouds and sunbeams that carry a fire label; found by looking at every warm
    # picture of the source.
    "biplab": frozenset(
        {"129", "206", "223", "304", "360", "637", "639", "688", "689", "1081", "1147"}
    ),
}
"""Scenes left out of training and validation alike, because their labels are wrong."""

_ADVERTISEMENT_AND_STREET = (
    "000 001 002 018 021 024 027 029 031 032 033 037 039 041 044 050 051 052 "
    "105 106 107 108 118 123 124 125 127 136"
)
MERGED_SCENES = {
    # `abonia` numbers near-identical clusters, not clips: the same advertisement, street fire or
    # motorway fire appears under many numbers. Clips are joined by eye, so that no clip stands on
    # both sides of the split.
    "abonia": (
        frozenset(_ADVERTISEMENT_AND_STREET.split()),
        frozenset(["028", "030", "130", "131"]),
        frozenset(["055", "056", "057", "061", "066", "067", "070"]),
        frozenset(["071", "074", "076"]),
        frozenset(
            [
                "077",
                "078",
                "079",
                "082",
                "083",
                "084",
                "086",
                "087",
                "088",
                "089",
                "092",
                "093",
                "095",
            ]
        ),
        frozenset(["099", "113", "116", "119"]),
    ),
}

TRAFFIC_CCTV = frozenset(
    {"shub", "medan", "denpasar", "ukroad", "fog", "rio", "opendatacam", "vnjunction"}
)
"""Sources that look like what the service watches; `fog` is taken from vehicles, and kept for the
weather.
"""

STREETS = frozenset({"yuskun", "indonesia"})
"""Ordinary traffic photographed from the roadside, a scene a picture."""

ONE_CAMERA = frozenset({"medan", "denpasar", "vnjunction", "opendatacam"})
"""Sources that are one camera: one scene, whatever the file's number says."""

_NAME = re.compile(r"^(?P<source>[a-z]+)_(?:s(?P<scene>\d+)|(?P<number>\w+))")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and where it comes from. `labels` is a YOLO label file, or None where there is
    nothing to see.
    """

    path: Path
    source: str
    scene: str
    labels: Path | None
    cluster: str
    """The source's own number of near-identical pictures: a scene can have several."""

    @property
    def scene_key(self) -> str:
        """Source and scene together: what is never divided between splits."""
        return f"{self.source}/{self.scene}"


def data_root() -> Path:
    """The folder of the hazard data. Raises FileNotFoundError that says which variable to set."""
    root = Path(os.environ.get("SIAGA_DATA", "../shared/data")) / "hazards"
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root} is not there: set SIAGA_DATA to the folder that holds `hazards/`"
        )
    return root.resolve()


def source_and_scene(name: str) -> tuple[str, str]:
    """Source prefix and scene of a picture's file name, with clips joined as MERGED_SCENES says.

    Raises ValueError for a name that follows no known pattern.
    """
    match = _NAME.match(name)
    if match is None:
        raise ValueError(f"{name}: expected SOURCE_sSCENE_... or SOURCE_NUMBER")
    source = match["source"]
    if source in ONE_CAMERA:
        return source, "all"
    scene = match["scene"] or match["number"]
    for group in MERGED_SCENES.get(source, ()):
        if scene in group:
            return source, min(group)
    return source, scene


def cluster_of(name: str) -> str:
    """The number in a picture's file name as its source gave it; the name itself without one."""
    match = _NAME.match(name)
    return (match["scene"] or match["number"]) if match else name


def pictures(
    folder: Path, labels: Path | None = None, stated_licence_only: bool = False
) -> Iterator[Picture]:
    """The usable pictures of a folder in the order of their names, without the excluded scenes."""
    for path in sorted(folder.glob("*.jpg")):
        source, scene = source_and_scene(path.name)
        if scene in EXCLUDED.get(source, ()) or (
            stated_licence_only and source not in STATED_LICENCES
        ):
            continue
        label_file = labels / f"{path.stem}.txt" if labels else None
        yield Picture(path, source, scene, label_file, cluster_of(path.name))


def hazard_pictures(root: Path, stated_licence_only: bool = False) -> list[Picture]:
    """Labelled fire, smoke and crash pictures (an empty label file means nothing to see), with what
    operators decided, if that was exported to `desk/`.
    """
    folders = [folder / "hazard_boxes" for folder in (root, root / DESK)]
    return [
        picture
        for folder in folders
        for picture in pictures(folder / "images", folder / "labels", stated_licence_only)
    ]


def flood_pictures(root: Path, kind: str, stated_licence_only: bool = False) -> list[Picture]:
    """Pictures of one `kind`, flood or dry, with what operators decided, as `hazard_pictures`, and
    with what was drawn, if it was drawn to `rendered/`.
    """
    folders = [folder / "flood_scenes" / kind for folder in (root, root / DESK)]
    folders.append(root / RENDERED / kind)
    return [picture for f in folders for picture in pictures(f, None, stated_licence_only)]


def quiet_pictures(root: Path, stated_licence_only: bool = False) -> list[Picture]:
    """Ordinary CCTV with nothing to report: hard negatives, and the measure of false positives."""
    return list(pictures(root / "quiet_scenes", None, stated_licence_only))


def street_pictures(root: Path, stated_licence_only: bool = False) -> list[Picture]:
    """Ordinary traffic and rainy nights from other sets, without fire, smoke or crash: further hard
    negatives.
    """
    folders = (
        root / "vehicle_boxes/images",
        root / "flood_scenes/dry",
        root / "flood_scenes/flood",
    )
    keep = {"yuskun", "indonesia", "vnjunction", "opendatacam", "rio"}
    return [p for f in folders for p in pictures(f, None, stated_licence_only) if p.source in keep]
