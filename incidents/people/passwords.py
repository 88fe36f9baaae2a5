"""Which passwords are taken, and how they are kept.

After NIST SP 800-63B-4, 3.1.1: at least 15 characters, for there is no second factor; nothing that
is common, guessable or about this service and its user; no rules of composition, no expiry. Any
character may be used, and the same text typed on another keyboard is the same password (NFC).
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from contracts import ContractError

MIN_LENGTH = 15
MAX_LENGTH = 200
"""Longer ones are refused, so that hashing them can't be made to cost."""
LEAST_GUESSES = 10**9
"""What lists and patterns would need at most: online guessing is slowed to a few a minute, and
argon2id makes this many guesses at a stolen hash take a year of one machine."""
_LOOKED_AT = 72
"""Characters that the estimate reads: its time grows with their square."""
_OURS = (
    "siaga",
    "112",
    "112indonesia",
    "darurat",
    "emergency",
    "operator",
    "password",
    "katasandi",
)

NONE = ""
"""The hash of an account that signs in elsewhere: no password is right."""


def use(hasher: PasswordHasher) -> None:
    """Hash with this from now on; what was hashed before is still told right from wrong."""
    global _hasher, _nobody
    _hasher = hasher
    _nobody.cache_clear()


# The library's defaults are RFC 9106's second choice: 64 MiB, 3 passes, 4 lanes.
_hasher = PasswordHasher()


@cache
def _nobody() -> str:
    """Checked where there is no password, so that the time taken doesn't tell which names exist."""
    return _hasher.hash(secrets.token_urlsafe(32))


async def hash_password(password: str, about: Iterable[str] = ()) -> str:
    """The argon2id hash of a password that is taken.

    Args:
        password: as it was typed.
        about: the user's names, which make no good password.

    Raises:
        ContractError: too short, too long, or among the first that somebody would try.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise ContractError(
            "password", f"must have {MIN_LENGTH} to {MAX_LENGTH} characters; a sentence is good"
        )
    # Hashing takes tens of milliseconds by design; it must not stop the event loop.
    return await asyncio.to_thread(_check_and_hash, password, tuple(about))


async def is_right(hashed: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed; takes as long where there is none."""
    if len(password) > MAX_LENGTH:
        return False
    return await asyncio.to_thread(_verify, hashed or _nobody(), password)


def _check_and_hash(password: str, about: tuple[str, ...]) -> str:
    # Its word lists take a tenth of a second to load, which every role would pay.
    from zxcvbn import zxcvbn

    found = zxcvbn(password[:_LOOKED_AT], user_inputs=[*_OURS, *about], max_length=_LOOKED_AT)
    if found["guesses"] < LEAST_GUESSES:
        why = found["feedback"]["warning"] or "it is made of what is tried first"
        raise ContractError(
            "password",
            f"is too easy to guess ({why.rstrip('.')}); take several words that don't belong "
            "together",
        )
    return _hasher.hash(_normal(password))


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, _normal(password))
    except (VerifyMismatchError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
