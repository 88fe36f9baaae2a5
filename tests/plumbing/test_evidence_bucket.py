"""The bucket against a real S3-compatible server."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from minio import Minio
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from plumbing.evidence import (
    EvidenceDamaged,
    EvidenceError,
    EvidenceMissing,
    FolderEvidence,
    open_evidence,
)
from plumbing.evidence.bucket import ACCESS_KEY, SECRET_KEY, BucketEvidence

KEYS = {ACCESS_KEY: "someone", SECRET_KEY: "something long"}


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    name, port = server.get_host_and_port()
    client = Minio(f"{name}:{port}", access_key="a", secret_key="b" * 8, secure=False)
    client.make_bucket("siaga")
    yield f"{name}:{port}"
    server.stop()


@pytest.fixture
def bucket(host: str) -> BucketEvidence:
    return BucketEvidence(f"s3+http://{host}/siaga/bukti", KEYS)


def test_what_was_put_comes_back(bucket: BucketEvidence) -> None:
    content = bytes(range(256)) * 100
    evidence_id = bucket.put(content, "video/mp4")
    assert evidence_id == hashlib.sha256(content).hexdigest()
    assert bucket.put(content, "video/mp4") == evidence_id
    assert bucket.get(evidence_id) == (content, "video/mp4")


def test_what_is_not_there_is_missing(bucket: BucketEvidence) -> None:
    for name in ("0" * 64, "../../etc/passwd", "", "x" * 64):
        with pytest.raises(EvidenceMissing):
            bucket.get(name)


def test_what_was_changed_is_not_handed_out(bucket: BucketEvidence, host: str) -> None:
    evidence_id = bucket.put(b"what was seen", "image/jpeg")
    client = Minio(host, access_key="a", secret_key="b" * 8, secure=False)
    name = f"bukti/{evidence_id[:2]}/{evidence_id}.jpg"
    client.put_object("siaga", name, io.BytesIO(b"what was made up"), 16)
    with pytest.raises(EvidenceDamaged):
        bucket.get(evidence_id)


def test_old_evidence_is_found_and_removed(bucket: BucketEvidence) -> None:
    evidence_id = bucket.put(b"old", "application/json")
    assert evidence_id not in set(bucket.older_than(datetime.now(UTC) - timedelta(hours=1)))
    assert evidence_id in set(bucket.older_than(datetime.now(UTC) + timedelta(hours=1)))
    bucket.remove(evidence_id)
    bucket.remove(evidence_id)
    with pytest.raises(EvidenceMissing):
        bucket.get(evidence_id)


def test_what_goes_wrong_is_said_without_the_keys(host: str) -> None:
    for url in (f"s3+http://{host}/nobucket", "s3+http://127.0.0.1:9/siaga"):
        with pytest.raises(EvidenceError) as failed:
            BucketEvidence(url, KEYS).put(b"x", "image/jpeg")
        assert "something long" not in str(failed.value)
        assert "bucket" in str(failed.value)


@pytest.mark.parametrize(("media_type", "content"), [("text/html", b"x"), ("image/jpeg", b"")])
def test_only_evidence_is_kept(bucket: BucketEvidence, media_type: str, content: bytes) -> None:
    with pytest.raises(ValueError, match="evidence"):
        bucket.put(content, media_type)


def test_the_keys_must_be_there(host: str) -> None:
    with pytest.raises(EvidenceError, match=ACCESS_KEY):
        BucketEvidence(f"s3+http://{host}/siaga", {})
    with pytest.raises(EvidenceError, match="s3"):
        BucketEvidence("s3+http://host", KEYS)


def test_the_settings_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_evidence(tmp_path, 0, None), FolderEvidence)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    chosen = open_evidence(tmp_path, 0, "s3+https://store.example/siaga")
    assert isinstance(chosen, BucketEvidence)
