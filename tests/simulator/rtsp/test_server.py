from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from simulator.rtsp import Codec, Credentials, Faults, RenderedSource
from tests.simulator.rtsp.clients import BareClient, opened, pictures, watch, with_user
from tests.support.rtsp import ClockPictures, RtspThread, read_clock, small_video


def test_a_drawn_stream_opens_fast_and_tells_its_capture_time(rtsp: RtspThread) -> None:
    url = rtsp.serve_clock("clock")
    started = time.monotonic()
    with opened(url) as container:
        assert time.monotonic() - started < 4.0
        seen = list(islice(pictures(container), 20))
    stamped = [picture for picture in seen if picture.captured_at is not None]
    assert len(stamped) >= 15
    for picture in stamped:
        assert picture.captured_at is not None
        # What the picture itself shows is the truth about when it was taken.
        assert abs(read_clock(picture.rgb, picture.captured_at)) < 0.1


def test_a_second_client_starts_at_once_with_a_whole_picture(rtsp: RtspThread) -> None:
    url = rtsp.serve_clock("clock")
    with opened(url) as first:
        next(pictures(first))
        started = time.monotonic()
        seen = watch(url, 1)[0]
        assert time.monotonic() - started < 4.0
        assert not seen.is_corrupt
        # It starts at the latest keyframe, which come twice a second.
        assert read_clock(seen.rgb, seen.received_at) < 1.6


def test_h265_is_served_too(rtsp: RtspThread) -> None:
    url = rtsp.serve(
        "hevc", RenderedSource(ClockPictures(320), fps=10, codec=Codec.H265, keyframe_every_s=0.5)
    )
    with opened(url) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        seen = list(islice(pictures(container), 8))
    assert abs(read_clock(seen[-1].rgb, seen[-1].received_at)) < 1.0


@pytest.mark.parametrize(
    ("name", "codec", "b_frames"),
    [
        ("a.mp4", "libx264", 0),
        ("b.mp4", "libx264", 2),
        ("c.mp4", "libx265", 0),
        ("d.ts", "libx264", 0),
    ],
)
def test_a_file_loops_without_a_jump_for_the_decoder(
    rtsp: RtspThread, tmp_path: Path, name: str, codec: str, b_frames: int
) -> None:
    file = small_video(tmp_path / name, seconds=0.6, fps=40, gop=8, codec=codec, b_frames=b_frames)
    seen = watch(rtsp.serve_file("loop", file), 45)
    assert len(seen) == 45
    assert not any(picture.is_corrupt for picture in seen)
    steps = [later.shown_s - earlier.shown_s for earlier, later in pairwise(seen)]
    assert min(steps) > 0.02
    assert max(steps) < 0.03


def test_a_loop_passes_packets_on_as_they_are_in_their_own_time(
    rtsp: RtspThread, tmp_path: Path
) -> None:
    file = small_video(tmp_path / "a.mp4", seconds=1.0, fps=10, gop=5)
    with av.open(str(file)) as container:
        originals = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    seen = watch(rtsp.serve_file("loop", file), 25)
    assert any(np.array_equal(seen[0].rgb, original) for original in originals)
    lags = [
        (picture.received_at - picture.captured_at).total_seconds()
        for picture in seen[12:]
        if picture.captured_at is not None
    ]
    # Live: pictures come when they are taken; the demuxer holds one until the next begins.
    assert -0.05 < statistics.median(lags) < 0.3


def test_a_path_with_credentials_wants_the_right_ones(rtsp: RtspThread, tmp_path: Path) -> None:
    file = small_video(tmp_path / "a.mp4")
    url = rtsp.serve_file("gate", file, credentials=Credentials("admin", "rahasia"))
    assert len(watch(with_user(url, "admin", "rahasia"), 3)) == 3
    for wrong in (url, with_user(url, "admin", "salah"), with_user(url, "root", "rahasia")):
        with pytest.raises(av.HTTPUnauthorizedError):
            watch(wrong, 1)


