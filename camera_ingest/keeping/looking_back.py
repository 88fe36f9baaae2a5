"""What a camera saw a moment ago: packets that were kept, decoded after all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import cast

import av

from camera_ingest.keeping.preroll import PacketRun
from camera_ingest.pictures import PictureShrinker
from camera_ingest.timing import PictureRate
from contracts import CameraId, Frame


def pictures_of(
    run: PacketRun,
    camera_id: CameraId,
    since: datetime,
    *,
    fps: float,
    max_width_px: int,
) -> Iterator[Frame]:
    """The run's sound pictures captured from ``since`` on, oldest first, evenly ``fps`` a second.

    All of the run is decoded, since pictures stand on one another; only what is handed on is
    shrunk and converted. Decoding goes on as far as the iterator is drawn, so whoever draws it
    bears the cost.
    """
    decoder = run.new_decoder()
    shrinker = PictureShrinker(max_width_px)
    rate = PictureRate(fps)
    began_at = run.pictures[0].captured_at
    for number in range(len(run.pictures) + 1):
        try:
            decoded = decoder.decode(_packet(run, number))
        except av.FFmpegError:
            continue  # A damaged packet: what stands on it comes out marked corrupt.
        for picture in decoded:
            if picture.pts is None or not 0 <= picture.pts < len(run.pictures):
                continue
            coded = run.pictures[picture.pts]
            at_s = (coded.captured_at - began_at).total_seconds()
            if picture.is_corrupt or coded.captured_at < since or not rate.is_due(at_s):
                continue
            image, _ = shrinker.shrink(picture)
            yield Frame(
                camera_id=camera_id,
                image=image,
                captured_at=coded.captured_at,
                received_at=coded.received_at,
                source_width_px=picture.width,
                source_height_px=picture.height,
                is_keyframe=bool(picture.key_frame),
            )


def _packet(run: PacketRun, number: int) -> av.Packet[av.VideoStream] | None:
    """A packet whose time stamp is its number, by which its picture is known again; none ends."""
    if number == len(run.pictures):
        return None
    packet = cast("av.Packet[av.VideoStream]", av.Packet(run.pictures[number].data))
    packet.pts = number
    packet.time_base = Fraction(1, 1000)
    return packet
