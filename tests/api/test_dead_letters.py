"""What could not be used or believed: shown, taken in after all, or thrown away by a supervisor."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx

from incidents.dead_letters import DeadLetter
from incidents.people.accounts import Role
from plumbing.sealing import Sealer
from tests.api.intake.sent import a_form
from tests.api.made import a_call, a_camera, a_detection
from tests.support.api import RunningApi

WHY = {"reason": "the caller was rung back"}


async def put(api: RunningApi, letter_id: str, content: bytes, problem: str = "?") -> str:
    """A letter as fusion keeps it."""
    sealed = Sealer(api.settings.key_file).seal(base64.b64encode(content).decode())
    letter = DeadLetter(id=letter_id, problem=problem, sealed=sealed)
    await api.store.dead_letters.keep([letter])
    return f"/api/v1/dead-letters/{letter_id}"


async def ids(client: httpx.AsyncClient) -> list[str]:
    found = (await client.get("/api/v1/dead-letters")).json()["dead_letters"]
    return [one["id"] for one in found]


async def test_a_detection_is_taken_in_once_its_camera_is_known(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        content = json.dumps(a_detection("camera-1")).encode()
        letter = await put(own_api, "detections/1763790000000-0", content)
        assert await ids(client) == ["detections/1763790000000-0"]
        assert (await client.get(letter)).content == content

        early = await client.post(f"{letter}/process", json=WHY)
        assert early.status_code == 422
        assert "camera" in early.json()["detail"]
        assert await ids(client), "it stays until it was taken in"

        await client.post("/api/v1/cameras", json=a_camera(id="camera-1"))
        taken = await client.post(f"{letter}/process", json=WHY)
        assert (taken.status_code, taken.json()["outcome"]) == (200, "taken")
        assert await ids(client) == []
        stored = await own_api.store.reports.after(0)
        assert [one.body.id for one in stored] == [json.loads(content)["id"]]
        assert (await client.post(f"{letter}/process", json=WHY)).status_code == 404

        again = await put(own_api, "detections/1763790000001-0", content)
        repeated = await client.post(f"{again}/process", json=WHY)
        assert repeated.json()["outcome"] == "repeated"
        assert len(await own_api.store.reports.after(0)) == 1


async def test_one_that_is_worth_nothing_is_thrown_away_by_a_supervisor(
    own_api: RunningApi,
) -> None:
    letter = await put(own_api, "health/1763790000000-0", b"\xff\x00<script>", "no JSON")
    async with own_api.client(Role.AUDITOR) as auditor, own_api.client() as client:
        shown = await auditor.get(letter)
        assert shown.content == b"\xff\x00<script>"
        assert shown.headers["content-disposition"] == "attachment"
        assert (await auditor.post(f"{letter}/discard", json=WHY)).status_code == 403
        assert (await client.post(f"{letter}/process", json=WHY)).status_code == 422
        assert (await client.post(f"{letter}/discard", json={})).status_code == 422
        assert (await client.post(f"{letter}/discard", json=WHY)).status_code == 204
        assert (await client.get(letter)).status_code == 404
        entries = (await client.get("/api/v1/audit")).json()["entries"]
    told = [(one["action"], one["subject"]) for one in entries]
    assert ("dead-letter.discarded", "health/1763790000000-0") in told
    assert ("view.dead-letter", "health/1763790000000-0") in told


async def test_a_message_that_was_only_kept_is_believed_once_somebody_stands_for_it(
    own_api: RunningApi,
) -> None:
    async with own_api.client() as client, own_api.client(Role.OPERATOR) as operator:
        call = (await operator.post("/api/v1/calls", json=a_call(location=None))).json()["call"]
        kept = (await client.post("/aml", content=a_form(), headers=NOBODY)).json()
        assert (kept["trusted"], kept["fix_ids"]) == (False, [])
        message = f"/api/v1/messages/{kept['message_id']}"

        believe: dict[str, Any] = {**WHY, "call_id": call["id"]}
        assert (await operator.post(f"{message}/believe", json=believe)).status_code == 403
        believed = (await client.post(f"{message}/believe", json=believe)).json()
        assert (believed["trusted"], believed["call_id"]) == (True, call["id"])
        assert any("believed by" in why for why in believed["problems"])
        fixes = (await client.get(f"/api/v1/calls/{call['id']}")).json()["fixes"]
        assert [one["id"] for one in fixes] == believed["fix_ids"]

        for step in ("believe", "discard"):
            again = await client.post(f"{message}/{step}", json=WHY)
            assert again.status_code == 409, "a position rests on it"
            assert again.json()["type"] == "urn:siaga:problem:message-in-use"
        actions = {one.action for one in (await own_api.store.audit.page()).entries}
        assert "message.believed" in actions


async def test_nonsense_is_not_believed_and_can_be_thrown_away(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        sent = await client.post("/pidf-lo", content=b"<presence>half a docu")
        message = f"/api/v1/messages/{sent.json()['message_id']}"
        refused = await client.post(f"{message}/believe", json=WHY)
        assert refused.status_code == 422
        assert "still" in refused.json()["detail"]
        assert (await client.post(f"{message}/discard", json=WHY)).status_code == 204
        assert (await client.get(message)).status_code == 404
        assert (await client.post(f"{message}/discard", json=WHY)).status_code == 404
        assert (await client.get("/api/v1/messages")).json()["messages"] == []


NOBODY = {"Authorization": ""}
