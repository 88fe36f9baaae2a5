"""A camera's session description (SDP, RFC 8866): the one video track that we can receive."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from camera_ingest.receiver.nal import Codec, annex_b


class Unspoken(Exception):
    """The camera offers nothing that this receiver speaks; FFmpeg may. ``args[0]`` says what it
    offers, ``args[1]``, once the session has added it, where (`camera_ingest.receiver.session.At`).
    """


@dataclass(frozen=True, slots=True)
class Track:
    """A video track as described."""

    codec: Codec
    payload_type: int
    clock_hz: int
    control: str
    session_control: str
    parameter_sets: bytes
    """Annex B; empty where the description holds none."""
    frames_per_s: float | None


def parse_description(body: bytes) -> Track:
    """The first H.264 or H.265 track.

    Raises:
        Unspoken: there is none, or in a form (encrypted, interleaved units) that isn't spoken here.
    """
    session_control = ""
    sections: list[tuple[str, list[str]]] = []
    for line in body.decode("utf-8", "replace").splitlines():
        kind, _, value = line.strip().partition("=")
        if kind == "m":
            sections.append((value, []))
        elif kind == "a" and sections:
            sections[-1][1].append(value)
        elif kind == "a" and value.startswith("control:"):
            session_control = value.removeprefix("control:").strip()
    seen = []
    for media, attributes in sections:
        words = media.split()
        if len(words) < 4 or words[0] != "video":
            continue
        track = _track(words, attributes, session_control)
        if track is not None:
            return track
        seen.append(" ".join([words[2], *_named(attributes, "rtpmap")])[:80])
    raise Unspoken(", ".join(seen) or "no video track")


def track_url(base: str, control: str) -> str:
    """Where a track is set up, from the description's base and the track's ``control``."""
    if not control or control == "*":
        return base
    if urlsplit(control).scheme.lower() in ("rtsp", "rtsps"):
        return control
    # Not by the rules for links: cameras append, and have queries in their paths.
    return urljoin(base, control) if control.startswith("/") else f"{base.rstrip('/')}/{control}"


def _track(words: list[str], attributes: list[str], session_control: str) -> Track | None:
    if words[2].upper() not in ("RTP/AVP", "RTP/AVP/TCP"):
        return None
    for mapping in _named(attributes, "rtpmap"):
        number, _, encoding = mapping.partition(" ")
        name, _, rest = encoding.strip().partition("/")
        codec = {"H264": Codec.H264, "H265": Codec.H265, "HEVC": Codec.H265}.get(name.upper())
        clock = rest.partition("/")[0]
        if codec is None or number not in words[3:] or not (clock.isdigit() and number.isdigit()):
            continue
        parameters = _format_parameters(attributes, number)
        if parameters.get("packetization-mode") == "2" or _reorders(parameters):
            return None
        if not 0 < int(clock) <= 10_000_000 or int(number) > 127:
            return None
        return Track(
            codec=codec,
            payload_type=int(number),
            clock_hz=int(clock),
            control=next(iter(_named(attributes, "control")), ""),
            session_control=session_control,
            parameter_sets=annex_b(_parameter_sets(codec, parameters)),
            frames_per_s=_rate(attributes),
        )
    return None


def _named(attributes: list[str], name: str) -> list[str]:
    return [a.partition(":")[2].strip() for a in attributes if a.partition(":")[0] == name]


def _format_parameters(attributes: list[str], number: str) -> dict[str, str]:
    for text in _named(attributes, "fmtp"):
        kind, _, rest = text.partition(" ")
        if kind == number:
            pairs = (pair.strip().partition("=") for pair in rest.split(";"))
            return {name.strip().lower(): value.strip() for name, _, value in pairs}
    return {}


def _reorders(parameters: dict[str, str]) -> bool:
    """Decoding order numbers (RFC 7798, 4.4) stand in the packets."""
    return parameters.get("sprop-max-don-diff", "0") not in ("", "0")


def _parameter_sets(codec: Codec, parameters: dict[str, str]) -> list[bytes]:
    names = (
        ("sprop-parameter-sets",)
        if codec is Codec.H264
        else ("sprop-vps", "sprop-sps", "sprop-pps")
    )
    texts = [text for name in names for text in parameters.get(name, "").split(",") if text]
    try:
        # Some leave the padding out.
        sets = [base64.b64decode(text + "=" * (-len(text) % 4), validate=True) for text in texts]
    except (binascii.Error, ValueError):
        return []  # the keyframes bring them too
    return [each for each in sets if each]


def _rate(attributes: list[str]) -> float | None:
    for text in _named(attributes, "framerate"):
        try:
            rate = float(text)
        except ValueError:
            continue
        if 0 < rate <= 1000:
            return rate
    return None
