"""The documents of OGC API - Features, part 1: core (OGC 17-069r4).

Conformance with the core and GeoJSON classes is claimed; not with `oas30`, since our description is
OpenAPI 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from api.formats.features import MEDIA_TYPE as GEOJSON

JSON = "application/json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.1"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
CONFORMS_TO = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)


@dataclass(frozen=True, slots=True)
class Collection:
    """A set of features that a map can show."""

    id: str
    title: str
    description: str
    is_temporal: bool


INCIDENTS = Collection(
    "incidents",
    "Incidents",
    "What fusion estimates and people decide; newest first. Open and ended, of one partition: "
    "real ones, or exercises.",
    is_temporal=True,
)
CAMERAS = Collection(
    "cameras", "Cameras", "Where cameras stand and how they are.", is_temporal=False
)
COLLECTIONS = {one.id: one for one in (INCIDENTS, CAMERAS)}


class Pages:
    """Makes the documents, whose links are absolute."""

    def __init__(self, base_url: str, bbox: tuple[float, float, float, float]) -> None:
        """``base_url`` has no slash at its end; ``bbox`` is the city's west, south, east, north."""
        self._base = base_url
        self._root = f"{base_url}/ogc"
        self._bbox = bbox

    def landing(self, title: str) -> dict[str, Any]:
        """Where a client starts."""
        return {
            "title": title,
            "description": "Incidents and cameras of an emergency call centre.",
            "links": [
                _link("self", JSON, f"{self._root}/"),
                _link("service-desc", OPENAPI, f"{self._base}/openapi.json"),
                _link("service-doc", "text/html", f"{self._base}/docs"),
                _link("conformance", JSON, f"{self._root}/conformance"),
                _link("data", JSON, f"{self._root}/collections"),
            ],
        }

    def conformance(self) -> dict[str, Any]:
        """What of the standard is kept."""
        return {"conformsTo": list(CONFORMS_TO)}

    def collections(self) -> dict[str, Any]:
        """What there is."""
        return {
            "links": [_link("self", JSON, f"{self._root}/collections")],
            "collections": [self.collection(one) for one in COLLECTIONS.values()],
        }

    def collection(self, one: Collection) -> dict[str, Any]:
        """One of them."""
        extent: dict[str, Any] = {"spatial": {"bbox": [list(self._bbox)], "crs": CRS84}}
        if one.is_temporal:
            extent["temporal"] = {"interval": [[None, None]], "trs": GREGORIAN}
        address = f"{self._root}/collections/{one.id}"
        return {
            "id": one.id,
            "title": one.title,
            "description": one.description,
            "itemType": "feature",
            "extent": extent,
            "crs": [CRS84],
            "links": [
                _link("self", JSON, address),
                _link("items", GEOJSON, f"{address}/items"),
            ],
        }

    def items(
        self,
        one: Collection,
        features: Sequence[dict[str, Any]],
        *,
        asked: Sequence[tuple[str, str]],
        next_after: str | None,
        at: str,
    ) -> dict[str, Any]:
        """A page of features; ``asked`` is the request's query, which the next page's repeats."""
        address = f"{self._root}/collections/{one.id}/items"
        links = [
            _link("self", GEOJSON, _with_query(address, asked)),
            _link("collection", JSON, f"{self._root}/collections/{one.id}"),
        ]
        if next_after is not None:
            following = [(name, value) for name, value in asked if name != "after"]
            following.append(("after", next_after))
            links.append(_link("next", GEOJSON, _with_query(address, following)))
        return {
            "type": "FeatureCollection",
            "timeStamp": at,
            "numberReturned": len(features),
            "features": list(features),
            "links": links,
        }

    def item(self, one: Collection, feature: dict[str, Any]) -> dict[str, Any]:
        """One feature with its links."""
        address = f"{self._root}/collections/{one.id}"
        name = quote(str(feature["id"]), safe="")
        return {
            **feature,
            "links": [
                _link("self", GEOJSON, f"{address}/items/{name}"),
                _link("collection", JSON, address),
            ],
        }


def _link(rel: str, kind: str, href: str) -> dict[str, str]:
    return {"rel": rel, "type": kind, "href": href}


def _with_query(address: str, query: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(query)}" if query else address
