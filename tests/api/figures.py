"""Reading /metrics."""

from __future__ import annotations

import re

import httpx


async def figure(client: httpx.AsyncClient, name: str) -> float:
    """One figure of /metrics, without labels."""
    text = (await client.get("/metrics")).text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found, f"{name} is not in\n{text}"
    return float(found[1])
