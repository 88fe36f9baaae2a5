"""A second detector beside the live one: what it would have said, on a share of the cameras.

Alarms come of many pictures of one camera, so cameras are sampled, not pictures: for ten minutes a
camera's pictures go through both detectors, each with a verification of its own, and what either
finds and would have told is counted. Nothing of the shadow's is sent anywhere.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from contracts import CameraId, Frame, Sighting
from detection.boxes import Boxes
from detection.model_card import ModelCard
from detection.runtime import Detector
from detection.verification import CameraVerifier
from plumbing.logs import get_logger

_log = get_logger(__name__)

PERIOD_S = 600.0
"""How long a camera stays chosen: as long as most tracks need to come and go."""


@dataclass(slots=True)
class Compared:
    """How two detectors did on one kind of hazard, on the same pictures."""

    both: int = 0
    """Pictures in which both found it at their operating points."""
    live_only: int = 0
    shadow_only: int = 0
    neither: int = 0
    live_alarms: int = 0
    """Tracks that were confirmed, and that would have been."""
    shadow_alarms: int = 0

    @property
    def agreement(self) -> float | None:
        """Cohen's kappa: 1 where they always agree, 0 where no more than by chance; None where one
        of them never or always finds it.
        """
        total = self.both + self.live_only + self.shadow_only + self.neither
        if not total:
            return None
        live, shadow = (self.both + self.live_only) / total, (self.both + self.shadow_only) / total
        chance = live * shadow + (1 - live) * (1 - shadow)
        if chance == 1.0 or live in (0.0, 1.0) or shadow in (0.0, 1.0):
            return None
        return ((self.both + self.neither) / total - chance) / (1 - chance)

    def add(self, other: Compared) -> None:
        """Count another's figures too."""
        for name in asdict(other):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class ShadowFigures:
    """Of one pair of models."""

    live: str
    shadow: str
    pictures: int = 0
    camera_s: float = 0.0
    """How long cameras were watched by both."""
    by_sighting: dict[str, Compared] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """JSON form, with the agreement worked out."""
        plain = asdict(self)
        for name, compared in self.by_sighting.items():
            plain["by_sighting"][name]["agreement"] = compared.agreement
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ShadowFigures:
        """From the JSON form. Raises KeyError or TypeError where it is none."""
        by_sighting = {
            name: Compared(**{k: int(v) for k, v in given.items() if k != "agreement"})
            for name, given in plain["by_sighting"].items()
        }
        return cls(
            plain["live"],
            plain["shadow"],
            int(plain["pictures"]),
            float(plain["camera_s"]),
            by_sighting,
        )


class _Pair:
    """One camera's two verifications during one period."""

    def __init__(self, camera_id: CameraId, live: ModelCard, shadow: ModelCard) -> None:
        self.live = CameraVerifier(camera_id, live)
        self.shadow = CameraVerifier(camera_id, shadow)
        self.told: set[tuple[str, str]] = set()
        self.last_s: float | None = None


