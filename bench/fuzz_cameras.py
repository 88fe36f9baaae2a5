"""Cameras that answer nonsense: ``python -m bench.fuzz_cameras [COUNT [SEED]]``, 10,000 by default.

Real answers of an RTSP camera (with its pictures) and of an HLS one (playlist and segment) are
spoilt by chance, sent over real connections, and read as a worker reads them. Each must end in an
`IngestError` or in pictures; at the end no thread, no file and no memory may be left over.
"""

from __future__ import annotations

import gc
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from camera_ingest import IngestError, StreamOpener, StreamReader
from contracts import CameraId, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from simulator.rtsp import Codec, FileSource
from simulator.rtsp.rtp import interleave, packetise, sender_report
from simulator.rtsp.sdp import describe
from simulator.rtsp.timeline import Timeline

AT_ONCE = 8
LONGEST_S = 1.0
"""A spoilt playlist may rightly ask for a long wait; then the reader is stopped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    count: int
    seconds: float
    endings: dict[str, int]
    faults: tuple[str, ...]
    """Endings that must not be: with the seed that leads there again."""
    threads_left: int
    files_left: int
    objects_left: int
    """Python's objects at the end, against those after the first tenth."""


class SpoiltCamera:
    """Says the same to everyone who connects, then hangs up."""

    def __init__(self, wire: Callable[[bytes], bytes]) -> None:
        self._wire = wire
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> SpoiltCamera:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    client.settimeout(LONGEST_S)
                    client.sendall(self._wire(client.recv(65_536)))
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65_536):
                        continue


