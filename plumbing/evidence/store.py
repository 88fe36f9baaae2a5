"""What every evidence store does, and how it fails."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from contracts import EvidenceId

SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "application/json": ".json",
    "application/pdf": ".pdf",
}
MEDIA_TYPES = {suffix: media_type for media_type, suffix in SUFFIXES.items()}


class EvidenceError(Exception):
    """The one family of the store's errors."""


class EvidenceMissing(EvidenceError):
    """Nothing is kept under this id (any more)."""


class EvidenceDamaged(EvidenceMissing):
    """What is kept under this id is not what was put there; it is not handed out."""


class EvidenceFull(EvidenceError):
    """The disk has no room for more evidence; free some or set evidence.folder elsewhere."""


def suffix_of(content: bytes, media_type: str) -> str:
    """What ends the name that content is kept under.

    Raises:
        ValueError: nothing to keep, or a media type that is none of ours.
    """
    suffix = SUFFIXES.get(media_type)
    if suffix is None:
        raise ValueError(f"evidence of type {media_type!r}; known: {', '.join(SUFFIXES)}")
    if not content:
        raise ValueError("evidence without content")
    return suffix


def media_type_of(path: Path) -> str:
    """Of a file that is kept as evidence is (`is_evidence_file`)."""
    return MEDIA_TYPES[path.suffix]


def is_evidence_id(text: str) -> bool:
    """Whether it has an id's form. Ids that people send name nothing else because of this."""
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def is_evidence_file(path: Path) -> bool:
    """Whether a file is kept as evidence is, by its place and name: ``ab/abcd...ef.jpg``. A link
    is not, wherever it leads."""
    return (
        is_evidence_id(path.stem)
        and path.suffix in MEDIA_TYPES
        and path.parent.name == path.stem[:2]
        and not path.is_symlink()
        and path.is_file()
    )


class EvidenceStore(ABC):
    """Pictures and clips, kept whole or not at all. Many processes and threads may use one."""

    @abstractmethod
    def put(self, content: bytes, media_type: str) -> EvidenceId:
        """Keep ``content``; the same content twice is kept once.

        Raises:
            ValueError: nothing to keep, or a media type that is none of ours.
            EvidenceFull: no room.
            EvidenceError: the store can't be reached, or refuses.
        """

    @abstractmethod
    def get(self, evidence_id: str) -> tuple[bytes, str]:
        """The content and its media type.

        Raises:
            EvidenceMissing: unknown or malformed id.
            EvidenceDamaged: what is kept was changed or cut short.
            EvidenceError: the store can't be reached, or refuses.
        """

    @abstractmethod
    def path(self, evidence_id: str) -> Path:
        """The file that holds it, for streaming; unlike `get` this doesn't check what is in it.

        Raises:
            EvidenceMissing: unknown or malformed id.
            EvidenceError: this store has no files; use `get`.
        """

    @abstractmethod
    def older_than(self, when: datetime) -> Iterator[EvidenceId]:
        """What was put here before a time, in no order.

        Raises:
            EvidenceError: the store can't be reached, or refuses.
        """

    @abstractmethod
    def remove(self, evidence_id: str) -> None:
        """Delete it; what isn't there is gone already.

        Raises:
            EvidenceError: the store can't be reached, or refuses.
        """