def test_an_unknown_path_is_not_found_and_a_taken_one_not_given_twice(
    rtsp: RtspThread, tmp_path: Path
) -> None:
    file = small_video(tmp_path / "a.mp4")
    url = rtsp.serve_file("a", file)
    with pytest.raises(av.HTTPNotFoundError):
        watch(url + "b", 1)
    with pytest.raises(ValueError, match="/a is served already"):
        rtsp.serve_file("/a/", file)


def test_twenty_clients_at_once_miss_nothing(rtsp: RtspThread) -> None:
    url = rtsp.serve_clock("clock", fps=10)
    with ThreadPoolExecutor(20) as pool:
        everyone = list(pool.map(lambda _: watch(url, 15, read_s=8.0), range(20)))
    for seen in everyone:
        steps = [later.shown_s - earlier.shown_s for earlier, later in pairwise(seen)]
        # A loaded machine may leave a drawn picture out, for everyone; none may be torn.
        assert len(seen) == 15
        assert not any(picture.is_corrupt for picture in seen)
        assert min(steps) > 0.05


def test_requests_by_hand_get_what_the_standard_says(rtsp: RtspThread, tmp_path: Path) -> None:
    url = rtsp.serve_file("a", small_video(tmp_path / "a.mp4"))
    with BareClient(url) as client:
        assert "GET_PARAMETER" in client.ask("OPTIONS")
        described = client.ask("DESCRIBE", Accept="application/sdp")
        assert "a=rtpmap:96 H264/90000" in described
        assert "sprop-parameter-sets=" in described
        assert "461" in client.ask("SETUP", Transport="RTP/AVP;unicast;client_port=5000-5001")
        assert "454" in client.ask("PLAY", Session="nix")
        assert "405" in client.ask("RECORD")
        assert "200" in client.play()
        assert client.interleaved()[0] == 1, "the sender report comes before the first picture"
        assert client.interleaved()[0] == 0


def test_rubbish_closes_the_connection_and_nobody_elses(rtsp: RtspThread) -> None:
    url = rtsp.serve_clock("clock")
    with opened(url) as container:
        seen = pictures(container)
        next(seen)
        for rubbish in (b"GET / HTTP/1.1\r\n\r\n", b"x" * 200_000, b"\r\n\r\nnix\r\n\r\n"):
            with BareClient(url) as client:
                client.socket.sendall(rubbish)
                with pytest.raises((EOFError, ConnectionResetError)):
                    while True:
                        client.interleaved()
        assert len(list(islice(seen, 5))) == 5


class Noise(ClockPictures):
    """Pictures that no encoder can make small."""

    def __init__(self) -> None:
        super().__init__(640)
        self._random = np.random.default_rng(1)

    def render(self, at: object) -> np.ndarray:
        shape = (self.height_px, self.width_px, 3)
        return self._random.integers(0, 256, shape, np.uint8)


def test_a_client_that_reads_nothing_holds_little_and_hurts_nobody(
    rtsp: RtspThread, caplog: pytest.LogCaptureFixture
) -> None:
    url = rtsp.serve("noise", RenderedSource(Noise(), fps=25))
    with BareClient(url, receive_buffer=4_096) as lazy:
        lazy.play()
        seen = watch(url, 60, read_s=8.0)
        assert len(seen) == 60
        unsent = rtsp.call(lambda: rtsp.server.mount("noise").unsent_bytes())
        # One picture may go over the limit of 2 MB; this one is about 200 kB.
        assert 100_000 < unsent < 2_600_000
        assert "reads /noise too slowly" in caplog.text


def test_a_source_rests_when_nobody_watches(rtsp: RtspThread) -> None:
    calls: list[object] = []

    class Counting(ClockPictures):
        def render(self, at):  # type: ignore[no-untyped-def]
            calls.append(at)
            return super().render(at)

    url = rtsp.serve("clock", RenderedSource(Counting(160), fps=10))
    watch(url, 3)
    deadline = time.monotonic() + 8
    drawn = -1
    while time.monotonic() < deadline and drawn != len(calls):
        drawn = len(calls)
        time.sleep(0.7)
    assert drawn == len(calls)
    assert len(watch(url, 3)) == 3


