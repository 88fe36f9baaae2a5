"""What an incident gets beside fusion's estimate: level, priority, name, views, picture. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from contracts import (
    CameraId,
    Detection,
    Hazard,
    Incident,
    KeyPicture,
    LonLat,
)
from incidents.fusing.alarms import AlarmPolicy

PRIORITIES = {
    Hazard.FIRE: 1,
    Hazard.MEDICAL: 1,
    Hazard.CRASH: 2,
    Hazard.CRIME: 2,
    Hazard.DISASTER: 2,
    Hazard.FLOOD: 3,
    Hazard.OTHER: 4,
}
"""1 where minutes decide over lives, 2 where they may, 3 where hours do, 4 for the rest."""

BETTER_PICTURE_BY = 0.05
"""A picture replaces the one shown only where its score is this much higher: a picture that
changes with every frame can't be looked at."""


def better_picture(shown: KeyPicture | None, offered: KeyPicture | None) -> KeyPicture | None:
    """Which of two pictures to show."""
    if shown is None or offered is None:
        return shown or offered
    return offered if offered.score >= shown.score + BETTER_PICTURE_BY else shown


def picture_of(detection: Detection) -> KeyPicture | None:
    """The picture that a detection carries, if any."""
    if detection.picture_id is None:
        return None
    return KeyPicture(
        picture_id=detection.picture_id,
        camera_id=detection.camera_id,
        captured_at=detection.captured_at,
        width_px=detection.frame_width_px,
        height_px=detection.frame_height_px,
        box=detection.box,
        sighting=detection.sighting.value,
        score=detection.score,
    )


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Completes incidents after each estimate.

    ``name_place`` gives an area's name (empty where none is known); ``best_cameras`` the cameras
    that see an event of a kind at a place, best view first, among the exercise's or the real ones.
    """

    alarms: AlarmPolicy
    name_place: Callable[[LonLat], str]
    best_cameras: Callable[[LonLat, Hazard, bool], tuple[CameraId, ...]]
    name_street: Callable[[LonLat], str] = lambda _: ""
    """The named street or crossing at a place; empty where none is known."""
    desk: Callable[[Incident], Incident] = lambda incident: incident
    """The desk's rules, last: who is responsible, and what is kept quiet."""

    def complete(self, incident: Incident, detections: Iterable[Detection] = ()) -> Incident:
        """The incident with everything that follows from its estimate and these new detections."""
        estimate = incident.estimate
        picture = incident.key_picture
        for detection in detections:
            picture = better_picture(picture, picture_of(detection))
        completed = replace(
            incident,
            level=self.alarms.level(estimate, incident.level),
            priority=PRIORITIES[estimate.hazard],
            place_name=self.name_place(estimate.location),
            street=self.name_street(estimate.location),
            best_camera_ids=self.best_cameras(
                estimate.location, estimate.hazard, estimate.exercise
            ),
            key_picture=picture,
        )
        return self.desk(completed)
