"""What people add to an incident: kept as a picture, video or document, and as nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from api.stripping import stripped
from incidents.people.accounts import Role
from plumbing.bus import Bus
from tests.api.made import found_incident
from tests.api.stripping.pictures import PLACE, photo, video
from tests.api.test_citizen_reports import a_report
from tests.support.api import RunningApi, api_settings, running_api


async def test_pictures_and_videos_come_back_without_what_a_phone_wrote_beside_them(
    own_api: RunningApi, tmp_path: Path
) -> None:
    incident = await found_incident(own_api.store)
    sent = {
        "image/jpeg": photo("image/jpeg", 6),
        "image/png": photo("image/png"),
        "image/webp": photo("image/webp"),
        "video/mp4": video(tmp_path),
        "application/pdf": b"%PDF-1.7 a report",
    }
    address = f"/api/v1/incidents/{incident.id}/attachments"
    async with own_api.client(Role.OPERATOR) as desk:
        for media_type, content in sent.items():
            answer = await desk.post(
                f"{address}?name=banjir",
                content=content,
                headers={"Content-Type": media_type},
            )
            assert answer.status_code == 201, answer.text
        for one in answer.json()["attachments"]:
            given = await desk.get(f"{address}/{one['evidence_id']}")
            assert given.headers["content-type"] == one["media_type"]
            assert given.headers["content-disposition"].startswith("attachment;")
            assert given.content == stripped(sent.pop(one["media_type"]), one["media_type"])
            assert PLACE not in given.content
    assert sent == {}


async def test_what_is_no_whole_picture_is_refused_and_nothing_is_kept(
    own_api: RunningApi,
) -> None:
    incident = await found_incident(own_api.store)
    address = f"/api/v1/incidents/{incident.id}/attachments?name=x"
    async with own_api.client(Role.OPERATOR) as desk:
        for media_type, content in (
            ("image/jpeg", b"\xff\xd8\xff\xe0<script>alert(1)</script>"),
            ("image/png", photo("image/jpeg")),
            ("image/webp", b"RIFF\x10\0\0\0WEBPnothing."),
            ("video/mp4", b"\0\0\0\x08ftyp"),
            ("application/zip", b"PK\x03\x04"),
        ):
            refused = await desk.post(
                address, content=content, headers={"Content-Type": media_type}
            )
            assert refused.status_code == 415, media_type
            assert refused.json()["type"] == "urn:siaga:problem:unsupported-media"
    assert not (await own_api.store.incidents.get(incident.id)).attachments
    assert not list(own_api.settings.evidence_folder.glob("??/*"))


async def too_much() -> AsyncIterator[bytes]:
    """Comes in pieces, so that nobody knows how much it is."""
    for _ in range(200):
        yield b"\xff\xd8\xff\xe0" + bytes(996)


async def test_what_is_too_large_is_refused_before_it_is_kept(tmp_path: Path, bus: Bus) -> None:
    settings = api_settings(tmp_path, api__max_attachment_bytes=100_000)
    async with running_api(settings, bus) as api, api.client(Role.OPERATOR) as desk:
        incident = await found_incident(api.store)
        report = await desk.post("/api/v1/citizen-reports", json=a_report())
        for address in (
            f"/api/v1/incidents/{incident.id}/attachments?name=x",
            f"/api/v1/citizen-reports/{report.json()['call']['id']}/photos?name=x",
        ):
            for content in (bytes(100_001), too_much()):
                refused = await desk.post(
                    address, content=content, headers={"Content-Type": "image/jpeg"}
                )
                assert refused.status_code == 413, address
