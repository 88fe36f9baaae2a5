"""The city, its map, and how its calls are put together."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from plumbing.settings.section import Section


class CitySettings(Section):
    """The city that is watched."""

    name: str = Field(
        "Kota Bekasi", min_length=1, max_length=120, description="Shown on the screen"
    )
    lon: float = Field(106.9920, ge=-180, le=180, description="Centre, degrees east, WGS 84")
    lat: float = Field(-6.2383, ge=-85, le=85, description="Centre, degrees north, WGS 84")
    radius_m: float = Field(
        30_000, ge=500, le=300_000, description="Positions farther off than this are refused"
    )
    timezone: str = Field("Asia/Jakarta", description="IANA name, for times on the screen")
    areas: Path | None = Field(
        None, description="GeoJSON of administrative areas that name an incident's place"
    )
    buildings: Path | None = Field(
        None,
        description="GeoJSON of building footprints (height_m where known) that hide the ground "
        "from cameras",
    )


class MapSettings(Section):
    """What the map is drawn on. Nothing is fetched from elsewhere unless style_url says so."""

    style_url: str | None = Field(None, description="MapLibre style of an online basemap")
    pmtiles: Path | None = Field(None, description="A PMTiles file to draw roads and areas from")
    geojson: tuple[Path, ...] = Field((), description="GeoJSON files drawn as areas and lines")
    attribution: str = Field("", max_length=300, description="Shown in the map's corner")
    zoom: float = Field(13.0, ge=1, le=20, description="Zoom at the start")


class CallsSettings(Section):
    """Callers' positions that phones, networks and other call centres send by themselves."""

    aml_key: str | None = Field(
        None,
        min_length=8,
        max_length=500,
        repr=False,
        description="Shared key that signs AML over HTTPS (HMAC-SHA1); without it none is signed",
    )
    trust_unsigned_aml: bool = Field(
        False,
        description="Use positions that anybody could have sent; otherwise they are only kept",
    )
    match_minutes: float = Field(
        60,
        ge=1,
        le=1_440,
        description="Messages of one number join its call until it was silent for this long",
    )
    country_code: str = Field(
        "62",
        pattern=r"^[1-9][0-9]{0,2}$",
        description="Stands for the leading 0 of national telephone numbers",
    )
    reports_per_reporter_hour: float = Field(
        12, ge=1, le=10_000, description="Reports of one user of a citizens' app an hour"
    )
    reports_per_app_minute: float = Field(
        120, ge=1, le=100_000, description="Reports of one citizens' app a minute"
    )
    max_message_bytes: int = Field(
        64_000, ge=1_000, le=1_000_000, description="Larger AML, SMS and PIDF-LO messages get 413"
    )
