"""Pictures and videos as phones send them: with their place and owner beside them."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

PLACE = b"TAKEN AT 6.2383 S 106.9756 E"
"""Stands in every field that a phone may write."""
LAT, LON = (6.0, 14.0, 17.88), (106.0, 58.0, 32.16)
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


def scene(width_px: int = 48, height_px: int = 32) -> Image.Image:
    """A picture of which every corner looks different."""
    ramp = np.linspace(0, 255, width_px * height_px, dtype=np.uint8).reshape(height_px, width_px)
    return Image.fromarray(np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=2))


def exif(orientation: int = 1) -> Image.Exif:
    """Place, time, device, owner, and how to turn it."""
    found = Image.Exif()
    found[ExifTags.Base.Orientation] = orientation
    found[ExifTags.Base.Make] = PLACE.decode()
    found[ExifTags.Base.Artist] = PLACE.decode()
    gps = found.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "S", LAT
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", LON
    return found


def photo(media_type: str, orientation: int = 1, **more: object) -> bytes:
    """As a phone's camera saves it."""
    file = io.BytesIO()
    how: dict[str, object] = {"exif": exif(orientation), "xmp": b"<x>" + PLACE + b"</x>"}
    if media_type == "image/png":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", PLACE.decode())
        texts.add_itxt("XML:com.adobe.xmp", PLACE.decode(), zip=False)
        how = {"exif": exif(orientation), "pnginfo": texts}
    elif media_type == "image/jpeg":
        how["comment"] = PLACE
    scene().save(file, FORMATS[media_type], **(how | more))
    return file.getvalue()


def video(folder: Path) -> bytes:
    """A second of video with the place in its metadata, as phones write it."""
    path = folder / "video.mp4"
    with av.open(path, "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata["location"] = PLACE.decode()
        container.metadata["com.apple.quicktime.location.ISO6709"] = PLACE.decode()
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height = 48, 32
        stream.time_base = Fraction(1, 5)
        for number in range(5):
            picture = np.asarray(scene().rotate(number * 30))
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()
