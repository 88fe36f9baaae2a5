"""The network's errors while a camera is opened, in our words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from camera_ingest.errors import (
    HUNG_UP,
    NO_ROUTE,
    NO_VIDEO,
    NOBODY_LISTENS,
    IngestError,
    no_answer,
    untrusted,
)
from contracts import CameraId, CameraState


@contextmanager
def judging(camera_id: CameraId, open_timeout_s: float) -> Iterator[None]:
    """Turn what goes wrong in the block into an `IngestError`, by what the camera did."""
    try:
        yield
    except TimeoutError:
        state, detail = CameraState.UNREACHABLE, no_answer(open_timeout_s)
    except ConnectionRefusedError:
        state, detail = CameraState.REFUSED, NOBODY_LISTENS
    except ssl.SSLCertVerificationError as error:
        state = CameraState.UNREACHABLE
        detail = untrusted(error.verify_message)
    except ssl.SSLError as error:
        state = CameraState.UNREACHABLE
        detail = f"no encrypted connection ({error.reason}): does the camera speak rtsps?"
    except ConnectionError:
        state, detail = CameraState.REFUSED, HUNG_UP
    except OSError:
        state, detail = CameraState.UNREACHABLE, NO_ROUTE
    except ValueError:
        state, detail = CameraState.INVALID, NO_VIDEO
    else:
        return
    raise IngestError(camera_id, state, detail) from None


def tls_context(*, is_checked: bool) -> ssl.SSLContext:
    """How a camera's encryption is set up; unchecked, any certificate will do."""
    context = ssl.create_default_context()
    if not is_checked:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
