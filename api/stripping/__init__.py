"""Takes out of people's pictures and videos what a phone writes beside the picture: where it was
taken (Exif, XMP, a video's location), the phone's number and owner, a thumbnail of what was cut off
later, and whatever else lies behind the picture's end.

Whoever sends a photo of a flood sends no address of a home, and whoever may see the incident isn't
shown one. The pictures themselves stay as they were, byte for byte: nothing is decoded or encoded
again. What it stands on is kept: how to turn it, its colours, its animation. PDFs are left as they
are: they are documents, written to be read.
"""

from __future__ import annotations

from collections.abc import Callable

from api.stripping.jpeg import strip_jpeg
from api.stripping.mp4 import strip_mp4
from api.stripping.png import strip_png
from api.stripping.refusal import NotWhole
from api.stripping.webp import strip_webp

__all__ = ["NotWhole", "stripped"]

_OF_KIND: dict[str, Callable[[bytes], bytes]] = {
    "image/jpeg": strip_jpeg,
    "image/png": strip_png,
    "image/webp": strip_webp,
    "video/mp4": strip_mp4,
}


def stripped(content: bytes, media_type: str) -> bytes:
    """The same picture or video without what was written beside it; again changes nothing.

    Raises:
        NotWhole: it isn't what ``media_type`` says, or unreasonably large when it is unpacked.
    """
    strip = _OF_KIND.get(media_type)
    return content if strip is None else strip(content)
