"""The evidence store in an S3-compatible bucket, for installations of several hosts.

Objects are named as the folder's files are: ``prefix/ab/abcd...ef.jpg``. The bucket's own rules
(versions, locks, life cycle) are the administrator's; nothing is ever written twice.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error
from urllib3.exceptions import HTTPError

from contracts import EvidenceId
from plumbing.evidence.store import (
    MEDIA_TYPES,
    EvidenceDamaged,
    EvidenceError,
    EvidenceFull,
    EvidenceMissing,
    EvidenceStore,
    is_evidence_id,
    suffix_of,
)

ACCESS_KEY = "SIAGA_S3_ACCESS_KEY"
SECRET_KEY = "SIAGA_S3_SECRET_KEY"  # noqa: S105 - a variable's name
_FULL = {"XMinioStorageFull", "QuotaExceeded", "InsufficientStorage", "EntityTooLarge"}
_CONNECT_S = 5.0
_READ_S = 30.0


class BucketEvidence(EvidenceStore):
    """As a folder of evidence, in a bucket. Any thread may use it.

    Args:
        url: ``s3+https://host[:port]/bucket[/prefix]``, or ``s3+http`` within one's own network.
        environment: Where the keys are, `ACCESS_KEY` and `SECRET_KEY`: never in the configuration.

    Raises:
        EvidenceError: no such address, or a key is missing.
    """

    def __init__(self, url: str, environment: Mapping[str, str] | None = None) -> None:
        given = os.environ if environment is None else environment
        parts = urlsplit(url)
        bucket, _, prefix = unquote(parts.path).strip("/").partition("/")
        if not parts.hostname or not bucket:
            raise EvidenceError(f"evidence.url: {url!r} is no s3+https://host/bucket address")
        if not given.get(ACCESS_KEY) or not given.get(SECRET_KEY):
            raise EvidenceError(
                f"evidence.url: set {ACCESS_KEY} and {SECRET_KEY} in the environment"
            )
        self._where = f"bucket {bucket} at {parts.netloc}"
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = Minio(
            parts.netloc,
            access_key=given[ACCESS_KEY],
            secret_key=given[SECRET_KEY],
            secure=parts.scheme == "s3+https",
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S),
                # Whoever keeps evidence tries again by itself, and says so meanwhile.
                retries=urllib3.Retry(total=1, backoff_factor=0.2),
            ),
        )

    def put(self, content: bytes, media_type: str) -> EvidenceId:
        """See `EvidenceStore.put`.

        Raises:
            EvidenceFull: the store has no room.
            EvidenceError: it can't be reached, or refuses.
        """
        suffix = suffix_of(content, media_type)
        evidence_id = EvidenceId(hashlib.sha256(content).hexdigest())
        try:
            if self._name_of(evidence_id) is None:
                self._client.put_object(
                    self._bucket,
                    f"{self._prefix}{evidence_id[:2]}/{evidence_id}{suffix}",
                    io.BytesIO(content),
                    len(content),
                    content_type=media_type,
                )
        except (MinioException, HTTPError, OSError) as error:
            raise self._judged(error) from error
        return evidence_id

    def get(self, evidence_id: str) -> tuple[bytes, str]:
        """See `EvidenceStore.get`.

        Raises:
            EvidenceMissing: unknown or malformed id.
            EvidenceDamaged: the object was changed.
            EvidenceError: the store can't be reached, or refuses.
        """
        try:
            name = self._name_of(evidence_id)
            if name is None:
                raise EvidenceMissing(f"no evidence {evidence_id[:80]!r}")
            answer = self._client.get_object(self._bucket, name)
            try:
                content = answer.read()
            finally:
                answer.close()
                answer.release_conn()
        except (MinioException, HTTPError, OSError) as error:
            raise self._judged(error) from error
        if hashlib.sha256(content).hexdigest() != evidence_id:
            raise EvidenceDamaged(f"evidence {evidence_id} is damaged in {self._where}")
        return content, MEDIA_TYPES[name[name.rindex(".") :]]

    def path(self, evidence_id: str) -> Path:
        """A bucket has no files.

        Raises:
            EvidenceError: always; use `get`.
        """
        raise EvidenceError(f"evidence {evidence_id[:80]!r} lies in {self._where}, not in a file")

    def older_than(self, when: datetime) -> Iterator[EvidenceId]:
        """See `EvidenceStore.older_than`."""
        try:
            for found in self._client.list_objects(
                self._bucket, prefix=self._prefix, recursive=True
            ):
                name, put_at = found.object_name or "", found.last_modified
                evidence_id = PurePosixPath(name).stem
                if is_evidence_id(evidence_id) and put_at is not None and put_at < when:
                    yield EvidenceId(evidence_id)
        except (MinioException, HTTPError, OSError) as error:
            raise self._judged(error) from error

    def remove(self, evidence_id: str) -> None:
        """See `EvidenceStore.remove`."""
        try:
            name = self._name_of(evidence_id)
            if name is not None:
                self._client.remove_object(self._bucket, name)
        except (MinioException, HTTPError, OSError) as error:
            raise self._judged(error) from error

    def _name_of(self, evidence_id: str) -> str | None:
        if not is_evidence_id(evidence_id):
            return None
        start = f"{self._prefix}{evidence_id[:2]}/{evidence_id}."
        for found in self._client.list_objects(self._bucket, prefix=start):
            name = found.object_name
            if name is not None and name.removeprefix(start[:-1]) in MEDIA_TYPES:
                return str(name)
        return None

    def _judged(self, error: Exception) -> EvidenceError:
        if isinstance(error, S3Error):
            if error.code in _FULL:
                return EvidenceFull(f"no room in {self._where}: {error.code}")
            return EvidenceError(f"{self._where} refuses: {error.code} {error.message}")
        if isinstance(error, InvalidResponseError):
            return EvidenceError(f"{self._where} answers, but not as S3 does")
        return EvidenceError(f"{self._where} can't be reached ({type(error).__name__})")
