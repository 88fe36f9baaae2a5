"""Which pictures are due, and when each was taken.

Pure: stream time (the presentation time stamps), arrival times and the camera's own clock come in
as numbers. Time stamps of cheap cameras jump, run backwards and start again; nothing here trusts
them further than the arrival times bear out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

JUMP_S = 5.0
"""Stream time and arrival may differ by this much before it counts as a jump. Bursts after a
network hiccup stay below; a camera that restarts its clock does not."""

CLOCK_TRUST_S = 30.0
"""A camera's wall clock is believed while it is this near to ours. One without NTP is minutes or
hours off and would put what it sees into another incident."""

REORDER_S = 1.0
"""B-frames step back by less than this; encoders reorder a few pictures, not a second's worth."""

_DRIFT = 1e-3
"""The two clocks may drift apart by this share; crystals are ten times better."""

_LEAST_STEP_S = 1e-3


_OVERDUE = 2.0
"""After so many periods a picture is due whatever its time stamp says."""


class PictureRate:
    """Lets through at most ``fps`` pictures a second of stream time, evenly."""

    def __init__(self, fps: float) -> None:
        self._period_s = 1.0 / fps
        self._due_s: float | None = None
        self._passed_s = float("inf")

    def set_fps(self, fps: float) -> None:
        """Change the rate; the next picture is due at once."""
        if self._period_s != 1.0 / fps:
            self._period_s = 1.0 / fps
            self._due_s = None

    def is_due(self, stream_s: float, now_s: float | None = None) -> bool:
        """Whether the picture at this stream time is let through; if so the next period starts.

        A jump of the stream time either way makes the picture due, since nothing better is known;
        so does, where ``now_s`` tells our own time, one that stands still or all but does.
        """
        due_s = self._due_s
        slack_s = self._period_s * 1e-3  # equal rates must not lose pictures to rounding
        is_overdue = now_s is not None and now_s - self._passed_s >= _OVERDUE * self._period_s
        is_early = (
            due_s is not None and due_s - self._period_s - slack_s <= stream_s < due_s - slack_s
        )
        if is_early and not is_overdue:
            return False
        self._passed_s = float("inf") if now_s is None else now_s
        on_beat = due_s is not None and due_s <= stream_s + slack_s < due_s + self._period_s
        self._due_s = (due_s if on_beat and due_s is not None else stream_s) + self._period_s
        return True


class CaptureClock:
    """Finds when a picture was taken, from what the stream tells and when it arrived.

    With the camera's wall clock (RTCP sender reports, HLS program date) that is it. Without, the
    arrival times are freed from the network's jitter: the least delay between stream time and
    arrival is the nearest to the truth. The times that come out always grow, unless our own clock
    is set back: then everything begins anew, or they would stand still until it has caught up.
    """

    def __init__(self) -> None:
        self.camera_clock_error_s: float | None = None
        """Camera's wall clock minus ours at the last picture; none where it tells none."""
        self._offset_s: float | None = None
        self._last_stream_s = 0.0
        self._camera_offset_s: float | None = None
        self._last_s: float | None = None
        self._arrival_s = float("-inf")

    def note_camera_time(self, stream_s: float, camera_at: datetime) -> None:
        """The stream says that its ``stream_s`` is ``camera_at`` on the camera's wall clock."""
        self._camera_offset_s = camera_at.timestamp() - stream_s

    def place(
        self, stream_s: float | None, received_at: datetime, camera_at: datetime | None = None
    ) -> datetime:
        """The capture time of a picture.

        Args:
            stream_s: Its stream time; none where the stream tells none.
            received_at: Its arrival.
            camera_at: The camera's wall clock at it, for where there is no stream time: RTSP gives
                the first picture none.
        """
        arrival_s = captured_s = received_at.timestamp()
        camera_s = None if camera_at is None else camera_at.timestamp()
        if arrival_s < self._arrival_s - JUMP_S:
            self._offset_s = self._last_s = None
        self._arrival_s = arrival_s
        if stream_s is not None:
            captured_s = stream_s + self._least_offset(stream_s, arrival_s)
            if self._camera_offset_s is not None:
                camera_s = stream_s + self._camera_offset_s
        if camera_s is not None:
            self.camera_clock_error_s = camera_s - arrival_s
            believable = abs(self.camera_clock_error_s) <= CLOCK_TRUST_S
            if believable and (self._last_s is None or camera_s > self._last_s):
                captured_s = camera_s
        if self._last_s is not None and captured_s <= self._last_s:
            captured_s = self._last_s + _LEAST_STEP_S
        self._last_s = captured_s
        return datetime.fromtimestamp(captured_s, UTC)

    def _least_offset(self, stream_s: float, arrival_s: float) -> float:
        """The smallest arrival minus stream time seen lately, seconds."""
        here_s = arrival_s - stream_s
        before_s = self._offset_s
        step_s = stream_s - self._last_stream_s
        self._last_stream_s = stream_s
        if before_s is None:
            self._offset_s = here_s
        elif step_s <= 0 or abs(here_s - before_s) > JUMP_S:
            self._offset_s = here_s
            self._camera_offset_s = None  # it belonged to the old time stamps
        else:
            self._offset_s = min(here_s, before_s + _DRIFT * step_s)
        return self._offset_s


class PacketClock:
    """Capture times of one connection's packets, in the order in which they are decoded.

    Pictures that are shown before one that is decoded earlier (B-frames) step back in time here,
    which `CaptureClock`, made for pictures in the order of their show, takes for a jump.
    """

    def __init__(self) -> None:
        self._clock = CaptureClock()
        self._newest_s: float | None = None
        self._newest_at = datetime.min.replace(tzinfo=UTC)

    def place(
        self, stream_s: float | None, received_at: datetime, camera_at: datetime | None
    ) -> datetime:
        """The capture time of the next packet; arguments as of `CaptureClock.place`."""
        newest_s = self._newest_s
        if stream_s is not None and newest_s is not None and 0 < newest_s - stream_s < REORDER_S:
            return self._newest_at - timedelta(seconds=newest_s - stream_s)
        if stream_s is not None and camera_at is not None:
            self._clock.note_camera_time(stream_s, camera_at)
        placed_at = self._clock.place(
            stream_s, received_at, camera_at if stream_s is None else None
        )
        self._newest_s, self._newest_at = stream_s, placed_at
        return placed_at
