"""Streams in: cameras opened, watched over, decoded as little as possible, handed on as frames.

`IngestSupervisor` watches a worker's cameras; `StreamReader` reads one stream once; `probe`
looks at one and tells what is there; `read_file` reads a video file in its own time. The way of a
picture:

    StreamOpener -> PacketSource -> PictureDecoder -> PictureShrinker -> Frame -> FrameSlot

Failures are `IngestError`, typed by the state that the camera is to be shown in.
"""

from camera_ingest.errors import IngestError
from camera_ingest.frame_slots import FrameSlot, FrameSlots
from camera_ingest.health.quarantine import Quarantine
from camera_ingest.health.references import ReferencesInFolder
from camera_ingest.keeping.looking_back import pictures_of
from camera_ingest.keeping.preroll import PacketRun, PreRoll
from camera_ingest.packets import CodedPicture, StreamInfo
from camera_ingest.reader import StreamReader
from camera_ingest.streams.files import read_file
from camera_ingest.streams.opening import StreamOpener
from camera_ingest.streams.probe import ProbeResult, probe
from camera_ingest.supervisor import FrameCounts, IngestSupervisor

__all__ = [
    "CodedPicture",
    "FrameCounts",
    "FrameSlot",
    "FrameSlots",
    "IngestError",
    "IngestSupervisor",
    "PacketRun",
    "PreRoll",
    "ProbeResult",
    "Quarantine",
    "ReferencesInFolder",
    "StreamInfo",
    "StreamOpener",
    "StreamReader",
    "pictures_of",
    "probe",
    "read_file",
]
