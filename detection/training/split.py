"""Which scenes are held back. Decided by a hash of the scene's name, so that it is the same
everywhere and for ever.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from detection.training.sources import Picture

SALT = "siaga-118"
"""Chosen among four hundred before any training, by composition alone: clips of every source on
either side.
"""

VALIDATION_SHARE = {"quiet": 0.4, "default": 0.18}
_QUIET = frozenset({"medan", "denpasar", "ukroad", "fog"})


@dataclass(frozen=True, slots=True)
class Split:
    """Training pictures and validation pictures; no scene is in both."""

    train: tuple[Picture, ...]
    validation: tuple[Picture, ...]

    def digest(self) -> str:
        """SHA-256 of the two lists of names: says whether two trainings used the same split."""
        lines = [f"train {p.path.name}" for p in self.train] + [
            f"val {p.path.name}" for p in self.validation
        ]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def table(self) -> str:
        """Pictures and scenes by source in either part, as lines to print."""
        sources = sorted({p.source for p in (*self.train, *self.validation)})
        rows = [f"{'source':<12}{'train pictures/scenes':>24}{'validation':>16}"]
        for source in sources:
            cells = []
            for part in (self.train, self.validation):
                mine = [p for p in part if p.source == source]
                cells.append(f"{len(mine)}/{len({p.scene for p in mine})}")
            rows.append(f"{source:<12}{cells[0]:>24}{cells[1]:>16}")
        return "\n".join(rows)


def fraction_of(key: str, salt: str = SALT) -> float:
    """A number in [0, 1) that depends on the key alone."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{key}".encode()).digest()[:8], "big") / 2**64


def is_held_back(picture: Picture, salt: str = SALT) -> bool:
    """Whether the picture's whole scene is held back for validation."""
    share = VALIDATION_SHARE["quiet" if picture.source in _QUIET else "default"]
    return fraction_of(picture.scene_key, salt) < share


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
    pictures: Sequence[Picture], caps: Caps, held_back: Callable[[Picture], bool] = is_held_back
) -> Split:
    """Divide by scene; training pictures are capped, validation pictures are all kept."""
    validation = tuple(sorted((p for p in pictures if held_back(p)), key=lambda p: p.path.name))
    return Split(tuple(cap((p for p in pictures if not held_back(p)), caps)), validation)
