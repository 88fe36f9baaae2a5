"""The evidence store: pictures and clips, named by the SHA-256 of what they hold.

A folder by default; a bucket by URL, which several hosts need.
"""

from __future__ import annotations

from pathlib import Path

from plumbing.evidence.folder import FolderEvidence
from plumbing.evidence.store import (
    EvidenceDamaged,
    EvidenceError,
    EvidenceFull,
    EvidenceMissing,
    EvidenceStore,
    is_evidence_file,
    media_type_of,
)

__all__ = [
    "EvidenceDamaged",
    "EvidenceError",
    "EvidenceFull",
    "EvidenceMissing",
    "EvidenceStore",
    "FolderEvidence",
    "is_evidence_file",
    "media_type_of",
    "open_evidence",
]


def open_evidence(folder: Path, min_free_bytes: int, url: str | None) -> EvidenceStore:
    """The configured store: the bucket at ``url``, or the folder.

    Raises:
        EvidenceError: the bucket's address or keys are wrong, or its client isn't installed.
    """
    if url is None:
        return FolderEvidence(folder, min_free_bytes)
    try:
        from plumbing.evidence.bucket import BucketEvidence
    except ModuleNotFoundError as error:
        raise EvidenceError(
            "evidence.url needs the S3 client: install the 's3' extra (siaga[s3])"
        ) from error
    return BucketEvidence(url)
