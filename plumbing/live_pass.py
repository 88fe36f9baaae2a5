"""Passes by which the API proves to a worker that somebody may watch one camera, now.

Both have the installation's key (`plumbing.sealing`), and nobody else has.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from contracts import CameraId
from plumbing.sealing import Sealer, SealingError

VALID_FOR = timedelta(seconds=30)
"""Long enough for clocks of several hosts that differ a little."""


class PassRefused(Exception):
    """The pass doesn't open this camera now; says why."""


def make_pass(sealer: Sealer, camera_id: CameraId, now: datetime) -> str:
    """A pass for one camera, for `VALID_FOR`."""
    until = now + VALID_FOR
    return sealer.seal(json.dumps({"watch": camera_id, "until": until.isoformat()}))


def check_pass(sealer: Sealer, shown: str, camera_id: CameraId, now: datetime) -> None:
    """Let it pass, or not.

    Raises:
        PassRefused: no pass of this installation, for another camera, or too old.
    """
    try:
        told = json.loads(sealer.unseal(shown))
        camera, until = told["watch"], datetime.fromisoformat(told["until"])
    except (SealingError, ValueError, KeyError, TypeError, UnicodeEncodeError) as error:
        raise PassRefused("this is no pass of this installation") from error
    if camera != camera_id:
        raise PassRefused("the pass is for another camera")
    if not now <= until <= now + 2 * VALID_FOR:
        raise PassRefused("the pass has expired; are the clocks of the hosts in step?")
