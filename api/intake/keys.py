"""What callers are known by, without being known: salted hashes."""

from __future__ import annotations

from api.services import Services


def hashed_key(services: Services, kind: str, value: str) -> str:
    """What stands for a number, device or another system's call in the database."""
    return f"{kind}:{services.sealer.fingerprint(f'{kind} {value}')}"
