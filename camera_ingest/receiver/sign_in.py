"""Signing in to a camera: Basic, and Digest with MD5 or SHA-256 (RFC 7616, RFC 2617)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence

from camera_ingest.credentials import Credentials

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}
_PAIR = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')


class SignIn:
    """One session's answers to the camera's challenges."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._digest: dict[str, str] | None = None
        self._basic = False
        self._count = 0
        self._is_accepted = False

    def accepted(self) -> None:
        """A request was answered: if it was signed, the password is right, and another challenge
        merely wants it said with another nonce."""
        self._is_accepted = self._digest is not None

    def challenged(self, challenges: Sequence[str]) -> bool:
        """Take the ``WWW-Authenticate`` values of a 401; false where no (other) answer is known."""
        if self._credentials is None:
            return False
        before = self._digest
        offers = [_pairs(text) for text in challenges if text[:7].lower() == "digest "]
        offers = [offer for offer in offers if offer["algorithm"] in _HASHES and "nonce" in offer]
        # The strongest first; a camera that offers both kinds is given Digest, for then the
        # password stays unsaid.
        offers.sort(key=lambda offer: offer["algorithm"] != "SHA-256")
        if offers:
            is_new = before is None or offers[0]["nonce"] != before["nonce"]
            is_stale = offers[0].get("stale", "").lower() == "true" or self._is_accepted
            self._digest, self._count, self._is_accepted = offers[0], 0, False
            return is_new and (before is None or is_stale)
        if any(text[:5].lower() == "basic" for text in challenges) and not self._basic:
            self._basic = True
            return True
        return False

    def header(self, method: str, url: str) -> list[tuple[str, str]]:
        """The ``Authorization`` header of a request; empty while nothing asked for one."""
        credentials = self._credentials
        if credentials is None:
            return []
        if self._digest is not None:
            return [("Authorization", self._answer(credentials, self._digest, method, url))]
        if self._basic:
            pair = f"{credentials.username}:{credentials.password}".encode()
            return [("Authorization", f"Basic {base64.b64encode(pair).decode()}")]
        return []

    def _answer(
        self, credentials: Credentials, challenge: dict[str, str], method: str, url: str
    ) -> str:
        algorithm, nonce = challenge["algorithm"], challenge["nonce"]
        realm = challenge.get("realm", "")

        def digest(text: str) -> str:
            return hashlib.new(_HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()

        who = digest(f"{credentials.username}:{realm}:{credentials.password}")
        what = digest(f"{method}:{url}")
        said = {
            "username": credentials.username,
            "realm": realm,
            "nonce": nonce,
            "uri": url,
        }
        extra = ""
        if "auth" in re.split(r"[\s,]+", challenge.get("qop", "")):
            self._count += 1
            count, fresh = f"{self._count:08x}", secrets.token_hex(8)
            said["response"] = digest(f"{who}:{nonce}:{count}:{fresh}:auth:{what}")
            said["cnonce"] = fresh
            extra = f", qop=auth, nc={count}"
        else:
            said["response"] = digest(f"{who}:{nonce}:{what}")
        if "opaque" in challenge:
            said["opaque"] = challenge["opaque"]
        if challenge["algorithm_said"]:
            extra += f", algorithm={algorithm}"
        quoted = ", ".join(f'{name}="{_escaped(value)}"' for name, value in said.items())
        return f"Digest {quoted}{extra}"


def _pairs(challenge: str) -> dict[str, str]:
    found = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain
        for name, quoted, plain in _PAIR.findall(challenge)
    }
    found["algorithm_said"] = found.get("algorithm", "")
    found["algorithm"] = found.get("algorithm", "MD5").upper()
    return found


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "")
