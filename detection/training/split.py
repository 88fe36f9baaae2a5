"""Which scenes are trained on, which choose (checkpoint, curves, operating points) and which only
report.

Decided by a hash of the scene's name, so that it is the same everywhere and for ever. Figures of
the scenes that chose would flatter: those that report are looked at when everything is settled.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from detection.training.sources import RENDER, Picture

SALT = "siaga-118"
"""Chosen among four hundred before any training, by composition alone: clips of every source on
either side.
"""

CHOOSE_SALT = "siaga-choose-39"
"""Chosen like SALT: divides what is held back into halves of like composition."""

HELD_BACK_SHARE = {"quiet": 0.4, "default": 0.18}
_QUIET = frozenset({"medan", "denpasar", "ukroad", "fog"})


class Part(StrEnum):
    """What a picture is for."""

    TRAIN = "train"
    CHOOSE = "choose"
    REPORT = "report"


DIVIDED_CLIPS: Mapping[str, Mapping[str, Part]] = {
    # The only motorway fire: too dear to be left out of training. Its clusters of near-identical
    # frames are kept apart, as its source does; figures on it are not figures on a new scene.
    "abonia/055": {
        "057": Part.TRAIN,
        "055": Part.CHOOSE,
        "061": Part.CHOOSE,
        "056": Part.REPORT,
        "066": Part.REPORT,
        "067": Part.REPORT,
        "070": Part.REPORT,
    },
}
"""Clips whose clusters are on several sides: scene key to cluster to part."""


@dataclass(frozen=True, slots=True)
class Split:
    """The pictures of each part; no scene is in two, but for the DIVIDED_CLIPS."""

    train: tuple[Picture, ...]
    choose: tuple[Picture, ...]
    report: tuple[Picture, ...]
    spare: tuple[Picture, ...] = ()
    """Of the scenes to train on, what the caps left out: never seen by the model."""

    def parts(self) -> dict[Part, tuple[Picture, ...]]:
        """The pictures by part."""
        return {Part.TRAIN: self.train, Part.CHOOSE: self.choose, Part.REPORT: self.report}

    def digest(self) -> str:
        """SHA-256 of the lists of names: says whether two trainings used the same split."""
        lines = [f"{part} {p.path.name}" for part, mine in self.parts().items() for p in mine]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def table(self) -> str:
        """Pictures and scenes by source in each part, as lines to print."""
        sources = sorted({p.source for mine in self.parts().values() for p in mine})
        rows = [f"{'source':<12}" + "".join(f"{part:>16}" for part in Part) + "  pictures/scenes"]
        for source in sources:
            row = f"{source:<12}"
            for pictures in self.parts().values():
                mine = [p for p in pictures if p.source == source]
                row += f"{f'{len(mine)}/{len({p.scene for p in mine})}':>16}"
            rows.append(row)
        return "\n".join(rows)


def fraction_of(key: str, salt: str = SALT) -> float:
    """A number in [0, 1) that depends on the key alone."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{key}".encode()).digest()[:8], "big") / 2**64


def part_of(picture: Picture) -> Part:
    """The part of the picture's whole scene (of its cluster, in a divided clip)."""
    if picture.source == RENDER:
        return Part.TRAIN
    divided = DIVIDED_CLIPS.get(picture.scene_key)
    if divided is not None:
        return divided.get(picture.cluster, Part.REPORT)
    share = HELD_BACK_SHARE["quiet" if picture.source in _QUIET else "default"]
    if fraction_of(picture.scene_key) >= share:
        return Part.TRAIN
    return Part.CHOOSE if fraction_of(picture.scene_key, CHOOSE_SALT) < 0.5 else Part.REPORT


@dataclass(frozen=True, slots=True)
class Caps:
    """How much of a source one epoch sees, so that no long clip and no easy source outweighs."""

    cluster: int
    """Pictures of one cluster of near-identical frames."""
    cluster_of_source: Mapping[str, int] = field(default_factory=dict)
    """The same, where a source wants another number."""
    source: Mapping[str, int] = field(default_factory=dict)
    """Pictures of a source in all; absent means no limit."""


def cap(pictures: Iterable[Picture], caps: Caps) -> list[Picture]:
    """The pictures that the caps leave, chosen by hash, in the order of their names."""
    taken: Counter[str] = Counter()
    kept: list[Picture] = []
    for picture in sorted(pictures, key=lambda p: fraction_of(p.path.name)):
        cluster = f"{picture.source}/{picture.cluster}"
        at_most = caps.cluster_of_source.get(picture.source, caps.cluster)
        limit = caps.source.get(picture.source)
        source_full = limit is not None and taken[picture.source] >= limit
        if taken[cluster] < at_most and not source_full:
            taken[cluster] += 1
            taken[picture.source] += 1
            kept.append(picture)
    return sorted(kept, key=lambda p: p.path.name)


def split(
    pictures: Sequence[Picture], caps: Caps, part: Callable[[Picture], Part] = part_of
) -> Split:
    """Divide by scene; training pictures are capped, the others are all kept."""
    mine: dict[Part, list[Picture]] = {p: [] for p in Part}
    for picture in sorted(pictures, key=lambda p: p.path.name):
        mine[part(picture)].append(picture)
    train = cap(mine[Part.TRAIN], caps)
    seen = {p.path for p in train}
    spare = tuple(p for p in mine[Part.TRAIN] if p.path not in seen)
    return Split(tuple(train), tuple(mine[Part.CHOOSE]), tuple(mine[Part.REPORT]), spare)
