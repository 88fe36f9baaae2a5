"""A store that hangs costs a detection its picture, and nobody their watch."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from plumbing.evidence import EvidenceError, FolderEvidence
from plumbing.evidence.bucket import ACCESS_KEY, SECRET_KEY, BucketEvidence
from siaga.watching.key_pictures import KeyPictures


def test_what_the_store_takes_is_there_at_once(tmp_path: Path) -> None:
    store = FolderEvidence(tmp_path, 0)
    pictures = KeyPictures(store)
    for content in (b"one picture", b"another"):
        assert store.get(pictures.put(content)) == (content, "image/jpeg")


def test_why_the_store_takes_nothing_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="must stay"):
        KeyPictures(FolderEvidence(tmp_path, 10**18), patience_s=60).put(b"a picture")


def test_a_store_that_does_not_answer_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        keys = {ACCESS_KEY: "someone", SECRET_KEY: "something long"}
        store = BucketEvidence(f"s3+http://127.0.0.1:{silent.getsockname()[1]}/siaga", keys)
        pictures = KeyPictures(store, patience_s=0.1)
        with pytest.raises(EvidenceError, match=r"within 0\.1 s"):
            pictures.put(b"a picture")
        with pytest.raises(EvidenceError, match="not answered yet"):
            pictures.put(b"another")
