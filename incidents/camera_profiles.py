"""Camera registers that are published in a form of their own, as rows of ours.

Caltrans CCTV (``cwwp2.dot.ca.gov``, one JSON document a district) and TfL JamCam (London's unified
API, a list of places). Pure: a parsed document in, rows with our names out.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from contracts import ContractError


class Profile(StrEnum):
    """Whose form a register has."""

    OURS = "ours"
    """GeoJSON, or CSV with Indonesian or English headings."""
    CALTRANS = "caltrans"
    TFL = "tfl"


def caltrans_rows(document: Any) -> Iterator[dict[str, Any]]:
    """``data[].cctv``: the stream where there is one, else the still picture.

    Raises:
        ContractError: the document has another form.
    """
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ContractError("file", 'must be Caltrans CCTV JSON: {"data": [{"cctv": {...}}]}')
    for entry in entries:
        cctv = _of(entry, "cctv")
        location, images = _of(cctv, "location"), _of(cctv, "imageData")
        stream = images.get("streamingVideoURL") or _of(images, "static").get("currentImageURL")
        district = str(location.get("district") or "")
        yield {
            "id": f"caltrans-{district}-{cctv.get('index', '')}".strip("-"),
            "name": location.get("locationName") or location.get("nearbyPlace"),
            "url": stream,
            "lon": location.get("longitude"),
            "lat": location.get("latitude"),
            "group": location.get("county") or location.get("nearbyPlace"),
            "enabled": str(cctv.get("inService", "true")).lower() == "true",
        }


def tfl_rows(document: Any) -> Iterator[dict[str, Any]]:
    """A list of places whose ``additionalProperties`` name the picture and the clip.

    Raises:
        ContractError: the document has another form.
    """
    if not isinstance(document, list):
        raise ContractError("file", "must be TfL JamCam JSON: a list of places")
    for place in document:
        found = place if isinstance(place, dict) else {}
        listed = found.get("additionalProperties")
        facts = {
            str(one.get("key")): one.get("value")
            for one in (listed if isinstance(listed, list) else [])
            if isinstance(one, dict)
        }
        yield {
            "id": str(found.get("id") or "").replace("_", "-"),
            "name": found.get("commonName"),
            # The clip is ten seconds long and minutes old; the picture is renewed in its place.
            "url": facts.get("imageUrl") or facts.get("videoUrl"),
            "lon": found.get("lon"),
            "lat": found.get("lat"),
            "group": facts.get("view") or "",
            "enabled": str(facts.get("available", "true")).lower() == "true",
        }


def _of(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}
