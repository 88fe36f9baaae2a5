"""Sealed texts come back with the right key alone, and the key is its owner's."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from plumbing.sealing import KEY_VARIABLE, Sealer, SealingError

KEY = Fernet.generate_key().decode()


@given(st.text(max_size=200))
def test_unsealing_gives_back_what_was_sealed(text: str) -> None:
    sealer = Sealer(Path("unused"), {KEY_VARIABLE: KEY})
    sealed = sealer.seal(text)
    assert sealer.unseal(sealed) == text
    assert sealed != sealer.seal(text), "equal passwords must not look equal"
    if len(text) > 8:
        assert text not in sealed


def test_the_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key"
    sealed = Sealer(path, {}).seal("hush")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Sealer(path, {}).unseal(sealed) == "hush"
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    sealers: list[Sealer] = []
    threads = [
        threading.Thread(target=lambda: sealers.append(Sealer(tmp_path / "key", {})))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sealers) == 8
    sealed = sealers[0].seal("hush")
    assert {sealer.unseal(sealed) for sealer in sealers} == {"hush"}


def test_another_key_and_an_altered_text_are_refused(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / "one", {})
    sealed = sealer.seal("hush")
    with pytest.raises(SealingError, match="another key"):
        Sealer(tmp_path / "two", {}).unseal(sealed)
    for altered in (sealed[:-6] + "AAAA==", "", "no seal", sealed[: len(sealed) // 2]):
        with pytest.raises(SealingError):
            sealer.unseal(altered)


def test_a_key_is_replaced_by_putting_the_new_one_first(tmp_path: Path) -> None:
    path = tmp_path / "key"
    old = Sealer(path, {}).seal("hush")
    new_key = Fernet.generate_key().decode()
    path.write_text(f"{new_key}\n{path.read_text()}")
    both = Sealer(path, {})
    assert both.unseal(old) == "hush"
    assert Sealer(path, {KEY_VARIABLE: new_key}).unseal(both.seal("fresh")) == "fresh"


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    Sealer(path, {})
    path.chmod(0o640)
    with pytest.raises(SealingError, match="chmod 600"):
        Sealer(path, {})


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", b"A" * 43])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SealingError, match="no key"):
        Sealer(path, {})
    if content.isascii() and content:
        with pytest.raises(SealingError, match=KEY_VARIABLE):
            Sealer(path, {KEY_VARIABLE: content.decode()})


def test_a_fingerprint_is_the_keys_own_and_tells_nothing() -> None:
    one, other = (
        Sealer(Path("unused"), {KEY_VARIABLE: key}) for key in (KEY, Fernet.generate_key().decode())
    )
    assert one.fingerprint("+62811") == one.fingerprint("+62811")
    assert (
        len({one.fingerprint("+62811"), one.fingerprint("+62812"), other.fingerprint("+62811")})
        == 3
    )
    assert "62811" not in one.fingerprint("+62811")
    assert one.fingerprint("\ud800")
