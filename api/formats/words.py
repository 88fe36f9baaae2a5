"""What documents for people call things, in Indonesian and English."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts import Hazard, IncidentState


class Language(StrEnum):
    """A language by its tag (RFC 5646)."""

    INDONESIAN = "id-ID"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences and names of one language."""

    hazards: dict[Hazard, str]
    states: dict[IncidentState, str]
    suspected: str
    verified: str
    unverified: str
    ended: str
    exercise: str
    sources: str
    restricted: str


WORDS = {
    Language.INDONESIAN: Words(
        hazards={
            Hazard.FIRE: "Kebakaran",
            Hazard.CRASH: "Kecelakaan lalu lintas",
            Hazard.FLOOD: "Banjir",
            Hazard.DISASTER: "Bencana (pohon tumbang, longsor)",
            Hazard.MEDICAL: "Kegawatdaruratan medis",
            Hazard.CRIME: "Gangguan keamanan",
            Hazard.OTHER: "Kejadian lain",
        },
        states={
            IncidentState.DETECTED: "terdeteksi",
            IncidentState.ACKNOWLEDGED: "sedang diperiksa",
            IncidentState.VERIFIED: "terverifikasi",
            IncidentState.DISPATCHED: "unit ditugaskan",
            IncidentState.EN_ROUTE: "unit menuju lokasi",
            IncidentState.ON_SCENE: "unit di lokasi",
            IncidentState.CLOSED: "selesai ditangani",
            IncidentState.REJECTED: "ditolak, bukan kejadian",
            IncidentState.DUPLICATE: "duplikat kejadian lain",
            IncidentState.CANCELLED: "dibatalkan",
        },
        suspected="Dugaan: {event}, {place}",
        verified="{event}, {place}",
        unverified="BELUM DIVERIFIKASI operator.",
        ended="Berakhir ({state}): {event}, {place}",
        exercise="LATIHAN. Bukan kejadian nyata.",
        sources="Peluang {percent} %. Kamera: {cameras}, panggilan: {calls}. Status: {state}.",
        restricted="Hanya untuk petugas layanan darurat; bukan untuk umum.",
    ),
    Language.ENGLISH: Words(
        hazards={
            Hazard.FIRE: "Fire",
            Hazard.CRASH: "Road crash",
            Hazard.FLOOD: "Flood",
            Hazard.DISASTER: "Disaster (fallen tree, landslide)",
            Hazard.MEDICAL: "Medical emergency",
            Hazard.CRIME: "Crime",
            Hazard.OTHER: "Other incident",
        },
        states={
            IncidentState.DETECTED: "detected",
            IncidentState.ACKNOWLEDGED: "being looked at",
            IncidentState.VERIFIED: "verified",
            IncidentState.DISPATCHED: "units dispatched",
            IncidentState.EN_ROUTE: "units en route",
            IncidentState.ON_SCENE: "units on scene",
            IncidentState.CLOSED: "closed",
            IncidentState.REJECTED: "rejected, no incident",
            IncidentState.DUPLICATE: "duplicate of another incident",
            IncidentState.CANCELLED: "cancelled",
        },
        suspected="Suspected: {event}, {place}",
        verified="{event}, {place}",
        unverified="NOT VERIFIED by an operator.",
        ended="Ended ({state}): {event}, {place}",
        exercise="EXERCISE. Nothing real has happened.",
        sources="Probability {percent} %. Cameras: {cameras}, calls: {calls}. State: {state}.",
        restricted="For emergency services only; not for the public.",
    ),
}
