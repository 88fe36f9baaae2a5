"""Digest sign-in (RFC 7616) as cameras do it: the challenge, and the check of an answer."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}
_PAIR = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may open a path."""

    username: str
    password: str = field(repr=False)
    algorithms: tuple[str, ...] = ("MD5",)
    """What the camera offers. FFmpeg takes the last challenge and knows MD5 alone."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.algorithms if name not in _HASHES]
        if unknown or not self.algorithms:
            raise ValueError(f"algorithms must be some of {', '.join(_HASHES)}; got {unknown}")


class DigestGate:
    """One connection's sign-in: a nonce of its own, good for as long as the connection lives."""

    REALM = "siaga simulator"

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(16)

    def challenges(self, credentials: Credentials) -> list[str]:
        """The values of the ``WWW-Authenticate`` headers, one an algorithm."""
        return [
            f'Digest realm="{self.REALM}", nonce="{self._nonce}", algorithm={algorithm}'
            for algorithm in credentials.algorithms
        ]

    def admits(self, credentials: Credentials, method: str, authorization: str | None) -> bool:
        """Whether an ``Authorization`` header answers this connection's challenge."""
        if authorization is None or not authorization.lower().startswith("digest "):
            return False
        said = {key.lower(): quoted or plain for key, quoted, plain in _PAIR.findall(authorization)}
        algorithm = said.get("algorithm", "MD5").upper()
        if (
            algorithm not in credentials.algorithms
            or said.get("nonce") != self._nonce
            or said.get("username") != credentials.username
        ):
            return False
        expected = _answer(credentials, algorithm, method, self.REALM, said)
        return secrets.compare_digest(expected, said.get("response", "").lower())


def _answer(
    credentials: Credentials, algorithm: str, method: str, realm: str, said: dict[str, str]
) -> str:
    def digest(text: str) -> str:
        return hashlib.new(_HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()

    who = digest(f"{credentials.username}:{realm}:{credentials.password}")
    what = digest(f"{method}:{said.get('uri', '')}")
    if said.get("qop"):
        fresh = f"{said['nonce']}:{said.get('nc', '')}:{said.get('cnonce', '')}:{said['qop']}"
        return digest(f"{who}:{fresh}:{what}")
    return digest(f"{who}:{said['nonce']}:{what}")
