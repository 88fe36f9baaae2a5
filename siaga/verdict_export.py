"""What operators decided, with the pictures it was about, as a data set to train on.

The folder has the layout of the hazard data: ``hazard_boxes/images`` and ``labels`` (YOLO; an empty
label file is a picture with nothing to see), ``flood_scenes/flood`` and ``dry``. A file is named
``desk_sNNN_ID.jpg``, NNN standing for the camera, so that a split by scene never has one camera on
both sides. ``verdicts.csv`` says of each picture which camera and which model's version it is from,
and what was decided.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contracts import CameraId, EvidenceId, Sighting
from contracts.verdicts import Truth, Verdict
from plumbing.evidence import EvidenceError, EvidenceStore

SOURCE = "desk"
CLASSES = (Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH)
"""In the order of the labels' class numbers."""
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}
_COLUMNS = (
    "file",
    "camera_id",
    "incident_id",
    "track_id",
    "sighting",
    "truth",
    "model_version",
    "score",
    "llr",
    "captured_at",
    "decided_at",
    "actor",
)


@dataclass(slots=True)
class Exported:
    """What became of the verdicts."""

    confirmed: int = 0
    """Pictures that show what was confirmed."""
    rejected: int = 0
    """Pictures that show what is mistaken for a hazard."""
    without_picture: int = 0
    """Verdicts whose picture was never kept, or is gone."""
    problems: list[str] = field(default_factory=list)


def scene_of(camera_id: CameraId) -> str:
    """A number for a camera: the same at every export, and hardly ever another camera's."""
    return str(int.from_bytes(hashlib.sha256(camera_id.encode()).digest()[:5], "big"))


def export_verdicts(verdicts: Iterable[Verdict], evidence: EvidenceStore, folder: Path) -> Exported:
    """Write the data set into a folder; what an earlier export wrote there is written again.

    Several verdicts about one picture are one example: what was confirmed in it is labelled, and
    what was rejected is not.
    """
    boxes, floods = folder / "hazard_boxes", folder / "flood_scenes"
    for needed in (boxes / "images", boxes / "labels", floods / "flood", floods / "dry"):
        needed.mkdir(parents=True, exist_ok=True)
    exported = Exported()
    rows: list[dict[str, object]] = []
    for picture_id, about in _by_picture(verdicts, exported).items():
        try:
            content, media_type = evidence.get(picture_id)
        except EvidenceError as error:
            exported.without_picture += len(about)
            exported.problems.append(str(error))
            continue
        name = f"{SOURCE}_s{scene_of(about[0].camera_id)}_{picture_id[:16]}"
        file = f"{name}{_SUFFIXES.get(media_type, '.jpg')}"
        for path in _write(name, file, content, about, boxes, floods):
            rows += [_row(path.relative_to(folder), verdict) for verdict in about]
        if any(verdict.truth is Truth.CONFIRMED for verdict in about):
            exported.confirmed += 1
        else:
            exported.rejected += 1
    with (folder / "verdicts.csv").open("w", newline="", encoding="utf-8") as file_out:
        writer = csv.DictWriter(file_out, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return exported


def _by_picture(verdicts: Iterable[Verdict], exported: Exported) -> dict[EvidenceId, list[Verdict]]:
    found: dict[EvidenceId, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.picture_id is None:
            exported.without_picture += 1
        else:
            found.setdefault(verdict.picture_id, []).append(verdict)
    return found


def _write(
    name: str, file: str, content: bytes, about: Sequence[Verdict], boxes: Path, floods: Path
) -> list[Path]:
    """Put one picture where its sightings belong; the paths it has got."""
    paths: list[Path] = []
    floody = [verdict for verdict in about if verdict.sighting is Sighting.FLOOD]
    boxed = [verdict for verdict in about if verdict.sighting in CLASSES]
    if floody:
        is_flood = any(verdict.truth is Truth.CONFIRMED for verdict in floody)
        paths.append(floods / ("flood" if is_flood else "dry") / file)
        # A verdict that was changed since the last export has moved.
        (floods / ("dry" if is_flood else "flood") / file).unlink(missing_ok=True)
    if boxed:
        paths.append(boxes / "images" / file)
        lines = [_label(verdict) for verdict in boxed if verdict.truth is Truth.CONFIRMED]
        (boxes / "labels" / f"{name}.txt").write_text("".join(lines))
    for path in paths:
        path.write_bytes(content)
    return paths


def _label(verdict: Verdict) -> str:
    """One line: class, then centre and size as shares of the picture."""
    width, height = verdict.frame_width_px, verdict.frame_height_px
    x0, x1 = (min(max(x / width, 0.0), 1.0) for x in (verdict.box.x0, verdict.box.x1))
    y0, y1 = (min(max(y / height, 0.0), 1.0) for y in (verdict.box.y0, verdict.box.y1))
    numbers = ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0)
    return f"{CLASSES.index(verdict.sighting)} " + " ".join(f"{n:.6f}" for n in numbers) + "\n"


def _row(path: Path, verdict: Verdict) -> dict[str, object]:
    return {
        "file": path.as_posix(),
        "camera_id": verdict.camera_id,
        "incident_id": verdict.incident_id,
        "track_id": verdict.track_id,
        "sighting": verdict.sighting.value,
        "truth": verdict.truth.value,
        "model_version": verdict.model_version,
        "score": f"{verdict.score:.4f}",
        "llr": f"{verdict.llr:.3f}",
        "captured_at": verdict.captured_at.isoformat(),
        "decided_at": verdict.decided_at.isoformat(),
        "actor": verdict.actor,
    }
