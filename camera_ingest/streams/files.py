"""Video files in their own time, as fast as the machine can. Only for paths that a person names:
nothing that came from a register or over the network may get here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av

from camera_ingest.errors import IngestError
from camera_ingest.pictures import PictureShrinker
from camera_ingest.streams.container import is_decodable
from camera_ingest.timing import PictureRate
from contracts import CameraId, CameraState, Frame

FILE_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where a file's time begins unless told otherwise: the same for every run, so results compare."""

_OPTIONS = {
    # Formats that hold pictures themselves. A playlist would make FFmpeg open what it names.
    "format_whitelist": "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mjpeg,h264,hevc",
    "protocol_whitelist": "pipe",
}


def read_file(
    path: Path | str,
    every_s: float | None = None,
    *,
    camera_id: CameraId | None = None,
    started_at: datetime = FILE_EPOCH,
    max_width_px: int = 640,
) -> Iterator[Frame]:
    """The pictures of a video file.

    Args:
        path: The file.
        every_s: One picture each so many seconds of the file's time; none gives every picture.
        camera_id: Whose pictures they are; by default the file's name.
        started_at: The capture time of the file's first picture.
        max_width_px: Wider pictures are shrunk.

    Raises:
        IngestError: NOT_FOUND without such a file, INVALID for one that is no video or of which
            no picture can be shown; broken pictures within a video are left out.
    """
    path = Path(path)
    who = camera_id or CameraId(path.name[:80])
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise IngestError(who, CameraState.NOT_FOUND, f"there is no file {path}") from None
    except OSError as error:
        detail = f"can't read {path}: {error.strerror}"
        raise IngestError(who, CameraState.NOT_FOUND, detail) from error
    with file:
        try:
            # Given as an open file, FFmpeg takes no part of its name for a protocol.
            container = av.open(file, "r", options=_OPTIONS)
        except (av.FFmpegError, OSError) as error:  # OSError: of reading, such as an empty file's
            detail = f"{path.name} is no video that can be read ({error.strerror})"
            raise IngestError(who, CameraState.INVALID, detail) from error
        with container:
            if not container.streams.video or not is_decodable(container.streams.video[0]):
                raise IngestError(who, CameraState.INVALID, f"{path.name} holds no video")
            shown = False
            try:
                for frame in _pictures(container, who, every_s, started_at, max_width_px):
                    shown = True
                    yield frame
            except av.FFmpegError as error:
                detail = f"{path.name} is damaged and ends early ({error.strerror})"
                raise IngestError(who, CameraState.INVALID, detail) from error
            if not shown:
                detail = f"{path.name} holds no picture that can be shown"
                raise IngestError(who, CameraState.INVALID, detail)


def _pictures(
    container: av.container.InputContainer,
    camera_id: CameraId,
    every_s: float | None,
    started_at: datetime,
    max_width_px: int,
) -> Iterator[Frame]:
    stream = container.streams.video[0]
    context = stream.codec_context
    context.thread_count = 1
    shrinker = PictureShrinker(max_width_px)
    rate = PictureRate(1 / every_s) if every_s is not None else None
    step_s = float(1 / stream.average_rate) if stream.average_rate else 0.04
    first_s: float | None = None
    last_s = -step_s
    for packet in container.demux(stream):
        try:
            pictures = context.decode(packet)
        except av.FFmpegError:
            continue  # one damaged packet doesn't end a file
        for picture in pictures:
            first_s = picture.time if first_s is None else first_s
            at_s = last_s + step_s
            if picture.time is not None and first_s is not None:
                at_s = max(picture.time - first_s, last_s + 1e-3)
            last_s = at_s
            if picture.is_corrupt or (rate is not None and not rate.is_due(at_s)):
                continue
            image, _ = shrinker.shrink(picture)
            captured_at = started_at + timedelta(seconds=at_s)
            yield Frame(
                camera_id=camera_id,
                image=image,
                captured_at=captured_at,
                received_at=captured_at,
                source_width_px=picture.width,
                source_height_px=picture.height,
                is_keyframe=bool(picture.key_frame),
            )
