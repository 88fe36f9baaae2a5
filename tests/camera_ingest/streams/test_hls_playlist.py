from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from camera_ingest.streams.hls_playlist import (
    MasterPlaylist,
    MediaPlaylist,
    PlaylistError,
    parse_playlist,
)

BASE = "https://cctv.example/live/cam/index.m3u8?token=a"


def test_media_playlist() -> None:
    playlist = parse_playlist(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:812\n"
        "#EXTINF:4.000,\nseg812.ts\n#EXTINF:3.5,title, with comma\n/other/seg813.ts?x=1\n",
        BASE,
    )
    assert isinstance(playlist, MediaPlaylist)
    assert [(each.number, each.url, each.duration_s) for each in playlist.segments] == [
        (812, "https://cctv.example/live/cam/seg812.ts", 4.0),
        (813, "https://cctv.example/other/seg813.ts?x=1", 3.5),
    ]
    assert not playlist.is_ended
    assert playlist.target_duration_s == 4.0


def test_fragmented_mp4_names_its_head() -> None:
    playlist = parse_playlist(
        '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:2,\na.m4s\n#EXT-X-ENDLIST\n', BASE
    )
    assert isinstance(playlist, MediaPlaylist)
    assert playlist.segments[0].head_url == "https://cctv.example/live/cam/init.mp4"
    assert playlist.is_ended


def test_the_wall_clock_runs_on_from_where_it_is_told() -> None:
    playlist = parse_playlist(
        "#EXTM3U\n#EXTINF:2,\na.ts\n#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:00.5+07:00\n"
        "#EXTINF:4,\nb.ts\n#EXTINF:4,\nc.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:4,\nd.ts\n"
        "#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:4,\ne.ts\n",
        BASE,
    )
    assert isinstance(playlist, MediaPlaylist)
    told = datetime(2026, 11, 22, 3, 0, 0, 500_000, tzinfo=UTC)
    assert [segment.began_at for segment in playlist.segments] == [
        None,
        told,
        told + timedelta(seconds=4),
        None,
        None,
    ]


def test_the_cheapest_stream_that_is_wide_enough() -> None:
    text = "#EXTM3U\n" + "".join(
        f'#EXT-X-STREAM-INF:BANDWIDTH={bps},RESOLUTION={size},CODECS="avc1,mp4a"\n{size}.m3u8\n'
        for bps, size in [(5_000_000, "1920x1080"), (800_000, "640x360"), (300_000, "320x180")]
    )
    playlist = parse_playlist(text, BASE)
    assert isinstance(playlist, MasterPlaylist)
    assert playlist.best_for(640).width_px == 640
    assert playlist.best_for(4000).width_px == 1920
    assert playlist.best_for(640).url == "https://cctv.example/live/cam/640x360.m3u8"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<html>login</html>", "no HLS playlist"),
        ("", "no HLS playlist"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", "offers no stream"),
        ('#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:1,\na.ts\n', "encrypted"),
        ("#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:5@0\na.ts\n", "parts of files"),
    ],
)
def test_what_can_not_be_followed_says_so(text: str, why: str) -> None:
    with pytest.raises(PlaylistError, match=why):
        parse_playlist(text, BASE)


lines = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-STREAM-INF"]
    ).flatmap(lambda tag: st.text(max_size=12).map(lambda value: f"{tag}:{value}")),
    st.just("seg.ts"),
)


@given(st.lists(lines, max_size=12))
@example(["#EXTINF:nan,", "a.ts"])
@example(["#EXT-X-MEDIA-SEQUENCE:²", "http://[bad/"])
def test_rubbish_is_refused_or_read_never_worse(rest: list[str]) -> None:
    try:
        playlist = parse_playlist("#EXTM3U\n" + "\n".join(rest), BASE)
    except PlaylistError:
        return
    if isinstance(playlist, MediaPlaylist):
        assert all(0 <= segment.duration_s <= 60 for segment in playlist.segments)
        assert 0 < playlist.target_duration_s <= 60
    else:
        assert playlist.best_for(640) in playlist.variants
