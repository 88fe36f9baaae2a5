"""The session description a client gets from DESCRIBE (RFC 8866, 6184, 7798)."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from simulator.rtsp.nal import Codec, nal_type
from simulator.rtsp.rtp import CLOCK_HZ, PAYLOAD_TYPE

_H265_NAMES = {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}


def describe(codec: Codec, parameter_sets: Sequence[bytes], name: str) -> str:
    """The SDP of one live video track; ``parameter_sets`` let a decoder start at once."""
    return "\r\n".join(
        (
            "v=0",
            "o=- 0 0 IN IP4 127.0.0.1",
            f"s={name}",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "a=range:npt=now-",
            "a=control:*",
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
            f"a=rtpmap:{PAYLOAD_TYPE} {codec.value}/{CLOCK_HZ}",
            f"a=fmtp:{PAYLOAD_TYPE} {_format_parameters(codec, parameter_sets)}",
            "a=control:trackID=0",
            "",
        )
    )


def _format_parameters(codec: Codec, parameter_sets: Sequence[bytes]) -> str:
    encoded = [(nal, base64.b64encode(nal).decode()) for nal in parameter_sets]
    if codec is Codec.H264:
        # profile-level-id: the three bytes after the first SPS's header (RFC 6184, 8.1).
        profile = next(nal for nal in parameter_sets if nal_type(codec, nal) == 7)[1:4].hex()
        sets = ",".join(text for _, text in encoded)
        return (
            f"packetization-mode=1;profile-level-id={profile.upper()};sprop-parameter-sets={sets}"
        )
    grouped: dict[str, list[str]] = {}
    for nal, text in encoded:
        grouped.setdefault(_H265_NAMES[nal_type(codec, nal)], []).append(text)
    return ";".join(f"{key}={','.join(values)}" for key, values in grouped.items())