class Shadow:
    """Runs the shadow and counts. One thread at a time."""

    def __init__(
        self, live: ModelCard, shadow: Detector, share: float, report: Path | None = None
    ) -> None:
        """`share`: of the cameras, at any time; `report`: where figures are kept across restarts.

        Figures of another pair of models in that file are begun anew.
        """
        self._live = live
        self._shadow = shadow
        self._share = share
        self._report = report
        self._pairs: dict[CameraId, tuple[int, _Pair]] = {}
        self.figures = self._read() or ShadowFigures(live.version, shadow.version)

    def look(self, frames: Sequence[Frame], boxes: Sequence[Boxes]) -> None:
        """Compare on those of a batch whose cameras are chosen; `boxes` are the live one's."""
        chosen = [i for i, frame in enumerate(frames) if self._is_chosen(frame)]
        if not chosen:
            return
        found = self._shadow.detect([frames[i].image for i in chosen])
        for i, theirs in zip(chosen, found, strict=True):
            self._compare(frames[i], boxes[i], theirs)

    def save(self) -> None:
        """Write the figures; what can't be written is said."""
        if self._report is None:
            return
        try:
            self._report.parent.mkdir(parents=True, exist_ok=True)
            part = self._report.with_suffix(".part")
            part.write_text(json.dumps(self.figures.to_plain(), indent=1))
            part.replace(self._report)
        except OSError as error:
            _log.error("the shadow's figures can't be kept", why=error.strerror)

    def _read(self) -> ShadowFigures | None:
        if self._report is None or not self._report.is_file():
            return None
        try:
            figures = ShadowFigures.from_plain(json.loads(self._report.read_text()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("the shadow's figures can't be read; begun anew", why=str(error))
            return None
        same = (figures.live, figures.shadow) == (self._live.version, self._shadow.version)
        return figures if same else None

    def _is_chosen(self, frame: Frame) -> bool:
        period = int(frame.captured_at.timestamp() // PERIOD_S)
        lot = zlib.crc32(f"{frame.camera_id}/{period}".encode()) / 2**32
        known = self._pairs.get(frame.camera_id)
        if lot >= self._share:
            self._pairs.pop(frame.camera_id, None)
            return False
        if known is None or known[0] != period:
            pair = _Pair(frame.camera_id, self._live, self._shadow.card)
            self._pairs[frame.camera_id] = (period, pair)
        return True

    def _compare(self, frame: Frame, live: Boxes, shadow: Boxes) -> None:
        pair = self._pairs[frame.camera_id][1]
        self.figures.pictures += 1
        at_s = frame.captured_at.timestamp()
        if pair.last_s is not None:
            self.figures.camera_s += max(0.0, at_s - pair.last_s)
        pair.last_s = at_s
        for name in {*self._live.classes, *self._shadow.classes} & {s.value for s in Sighting}:
            counts = self.figures.by_sighting.setdefault(name, Compared())
            ours, theirs = _finds(self._live, live, name), _finds(self._shadow.card, shadow, name)
            counts.both += ours and theirs
            counts.live_only += ours and not theirs
            counts.shadow_only += theirs and not ours
            counts.neither += not ours and not theirs
        for which, verifier, boxes in (
            ("live_alarms", pair.live, live),
            ("shadow_alarms", pair.shadow, shadow),
        ):
            size = (frame.image.shape[1], frame.image.shape[0])
            for detection in verifier.update(
                frame.captured_at, frame.received_at, boxes, None, size, frame.image
            ):
                if (which, detection.track_id) not in pair.told:
                    pair.told.add((which, detection.track_id))
                    counts = self.figures.by_sighting[detection.sighting.value]
                    setattr(counts, which, getattr(counts, which) + 1)


def _finds(card: ModelCard, boxes: Boxes, name: str) -> bool:
    if name not in card.classes:
        return False
    mine = boxes.scores[boxes.class_ids == card.classes.index(name)]
    return bool(np.any(mine >= card.operating_points[Sighting(name)]))


def read_reports(folder: Path) -> list[ShadowFigures]:
    """What all workers of an installation have counted, a pair of models each."""
    merged: dict[tuple[str, str], ShadowFigures] = {}
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        figures = ShadowFigures.from_plain(json.loads(path.read_text()))
        key = (figures.live, figures.shadow)
        total = merged.setdefault(key, ShadowFigures(*key))
        total.pictures += figures.pictures
        total.camera_s += figures.camera_s
        for name, counts in figures.by_sighting.items():
            total.by_sighting.setdefault(name, Compared()).add(counts)
    return list(merged.values())


def table(reports: Iterable[ShadowFigures]) -> str:
    """The figures for people."""
    lines: list[str] = []
    for figures in reports:
        hours = figures.camera_s / 3600
        lines += [
            f"live {figures.live}, shadow {figures.shadow}: {figures.pictures} pictures, "
            f"{hours:.1f} camera-hours",
            f"  {'':8}{'both':>8}{'live only':>11}{'shadow only':>13}{'neither':>10}"
            f"{'kappa':>8}{'alarms live':>13}{'shadow':>8}",
        ]
        for name, c in sorted(figures.by_sighting.items()):
            kappa = "-" if c.agreement is None else f"{c.agreement:.2f}"
            lines.append(
                f"  {name:8}{c.both:>8}{c.live_only:>11}{c.shadow_only:>13}{c.neither:>10}"
                f"{kappa:>8}{c.live_alarms:>13}{c.shadow_alarms:>8}"
            )
    return "\n".join(lines) or "no shadow has run here (detection.shadow)"
