"""How tokens and keys are kept: as what they can be known again by, and not be made of."""

from __future__ import annotations

import hashlib

TOKEN_BYTES = 32
"""Drawn at random, so that one hash is enough: there is nothing to guess."""


def digest(secret: str) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
