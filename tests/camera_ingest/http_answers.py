"""What an HTTP camera may answer, and what is read from it."""

from __future__ import annotations

import re
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from camera_ingest import IngestError, StreamOpener, StreamReader
from contracts import Frame, StreamSource
from tests.camera_ingest.http_camera import Answer, Handler, HttpCamera

SECRET = "p@ss w:rd/&"


def frames_of(source: StreamSource, opener: StreamOpener, count: int) -> list[Frame]:
    return list(islice(StreamReader(source, opener).frames(), count))


def failure_of(source: StreamSource, opener: StreamOpener) -> IngestError:
    with pytest.raises(IngestError) as caught:
        for _ in StreamReader(source, opener).frames():
            pass
    assert SECRET not in str(caught.value)
    return caught.value


def jpeg(grey: int = 120) -> bytes:
    picture = np.full((96, 160, 3), grey, np.uint8)
    picture[20:40, 20:60] = (200, 40, 40)
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = 160, 96, "yuvj420p"
    context.time_base = Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(p) for p in [*context.encode(frame), *context.encode(None)])


def mjpeg(http: HttpCamera, pictures: int = 10_000, every_s: float = 0.03) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=x")
        handler.end_headers()
        handler.close_connection = True
        for number in range(pictures):
            body = jpeg(100 + number % 50)
            handler.wfile.write(b"--x\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(body), body))
            if http.ending.wait(every_s):
                return

    return answer


def hang(http: HttpCamera) -> Answer:
    def answer(handler: Handler) -> None:
        http.ending.wait(60)
        handler.close_connection = True

    return answer


def segmented(http: HttpCamera, clip: Path, folder: Path, kind: str, *, live: bool) -> str:
    """Serve the clip as HLS, made by FFmpeg itself; live ones show one more segment a second."""
    with (
        av.open(str(clip)) as source,
        av.open(
            str(folder / "index.m3u8"),
            "w",
            format="hls",
            options={"hls_time": "1", "hls_list_size": "0", "hls_segment_type": kind},
        ) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    text = (folder / "index.m3u8").read_text()
    head, *segments = re.split(r"(?=#EXTINF)", text.replace("#EXT-X-ENDLIST\n", ""))
    began = time.monotonic()

    def playlist(handler: Handler) -> None:
        shown = 2 + int(time.monotonic() - began) if live else len(segments)
        end = "" if live else "#EXT-X-ENDLIST\n"
        body = head + "".join(segments[:shown]) + end
        handler.reply(200, body.encode(), Content_Type="application/vnd.apple.mpegurl")

    for path in folder.iterdir():
        if path.suffix != ".m3u8":
            http.answer_bytes(f"/live/{path.name}", path.read_bytes(), "video/mp2t")
    return http.answer("/live/index.m3u8", playlist)


def redirect(target: str) -> Answer:
    return lambda handler: handler.reply(302, b"", Location=target)
