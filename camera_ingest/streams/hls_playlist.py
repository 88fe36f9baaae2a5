"""HLS playlists (RFC 8216), as far as live cameras use them. Pure: text in, values out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')
_MOST_LINES = 20_000


class PlaylistError(ValueError):
    """This is no playlist, or uses something we can't follow; says what."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several streams of the same picture."""

    url: str
    bandwidth_bps: int
    width_px: int | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A few seconds of the stream."""

    number: int
    """Media sequence number: grows by one a segment and is never used twice."""
    url: str
    duration_s: float
    head_url: str | None
    """What must be read before it (fragmented MP4); none for MPEG-TS."""
    began_at: datetime | None = None
    """The wall clock at its first picture, where the playlist tells it (program date)."""


@dataclass(frozen=True, slots=True)
class MasterPlaylist:
    """The choice of streams."""

    variants: tuple[Variant, ...]

    def best_for(self, width_px: int) -> Variant:
        """The cheapest that is at least so wide; else the best there is."""
        wide = [v for v in self.variants if v.width_px is not None and v.width_px >= width_px]
        if wide:
            return min(wide, key=lambda v: v.bandwidth_bps)
        return max(self.variants, key=lambda v: v.bandwidth_bps)


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """The segments that can be fetched now, oldest first."""

    segments: tuple[Segment, ...]
    target_duration_s: float
    is_ended: bool


def parse_playlist(text: str, url: str) -> MasterPlaylist | MediaPlaylist:
    """Read a playlist that came from ``url``.

    Raises:
        PlaylistError: no playlist, an empty choice, or segments encrypted or in parts of files.
    """
    lines = text.lstrip("\ufeff").splitlines()[:_MOST_LINES]
    if not lines or not lines[0].startswith("#EXTM3U"):
        raise PlaylistError("the answer is no HLS playlist (it does not begin with #EXTM3U)")
    if any(line.startswith("#EXT-X-STREAM-INF") for line in lines):
        return _parse_master(lines, url)
    return _parse_media(lines, url)


def _parse_master(lines: list[str], url: str) -> MasterPlaylist:
    variants = []
    attributes: dict[str, str] | None = None
    for line in map(str.strip, lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            attributes = _attributes(line)
        elif line and not line.startswith("#") and attributes is not None:
            width, _, _ = attributes.get("RESOLUTION", "").partition("x")
            bandwidth = attributes.get("BANDWIDTH", "")
            variants.append(
                Variant(
                    url=_absolute(url, line),
                    bandwidth_bps=int(bandwidth) if _is_number(bandwidth) else 0,
                    width_px=int(width) if _is_number(width) else None,
                )
            )
            attributes = None
    if not variants:
        raise PlaylistError("the HLS playlist offers no stream")
    return MasterPlaylist(tuple(variants))


def _parse_media(lines: list[str], url: str) -> MediaPlaylist:
    segments: list[Segment] = []
    number, target_s, duration_s = 0, 0.0, 0.0
    head_url: str | None = None
    began_at: datetime | None = None
    is_ended = False
    for line in map(str.strip, lines):
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-TARGETDURATION":
            target_s = _seconds(value)
        elif tag == "#EXT-X-MEDIA-SEQUENCE":
            number = int(value) if _is_number(value) else 0
        elif tag == "#EXTINF":
            duration_s = _seconds(value.partition(",")[0])
        elif tag == "#EXT-X-MAP":
            uri = _attributes(line).get("URI")
            head_url = _absolute(url, uri) if uri else None
        elif tag == "#EXT-X-KEY" and _attributes(line).get("METHOD") != "NONE":
            raise PlaylistError("the HLS stream is encrypted, which is not supported")
        elif tag == "#EXT-X-BYTERANGE":
            raise PlaylistError("the HLS segments are parts of files, which is not supported")
        elif tag == "#EXT-X-PROGRAM-DATE-TIME":
            began_at = _wall_clock(value)
        elif tag == "#EXT-X-DISCONTINUITY":
            began_at = None
        elif tag == "#EXT-X-ENDLIST":
            is_ended = True
        elif line and not line.startswith("#"):
            segments.append(Segment(number, _absolute(url, line), duration_s, head_url, began_at))
            number += 1
            if began_at is not None:
                began_at += timedelta(seconds=duration_s)
    longest_s = max((segment.duration_s for segment in segments), default=0.0)
    return MediaPlaylist(tuple(segments), target_s or longest_s or 1.0, is_ended)


def _absolute(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        raise PlaylistError("the HLS playlist holds a reference that is no URL") from None


def _attributes(line: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line.partition(":")[2])}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _wall_clock(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip())
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None  # whatever it says, it is no help; arrival times serve instead


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), 60.0) if seconds == seconds else 0.0