def spoilt(chance: random.Random, data: bytes, most: int = 3) -> bytes:
    """The bytes with some flipped, cut out, doubled, or put in."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, most)):
        at = chance.randrange(len(changed) + 1)
        # Half of it where the text is: the pictures are far longer.
        if chance.random() < 0.5:
            at = min(at, chance.randrange(1_200))
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes((chance.randrange(256),))
            case 1:
                del changed[at : at + chance.choice((1, 2, 8, 200))]
            case 2:
                changed[at:at] = changed[at : at + chance.choice((4, 60, 900))]
            case 3:
                changed[at:at] = chance.randbytes(chance.choice((1, 4, 300)))
            case 4:
                changed[at:at] = chance.choice(
                    (
                        b"\r\n\r\n",
                        b"$\0\xff\xff",
                        b"-1",
                        b"9" * 40,
                        b"\0",
                        b"A" * 20_000,
                        b"//",
                        b"%",
                    )
                )
            case _:
                del changed[max(at, chance.randrange(len(changed) + 1)) :]
    return bytes(changed)


def clip(path: Path) -> Path:
    """A second of a small moving picture, a keyframe each half."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(10))
        if not isinstance(stream, av.VideoStream):
            raise TypeError("libx264 encodes no video")
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        stream.codec_context.gop_size = 5
        stream.codec_context.options = {"preset": "ultrafast", "tune": "zerolatency"}
        rng = np.random.default_rng(3)
        for _ in range(10):
            picture = rng.integers(0, 255, (72, 128, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


async def rtsp_wire(path: Path) -> bytes:
    """All that an RTSP camera says to a client, from the first answer to the last picture."""
    source = FileSource(path)
    described = describe(Codec.H264, source.parameter_sets, "a")
    transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: ab12;timeout=60\r\n"
    answers = (
        "RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE, GET_PARAMETER\r\n\r\n"
        "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Base: rtsp://127.0.0.1/a/\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(described)}\r\n\r\n{described}"
        f"RTSP/1.0 200 OK\r\nCSeq: 3\r\n{transport}\r\n"
        "RTSP/1.0 200 OK\r\nCSeq: 4\r\nSession: ab12\r\nRange: npt=now-\r\n\r\n"
    ).encode()
    timeline = Timeline(SystemClock())
    report = sender_report(ssrc=7, wall=timeline.wall(0), timestamp=0, packets=0, octets=0)
    wire, sequence = answers + interleave(1, [report]), 0
    async for picture in source.pictures(timeline):
        packets = packetise(
            Codec.H264,
            picture.nals,
            sequence=sequence,
            timestamp=round(picture.shown_s * 90_000),
            ssrc=7,
        )
        sequence += len(packets)
        wire += interleave(0, packets)
        if picture.shown_s > 1:
            break
    return wire


def http_wires(path: Path) -> tuple[bytes, bytes]:
    """What an HLS camera says: its playlist, and the one segment in it."""
    playlist = (
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:7\n"
        b"#EXT-X-PROGRAM-DATE-TIME:2026-11-22T06:00:00.000Z\n#EXTINF:1.0,\nsegment.ts\n"
        b"#EXT-X-ENDLIST\n"
    )
    return (
        _http("application/vnd.apple.mpegurl", playlist),
        _http("video/mp2t", path.read_bytes()),
    )


def _http(kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


class Fuzzer:
    """Tries answers; `run` as often as wanted."""

    def __init__(self, folder: Path, rtsp: bytes) -> None:
        self._rtsp = rtsp
        self._playlist, self._segment = http_wires(clip(folder / "segment.ts"))
        settings = IngestSettings(
            allow_private=("127.0.0.0/8",),
            open_timeout_s=1,
            read_timeout_s=1,
            simultaneous_opens=64,
            ffmpeg_fallback=False,
            frame_width_px=160,
        )
        guard = AddressGuard(settings.allow_private)
        sealer = Sealer(folder / "key", {})
        # One gate for each, or opening would be spaced out.
        self._openers = [
            StreamOpener(settings, SystemClock(), guard, sealer) for _ in range(AT_ONCE)
        ]

    def run(self, count: int, seed: int) -> Outcome:
        """Spoil and read so many answers, half of them RTSP's."""
        endings: Counter[str] = Counter()
        faults: list[str] = []
        threads, files = threading.active_count(), _open_files()
        began_s, early = time.monotonic(), 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tenth = max(1, count // 10)
            for start in range(0, count, tenth):
                numbers = range(start, min(start + tenth, count))
                for number, ending in zip(
                    numbers, pool.map(lambda n: self._try(n, seed), numbers), strict=True
                ):
                    endings[ending] += 1
                    if ending.startswith("fault"):
                        faults.append(f"{ending} (seed {seed}, number {number})")
                if start == 0:
                    early = _objects()
        seconds = time.monotonic() - began_s
        deadline_s = time.monotonic() + 15  # the receivers' threads end a little after their last
        while threading.active_count() > threads and time.monotonic() < deadline_s:
            time.sleep(0.2)
        return Outcome(
            count=count,
            seconds=seconds,
            endings=dict(endings.most_common()),
            faults=tuple(faults),
            threads_left=threading.active_count() - threads,
            files_left=_open_files() - files,
            objects_left=_objects() - early,
        )

    def _try(self, number: int, seed: int) -> str:
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 - nothing secret
        is_rtsp = number % 2 == 0
        if is_rtsp:
            said = spoilt(chance, self._rtsp)
            wire = lambda _asked: said  # noqa: E731
        else:
            playlist, segment = self._playlist, self._segment
            if chance.random() < 0.5:
                playlist = spoilt(chance, playlist)
            else:
                segment = spoilt(chance, segment)
            wire = lambda asked: playlist if b".m3u8" in asked[:200] else segment  # noqa: E731
        with SpoiltCamera(wire) as camera:
            path = f"rtsp://127.0.0.1:{camera.port}/a"
            if not is_rtsp:
                path = f"http://127.0.0.1:{camera.port}/a.m3u8"
            source = StreamSource(camera_id=CameraId("fuzzed"), url=path)
            opener = self._openers[number % AT_ONCE]
            return _ending(StreamReader(source, opener, hot=True))


def _open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def _objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def _ending(reader: StreamReader) -> str:
    alarm = threading.Timer(LONGEST_S, reader.stop)
    alarm.start()
    pictures = 0
    try:
        for _ in reader.frames():
            pictures += 1
    except IngestError as error:
        if "could not be processed" in error.detail:
            return f"fault: {error.detail}"
        return error.state.value + (", after pictures" if pictures else "")
    except Exception as error:  # noqa: BLE001 - what is looked for
        return f"fault: {type(error).__name__}: {error}"
    finally:
        alarm.cancel()
        alarm.join()
    return "stopped, after pictures" if pictures else "stopped"


def table(outcome: Outcome) -> str:
    """The outcome for people."""
    shown: list[Any] = [f"{outcome.count} spoilt answers in {outcome.seconds:.0f} s"]
    shown += [f"  {count:6} {ending}" for ending, count in outcome.endings.items()]
    shown += [
        f"left over: {outcome.threads_left} threads, {outcome.files_left} files; "
        f"{outcome.objects_left:+} objects since the first tenth",
        *outcome.faults,
    ]
    return "\n".join(shown)


def new_fuzzer(folder: Path) -> Fuzzer:
    """A fuzzer whose clips lie in ``folder``."""
    import asyncio

    return Fuzzer(folder, asyncio.run(rtsp_wire(clip(folder / "clip.mp4"))))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="siaga-fuzz-") as temporary:
        count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
        seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
        found = new_fuzzer(Path(temporary)).run(count, seed)
        sys.stdout.write(table(found) + "\n")
        sys.exit(bool(found.faults or found.threads_left > 0 or found.files_left > 0))