class TestFaults:
    def test_stall_stops_pictures_but_not_the_connection(self, rtsp: RtspThread) -> None:
        url = rtsp.serve_clock("clock")
        with opened(url, read_s=1.0) as container:
            seen = pictures(container)
            next(seen)
            rtsp.set_faults("clock", Faults(stall=True))
            with pytest.raises(av.FFmpegError):
                for _ in seen:
                    pass
            assert rtsp.reader_count("clock") == 1
        with BareClient(url) as client:
            assert "200" in client.ask("DESCRIBE")

    def test_a_stall_that_ends_goes_on_with_a_whole_picture(self, rtsp: RtspThread) -> None:
        url = rtsp.serve_clock("clock")
        with opened(url, read_s=8) as container:
            seen = pictures(container)
            before = list(islice(seen, 5))[-1]
            rtsp.set_faults("clock", Faults(stall=True))
            time.sleep(1.2)
            rtsp.set_faults("clock", Faults())
            after = [next(picture for picture in seen if picture.shown_s > before.shown_s + 0.8)]
            after += list(islice(seen, 5))
            assert after[-1].shown_s - before.shown_s > 1.0
            assert abs(read_clock(after[-1].rgb, after[-1].received_at)) < 0.6

    def test_dropping_ends_the_stream_and_the_next_open_works(self, rtsp: RtspThread) -> None:
        url = rtsp.serve_clock("clock")
        with opened(url) as container:
            seen = pictures(container)
            next(seen)
            rtsp.drop_readers("clock")
            assert len(list(seen)) < 10
        assert len(watch(url, 2)) == 2

    def test_drop_lets_nobody_play(self, rtsp: RtspThread) -> None:
        url = rtsp.serve_clock("clock")
        with opened(url) as container:
            seen = pictures(container)
            next(seen)
            rtsp.set_faults("clock", Faults(drop=True))
            assert len(list(seen)) < 10
        with pytest.raises(av.FFmpegError):
            watch(url, 1)

    def test_hang_never_answers(self, rtsp: RtspThread) -> None:
        url = rtsp.serve_clock("clock")
        rtsp.set_faults("clock", Faults(hang=True))
        started = time.monotonic()
        with (
            pytest.raises(av.FFmpegError),
            av.open(url, options={"rtsp_transport": "tcp"}, timeout=(1.0, 1.0)),
        ):
            pass
        assert time.monotonic() - started > 0.9

    def test_loss_tears_pictures_and_the_decoder_sees_it(
        self, rtsp: RtspThread, tmp_path: Path
    ) -> None:
        url = rtsp.serve("noise", RenderedSource(Noise(), fps=10))
        rtsp.set_faults("noise", Faults(loss=0.02))
        assert any(picture.is_corrupt for picture in watch(url, 20))

    def test_refuse_is_404_and_rejected_credentials_401(
        self, rtsp: RtspThread, tmp_path: Path
    ) -> None:
        file = small_video(tmp_path / "a.mp4")
        url = rtsp.serve_file("gate", file, credentials=Credentials("admin", "rahasia"))
        rtsp.set_faults("gate", Faults(refuse=True))
        with pytest.raises(av.HTTPNotFoundError):
            watch(with_user(url, "admin", "rahasia"), 1)
        rtsp.set_faults("gate", Faults(reject_credentials=True))
        with pytest.raises(av.HTTPUnauthorizedError):
            watch(with_user(url, "admin", "rahasia"), 1)
        rtsp.set_faults("gate", Faults())
        assert len(watch(with_user(url, "admin", "rahasia"), 1)) == 1

    def test_a_loss_of_more_than_everything_is_refused(self) -> None:
        with pytest.raises(ValueError, match="between 0 and 1"):
            Faults(loss=1.5)
