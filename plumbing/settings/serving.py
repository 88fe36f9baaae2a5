"""The interface to people and machines, and who may sign in from elsewhere."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from plumbing.settings.section import Section

RoleName = Literal["viewer", "operator", "camera_admin", "supervisor", "dispatch", "auditor"]


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[^/?#@\s]+", text):
        raise ValueError("an origin is scheme and host, like https://desk.example.org")
    return text


class ApiSettings(Section):
    """The HTTP server."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on; loopback until told otherwise"
    )
    port: int = Field(8112, ge=0, le=65535, description="Port to listen on")
    allowed_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(
        (), description="Further origins whose pages may open the websocket (https://host)"
    )
    max_body_bytes: int = Field(
        1_000_000, ge=10_000, le=100_000_000, description="Larger request bodies get 413"
    )
    max_attachment_bytes: int = Field(
        20_000_000, ge=10_000, le=1_000_000_000, description="Larger attachments get 413"
    )
    feed_queue: int = Field(
        1_000,
        ge=10,
        le=100_000,
        description="Changes a slow reader may lag before it is closed (1013)",
    )
    requests_per_s: float = Field(
        200,
        ge=0,
        le=100_000,
        description="Requests of one key or session; ten seconds' worth at once; 0 is no limit",
    )
    strangers_per_s: float = Field(
        30, ge=0, le=100_000, description="The same for an address that isn't signed in"
    )
    session_idle_minutes: int = Field(
        480, ge=5, le=10_080, description="A session unused for this long must sign in again"
    )
    session_longest_hours: int = Field(
        16, ge=1, le=720, description="After this long one signs in again, used or not"
    )
    relay_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s]+$",
        max_length=500,
        description="Address of a camera at a relay of your own (go2rtc, mediamtx), with {camera} "
        "for its id; offered beside our own live view",
    )
    cookie_secure: bool = Field(
        False, description="Send the session cookie over HTTPS only; set it behind TLS"
    )


class OidcSettings(Section):
    """Sign-in by an identity provider (OpenID Connect), beside local accounts."""

    issuer: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#]+$",
        description="The provider's issuer, as it calls itself; none: local accounts alone",
    )
    name: str = Field("SSO", min_length=1, max_length=80, description="Shown on the sign-in page")
    client_id: str = Field("siaga", min_length=1, max_length=200, description="Ours, there")
    client_secret: str | None = Field(
        None, min_length=1, max_length=500, repr=False, description="None for a public client"
    )
    scopes: tuple[str, ...] = Field(("openid", "profile"), description="What is asked for")
    username_claim: str = Field("preferred_username", description="Names a new account")
    role_claim: str = Field("groups", description="Tells the role, a word or a list of words")
    roles: dict[str, RoleName] = Field(
        {}, description="The claim's words, and the role that each gives here"
    )
    default_role: RoleName | None = Field(
        None, description="For who has none of these words; none: may not come in"
    )
