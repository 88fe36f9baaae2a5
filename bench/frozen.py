"""How a still that is coded anew differs from a live scene: ``python -m bench.frozen FOLDER``.

Of each video in the folder: for how long, at a picture a second, it stays like one of its pictures
(`camera_ingest.health.signs` calls pictures alike where no part's mean luma differs by more than a
tolerance); and how far copies of its first picture come to lie from each other when they are coded
with the quantisers and the rate controls of an encoder whose quality drifts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from camera_ingest.pictures import PictureFacts, PictureShrinker

TOLERANCES = (1.0, 1.5, 2.0, 3.0)
QUANTISERS = (20, 24, 28, 32, 36, 40)
RATES: dict[str, dict[str, str]] = {
    "crf 23": {"crf": "23"},
    "abr 400k": {"b": "400k"},
    "abr 80k": {"b": "80k"},
    "cbr 200k": {"b": "200k", "minrate": "200k", "maxrate": "200k", "bufsize": "200k"},
    "abr 150k, zero latency": {"b": "150k", "tune": "zerolatency"},
}


def pictures(video: Path, *, every_s: float = 1.0) -> Iterator[av.VideoFrame]:
    """One picture in so many seconds."""
    due_s = 0.0
    with av.open(str(video)) as container:
        for picture in container.decode(video=0):
            if (picture.time or 0.0) >= due_s:
                due_s += every_s
                yield picture


def keyframes_of_a_still(
    still: av.VideoFrame, options: dict[str, str], *, count: int
) -> Iterator[av.VideoFrame]:
    """The same picture, shown and coded again and again, as a cold camera's watcher decodes it:
    the first of every five."""
    width, height = still.width // 2 * 2, still.height // 2 * 2
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(5), Fraction(1, 5)
    encoder.gop_size = 5
    encoder.thread_count = 1
    encoder.options = {"preset": "ultrafast", **options}
    decoder = av.CodecContext.create("h264", "r")
    planes = still.reformat(width, height, "yuv420p", threads=1).to_ndarray()

    def decoded(packets: Iterable[av.Packet[av.VideoStream]]) -> Iterator[av.VideoFrame]:
        for packet in packets:
            yield from (each for each in decoder.decode(packet) if each.key_frame)

    for number in range(5 * count):
        shown = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        shown.pts = number
        yield from decoded(encoder.encode(shown))
    yield from decoded(encoder.encode(None))
    yield from (each for each in decoder.decode(None) if each.key_frame)


def facts(shown: Iterable[av.VideoFrame]) -> list[PictureFacts]:
    """As a worker takes them of pictures of the usual width."""
    shrinker = PictureShrinker(640)
    return [shrinker.shrink(picture)[1] for picture in shown]


def longest_alike(found: list[PictureFacts], tolerance: float) -> int:
    """For how many pictures on they stayed within the tolerance of one of them, at most."""
    longest = first = 0
    for number, each in enumerate(found):
        if _apart(each, found[first]) > tolerance:
            first = number
        longest = max(longest, number - first)
    return longest


def _apart(one: PictureFacts, other: PictureFacts) -> float:
    return float(np.abs(one.cells - other.cells).max())


def _furthest(found: list[PictureFacts]) -> float:
    return max(_apart(one, other) for one in found for other in found)


def main() -> None:
    """Print the tables."""
    videos = sorted(Path(sys.argv[1]).glob("*.mp4"))
    header = " ".join(f"{tolerance:>6.1f}" for tolerance in TOLERANCES)
    print(f"{'seconds alike within, of a live scene':40s} {'s':>4s} {header}")
    for video in videos:
        live = facts(pictures(video))
        row = " ".join(f"{longest_alike(live, one):6d}" for one in TOLERANCES)
        print(f"{video.stem:40s} {len(live):4d} {row}")
    print("\ngrey levels apart, of a still coded anew: the worst of any part and pair")
    for video in videos:
        still = next(pictures(video))
        coded = [
            facts(keyframes_of_a_still(still, {"qp": str(qp)}, count=1))[0] for qp in QUANTISERS
        ]
        up_to = " ".join(
            f"qp 20-{qp} {_furthest(coded[: n + 1]):.2f}" for n, qp in enumerate(QUANTISERS) if n
        )
        print(f"{video.stem:28s} {up_to}")
        for name, options in RATES.items():
            kept = facts(keyframes_of_a_still(still, options, count=60))
            kinds = len({each.fingerprint for each in kept})
            print(f"{'':28s} {name:24s} {_furthest(kept):.2f} ({kinds} kinds in {len(kept)})")


if __name__ == "__main__":
    main()
