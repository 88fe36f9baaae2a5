"""What requests about cameras may hold."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
)

from api.schemas.bodies import Body, Moment, Number, Place, Secret, Text, Version, known_keys_only
from contracts import (
    CameraPose,
    ContractError,
    HeadReport,
    OnvifHead,
    PtzHead,
    RoadRegion,
)

NEWS = timedelta(minutes=1)
"""Where a head points is of use for so long."""
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,2000}")

Road = Annotated[RoadRegion, BeforeValidator(known_keys_only(RoadRegion))]
Pose = Annotated[CameraPose, BeforeValidator(known_keys_only(CameraPose))]


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError("names must be header names, values printable ASCII in one line")
    return headers


StreamUrl = Annotated[Text, Field(min_length=1, max_length=2_000)]
StreamHeaders = Annotated[dict[str, str], Field(max_length=20), AfterValidator(_checked_headers)]


class Stream(Body):
    """How to open a stream. A field that is absent in a change keeps what is stored."""

    url: StreamUrl = Field(description="rtsp, rtsps, http or https; without user and password")
    username: Secret | None = None
    password: Secret | None = None
    headers: StreamHeaders = Field({}, description="Sent when the stream is opened (Referer ...)")
    any_certificate: StrictBool = Field(
        False, description="Over rtsps and https, take whatever certificate the camera shows"
    )


class ProbeStream(Stream):
    """A stream to open once."""

    timeout_s: Number = Field(10.0, ge=1, le=30)


class OnvifPositions(Body):
    """How a turning camera is asked where it points, twice a second."""

    port: int = Field(80, ge=1, le=65_535, strict=True, description="Of its ONVIF service")
    profile: Text = Field("", max_length=100, description="Media profile; empty: first that turns")
    pan_deg: tuple[Number, Number] = Field(
        (-180.0, 180.0), description="What its scale's ends mean, growing clockwise; least first"
    )
    tilt_deg: tuple[Number, Number] = Field(
        (-90.0, 90.0), description="The same, growing upwards from the level"
    )

    def noun(self) -> OnvifHead:
        """The noun.

        Raises:
            ContractError: the ends are none.
        """
        return OnvifHead(
            port=self.port, profile=self.profile, pan_deg=self.pan_deg, tilt_deg=self.tilt_deg
        )


class Zoom(Body):
    """The horizontal fields of view at both ends of a turning camera's zoom, by its data sheet."""

    wide_hfov_deg: Number = Field(ge=1, le=175)
    tele_hfov_deg: Number = Field(ge=1, le=175)
    onvif: OnvifPositions | None = Field(
        None,
        description="Ask the camera itself where it points; absent stays as it is, null: its video "
        "system tells, by `/head`",
    )

    def head(self, current: PtzHead | None) -> PtzHead:
        """The noun; what was learnt of the head stays where its zoom stays the same.

        Raises:
            ContractError: tele is wider than wide.
        """
        kept = None if current is None else current.onvif
        if "onvif" in self.model_fields_set:
            kept = None if self.onvif is None else self.onvif.noun()
        stated = PtzHead(
            wide_hfov_deg=self.wide_hfov_deg, tele_hfov_deg=self.tele_hfov_deg, onvif=kept
        )
        ends = (self.wide_hfov_deg, self.tele_hfov_deg)
        if current is not None and ends == (current.wide_hfov_deg, current.tele_hfov_deg):
            return dataclasses.replace(stated, learnt=current.learnt)
        return stated


class HeadNow(Body):
    """What a head says of itself; null or absent for what it doesn't tell."""

    pan_deg: Number | None = Field(None, description="Growing clockwise")
    tilt_deg: Number | None = Field(None, description="Growing upwards, 0 is level")
    zoom: Number | None = Field(None, description="From 0, wide, to 1, tele")
    at: Moment | None = Field(None, description="Now where absent")

    def report(self, now: datetime) -> HeadReport:
        """The noun.

        Raises:
            ContractError: figures that no head reports, or a time that isn't about now.
        """
        at = self.at or now
        if abs(at - now) > NEWS:
            raise ContractError(
                "at", "must lie within a minute of now; does that system's clock run right?"
            )
        return HeadReport(at=at, pan_deg=self.pan_deg, tilt_deg=self.tilt_deg, zoom=self.zoom)


class CameraFields(Stream):
    """A camera as an admin describes it."""

    name: Text = Field(min_length=1, max_length=200)
    position: Place
    pose: Pose | None = None
    head: Zoom | None = Field(None, description="Of a camera that turns")
    road_region: Road | None = Field(
        None, description="Where the road lies in the picture, in shares of its width and height"
    )
    group: Text = Field("", max_length=120)
    enabled: StrictBool = True
    exercise: StrictBool = False


class NewCamera(CameraFields):
    """A camera to register; its id is made where none is given."""

    id: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")


class ChangedCamera(CameraFields):
    """A registered camera with every field as it shall be."""

    version: Version | None = Field(None, description="Or as If-Match")
    id: str | None = Field(None, description="If given, the address's own")
