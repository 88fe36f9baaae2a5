"""Which sites are down as a whole, over all workers.

A worker knows its own cameras, and names a site's outage in their messages where it has enough of
them (`camera_ingest.health.sites`). Here all cameras are known, so that a recorder whose cameras
are spread over several workers is one trouble too.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from contracts import Camera, CameraHealth, CameraId
from contracts.sites import DEAD_LINE, MOST_OF_THEM, SiteOutage, is_down, site_of


def site_outages(
    cameras: Iterable[Camera], healths: Mapping[CameraId, CameraHealth]
) -> list[SiteOutage]:
    """The sites that are down, the latest first; cameras that are switched off don't count."""
    members: dict[str, list[CameraId]] = defaultdict(list)
    for camera in cameras:
        if camera.enabled:
            members[site_of(camera.url)].append(camera.id)
    outages = []
    for site, ids in members.items():
        failed = [
            healths[camera_id]
            for camera_id in ids
            if camera_id in healths and healths[camera_id].state in DEAD_LINE
        ]
        if is_down(site, len(failed), len(ids)):
            failed.sort(key=lambda health: health.since)
            outages.append(
                SiteOutage(
                    site=site,
                    since=failed[math.ceil(MOST_OF_THEM * len(ids)) - 1].since,
                    cameras=tuple(sorted(health.camera_id for health in failed)),
                    of=len(ids),
                )
            )
    return sorted(outages, key=lambda outage: outage.since, reverse=True)
