"""Secrets at rest: sealed with a key that lives outside the database."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY_VARIABLE = "SIAGA_SEALING_KEY"
"""Holds the key itself, where a file is not wanted (secrets managers, containers)."""


class SealingError(Exception):
    """The key can't be used, or a text was not sealed with it; says what to do."""


class Sealer:
    """Seals short texts, such as cameras' passwords (Fernet: AES-128-CBC and HMAC-SHA256).

    A key is one line; of several lines the first seals and all unseal, so that a key can be
    replaced. ``SIAGA_SEALING_KEY`` comes before the file; a file that is absent is made, readable
    by its owner alone. Whoever loses the key types the passwords in again: back it up, apart.

    Raises:
        SealingError: unreadable or malformed key, or a file that others may read.
    """

    def __init__(self, key_file: Path, environment: Mapping[str, str] | None = None) -> None:
        given = (os.environ if environment is None else environment).get(KEY_VARIABLE, "")
        where = KEY_VARIABLE if given.strip() else str(key_file)
        text = given if given.strip() else _read_or_make(key_file)
        try:
            lines = text.split()
            self._keys = MultiFernet([Fernet(line) for line in lines])
        except ValueError as error:
            raise SealingError(
                f"{where} holds no key: 32 bytes in URL-safe base64 are expected"
            ) from error
        self._salt = hashlib.sha256(b"fingerprints\n" + lines[0].encode()).digest()

    def fingerprint(self, text: str) -> str:
        """A salted hash: the same for the same text, of no use to who hasn't the key.

        Telephone numbers are few enough to be tried one by one against a bare hash. A replaced key
        gives other fingerprints, so they serve for hours, not for years.
        """
        return hmac.new(self._salt, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def seal(self, text: str) -> str:
        """``text`` so that only this installation can read it; differs at every call."""
        return self._keys.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """What was sealed.

        Raises:
            SealingError: sealed with another key, or altered.
        """
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealingError(
                "a stored secret was sealed with another key (restore the key file, or enter the "
                "secret again)"
            ) from error


def _read_or_make(path: Path) -> str:
    if not path.exists():
        _make(path)
    try:
        if path.stat().st_mode & 0o077:
            raise SealingError(f"{path} may be read by others than its owner: chmod 600 {path}")
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise SealingError(f"can't read the key {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SealingError(f"{path} holds no key: it is not ASCII text") from error


def _make(path: Path) -> None:
    """Write a fresh key, whole, unless another process was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(Fernet.generate_key() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(part)
    except FileExistsError:
        pass
    finally:
        part.unlink()
