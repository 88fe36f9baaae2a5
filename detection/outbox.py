"""What one camera has told of its tracks, and when it tells of them again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.detections import Box, Detection
from contracts.hazards import Sighting
from contracts.ids import CameraId, ReportId, TrackId
from detection.appearance import Shares
from detection.model_card import ModelCard
from detection.tracks import Track

RESEND_S = 10.0
"""A confirmed track is sent again at least so often while it is seen."""
RESEND_LLR = 1.0
"""Evidence that has grown by this much is sent at once ..."""
LEAST_GAP_S = 1.0
"""... but no track is sent more often than this."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a picture was taken and came in, and the size that Detections of it report in."""

    captured_at: datetime
    received_at: datetime
    frame_size: tuple[int, int]
    """Width and height in pixels."""

    @property
    def at_s(self) -> float:
        """The time of capture in seconds."""
        return self.captured_at.timestamp()

    def shares(self, track: Track) -> Shares:
        """Where a track is, as shares of the picture."""
        left, top, right, bottom = (float(v) for v in track.xyxy)
        width, height = self.frame_size
        return left / width, top / height, right / width, bottom / height


@dataclass(frozen=True, slots=True)
class _Sent:
    at_s: float
    llr: float
    count: int


class Outbox:
    """The tracks of one camera that were told of. Tracks go by class and number."""

    def __init__(self, camera_id: CameraId, exercise: bool) -> None:
        self._camera_id = camera_id
        self._exercise = exercise
        self._sent: dict[tuple[int, int], _Sent] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._sent

    def __len__(self) -> int:
        return len(self._sent)

    def llr_of(self, track: Track) -> float | None:
        """The evidence that was sent last, None for a track that was never told of."""
        sent = self._sent.get(track.key)
        return None if sent is None else sent.llr

    def is_due(self, track: Track, at_s: float, llr: float) -> bool:
        """Whether a track that was told of is to be sent again, now that it is worth `llr`."""
        sent = self._sent[track.key]
        waited_s = at_s - sent.at_s
        return waited_s >= LEAST_GAP_S and (llr - sent.llr >= RESEND_LLR or waited_s >= RESEND_S)

    def forget(self, track: Track) -> None:
        """The track is over."""
        self._sent.pop(track.key, None)

    def send(
        self, track: Track, sighting: Sighting, llr: float, card: ModelCard, moment: Moment
    ) -> Detection:
        """What is to be sent of a track now; `card` is of the model whose results it is made of."""
        before = self._sent.get(track.key)
        count = before.count + 1 if before else 1
        self._sent[track.key] = _Sent(moment.at_s, llr, count)
        started_at = datetime.fromtimestamp(track.started_s, UTC)
        # The start's time keeps ids apart across restarts of the process; the same pictures give
        # the same ids again.
        track_id = TrackId(f"{sighting.value}-{started_at:%Y%m%dT%H%M%S%f}-{track.number}")
        x0, y0, x1, y1 = (float(v) for v in track.xyxy)
        return Detection(
            id=ReportId(f"{self._camera_id}-{track_id}-{count}"[-120:]),
            camera_id=self._camera_id,
            track_id=track_id,
            sighting=sighting,
            box=Box(x0, y0, x1, y1),
            frame_width_px=moment.frame_size[0],
            frame_height_px=moment.frame_size[1],
            score=min(1.0, max(0.0, track.score)),
            llr=llr,
            captured_at=moment.captured_at,
            received_at=moment.received_at,
            started_at=started_at,
            model_version=card.version,
            exercise=self._exercise,
        )
