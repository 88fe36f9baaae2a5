"""A small RTSP server for simulated cameras: files in a loop or pictures drawn as time goes by."""

from simulator.rtsp.digest import Credentials
from simulator.rtsp.faults import HEALTHY, Faults
from simulator.rtsp.file_source import FileSource, UnplayableVideoError
from simulator.rtsp.mount import Mount
from simulator.rtsp.nal import Codec, Picture
from simulator.rtsp.rendered_source import RenderedSource, Renderer
from simulator.rtsp.server import RtspServer
from simulator.rtsp.sources import Source
from simulator.rtsp.timeline import Timeline

__all__ = [
    "HEALTHY",
    "Codec",
    "Credentials",
    "Faults",
    "FileSource",
    "Mount",
    "Picture",
    "RenderedSource",
    "Renderer",
    "RtspServer",
    "Source",
    "Timeline",
    "UnplayableVideoError",
]
