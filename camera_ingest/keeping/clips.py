"""Keeping what a camera sent around an alarm: what came before at once, what follows at its end.

Life cycle of one recording: it takes hold of the pre-roll when it is made, hears every picture from
then on, and lets go of the camera when it is closed. Pictures are held once, with the pre-roll's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from camera_ingest.keeping.mp4 import format_of, write_clip
from camera_ingest.keeping.preroll import PacketRun, PreRoll
from camera_ingest.packets import CodedPicture, StreamInfo
from contracts import ClipPart, EvidenceId

KeepBytes = Callable[[bytes, str], EvidenceId]
"""Puts content of a media type into the evidence store; may block."""


@dataclass(slots=True)
class _Heard:
    number: int
    info: StreamInfo
    pictures: list[CodedPicture]


class ClipRecording:
    """One camera's pictures from a time in the past on, until it is closed."""

    def __init__(self, preroll: PreRoll, since: datetime, now: datetime) -> None:
        self._preroll = preroll
        self._heard: list[_Heard] = []
        # Heard first, so that nothing falls between; what is in both is left out below.
        preroll.follow(self._hear)
        self.before: list[PacketRun] = preroll.between(since, max(since, now))
        """What there is already."""

    def after(self) -> list[PacketRun]:
        """What was heard since, from the keyframe on that its first picture needs."""
        runs: list[PacketRun] = []
        last = self.before[-1] if self.before else None
        for heard in list(self._heard):
            pictures = list(heard.pictures)
            if last is not None and heard.number == last.number:
                had = {id(picture) for picture in last.pictures}
                pictures = [picture for picture in pictures if id(picture) not in had]
                if pictures and not pictures[0].is_keyframe:
                    pictures = [*_last_group(last), *pictures]
            start = next((n for n, one in enumerate(pictures) if one.is_keyframe), None)
            if start is not None:
                runs.append(PacketRun(heard.number, heard.info, tuple(pictures[start:])))
        return runs

    @property
    def n_bytes(self) -> int:
        """What was heard takes, the pre-roll's own not counted."""
        return sum(picture.size for heard in self._heard for picture in heard.pictures)

    def close(self) -> None:
        """Hear no more."""
        self._preroll.leave(self._hear)

    def _hear(self, info: StreamInfo, picture: CodedPicture, run: int) -> None:
        if not self._heard or self._heard[-1].number != run:
            self._heard.append(_Heard(run, info, []))
        self._heard[-1].pictures.append(picture)


def keep_run(run: PacketRun, metadata: Mapping[str, str], keep: KeepBytes) -> ClipPart:
    """Write one run as a file of evidence. Blocks.

    Raises:
        UnsupportedCodec: it can't be stored as it came.
        EvidenceError: the store takes nothing now.
    """
    content = write_clip(run, metadata)
    described = format_of(run)
    return ClipPart(
        evidence_id=keep(content, "video/mp4"),
        started_at=run.began_at,
        ended_at=run.ended_at,
        n_bytes=len(content),
        pictures=len(run.pictures),
        mime=f'video/mp4; codecs="{described.codecs}"',
        width_px=described.width_px,
        height_px=described.height_px,
    )


def _last_group(run: PacketRun) -> tuple[CodedPicture, ...]:
    start = max(n for n, picture in enumerate(run.pictures) if picture.is_keyframe)
    return run.pictures[start:]
