"""The one family of errors of this room, and what FFmpeg's and the network's errors mean.

A stream's attempt ends by raising `IngestError`: which camera, in which state it is, and what a
camera admin should do. The words are ours throughout; FFmpeg's own messages may hold the URL with
its password and are never passed on.
"""

from __future__ import annotations

import errno
from datetime import timedelta

import av

from contracts import CameraId, CameraState


class IngestError(Exception):
    """A stream can't be opened or has ended.

    Attributes:
        camera_id: whose stream.
        state: how the camera is to be shown.
        detail: what is wrong and what to do about it; holds no secret.
    """

    def __init__(self, camera_id: CameraId, state: CameraState, detail: str) -> None:
        super().__init__(f"{camera_id}: {state.value}: {detail}")
        self.camera_id = camera_id
        self.state = state
        self.detail = detail


class Stopped(Exception):
    """The reader was told to stop, and does."""


NO_SIGN_IN = "the camera asks for a user name and password: enter them in the register"
BAD_SIGN_IN = "the camera refuses the user name or password: check them in the register"
NO_SUCH_STREAM = "the camera answers but has no such stream: check the path in its URL"
NOBODY_LISTENS = "nothing listens there: the camera is off or restarting, or the port is wrong"
TURNED_AWAY = "the camera answers with an error of its own: too many viewers, or it needs a restart"
HUNG_UP = "the camera hangs up before it shows a picture: too many viewers, or it needs a restart"
NO_ROUTE = "no way to the camera: check its address, and the network between"
NO_VIDEO = "something answers that is no video: check that the URL is a stream's"
NOT_RECEIVED = "the camera's stream is of a kind that may not be opened: set it to H.264 or H.265"
NO_VIDEO_ANY_MORE = "what comes is no valid video any more: restart the camera"
ENDED = "the camera ended the stream"
BROKE = "the connection to the camera broke"


def untrusted(why: str) -> str:
    """The detail for a certificate that nobody known vouches for; ``why`` as OpenSSL says it."""
    return (
        f"the camera's certificate is not trusted ({why}): install one that is, or let its entry "
        "in the register accept any (any_certificate)"
    )


def no_answer(timeout_s: float) -> str:
    """The detail for a silence while opening."""
    return f"no answer within {timeout_s:g} s: check the address, the port and the network"


def fell_silent(timeout_s: float) -> str:
    """The detail for a silence while reading."""
    return f"connected, but nothing came for {timeout_s:g} s: the camera hangs or the line is cut"


def clock_is_off(error_s: float) -> str:
    """The detail for a camera whose clock is ahead of ours by so much (negative: behind)."""
    away = timedelta(seconds=round(abs(error_s)))
    side = "ahead" if error_s > 0 else "behind"
    return f"the camera's clock is {away} {side}: set its time server (NTP)"


_UNREACHABLE_CODES = frozenset(
    {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
)
_HUNG_UP_CODES = frozenset({errno.EPERM, errno.ECONNRESET, errno.EPIPE, errno.EIO})
"""FFmpeg's word for a connection closed between two requests (EPERM is its plain -1)."""
_BROKEN_CODES = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.EIO})


def judge_status(status: int, *, has_credentials: bool) -> tuple[CameraState, str]:
    """What an HTTP or RTSP status of 400 and more means."""
    if status in (401, 403, 407):
        return CameraState.UNAUTHORISED, BAD_SIGN_IN if has_credentials else NO_SIGN_IN
    if status in (404, 410):
        return CameraState.NOT_FOUND, NO_SUCH_STREAM
    return CameraState.REFUSED, f"{TURNED_AWAY} (status {status})"


def judge_opening(
    error: av.FFmpegError, *, timeout_s: float, has_credentials: bool
) -> tuple[CameraState, str]:
    """What an FFmpeg error means that came before the first picture."""
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return judge_status(401, has_credentials=has_credentials)
    if isinstance(error, av.error.HTTPNotFoundError):
        return judge_status(404, has_credentials=has_credentials)
    if isinstance(error, av.error.HTTPError | av.error.HTTPClientError):
        return CameraState.REFUSED, TURNED_AWAY
    if isinstance(error, av.error.ConnectionRefusedError):
        return CameraState.REFUSED, NOBODY_LISTENS
    if isinstance(error, av.error.ExitError):
        return CameraState.UNREACHABLE, no_answer(timeout_s)
    if error.errno in _UNREACHABLE_CODES:
        return CameraState.UNREACHABLE, NO_ROUTE
    if error.errno in _HUNG_UP_CODES:
        return CameraState.REFUSED, HUNG_UP
    # Whatever else ends an opening (rubbish, an early end, an unknown codec) came from somebody
    # who answered.
    return CameraState.INVALID, NO_VIDEO


def judge_reading(error: av.FFmpegError, *, timeout_s: float) -> tuple[CameraState, str]:
    """What an FFmpeg error means that came after the stream was open."""
    if isinstance(error, av.error.ExitError):
        return CameraState.STALLED, fell_silent(timeout_s)
    if isinstance(error, av.error.InvalidDataError):
        return CameraState.CORRUPT, NO_VIDEO_ANY_MORE
    if isinstance(error, av.error.EOFError):
        return CameraState.STALLED, ENDED
    if error.errno in _BROKEN_CODES:
        return CameraState.STALLED, BROKE
    return CameraState.STALLED, f"{BROKE} ({error.strerror or type(error).__name__})"
