"""Reports over a running API: one partition each, as JSON and as a table."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from contracts import IncidentAction, IncidentId
from incidents.people.accounts import Role
from tests.api.filled import fill, incident_id
from tests.support.api import ApiThread

SPAN = {"since": "2026-11-22T00:00:00Z", "until": "2026-11-23T00:00:00Z"}


@pytest.fixture
def filled(own_api_thread: ApiThread) -> ApiThread:
    own_api_thread.run(fill(own_api_thread.api.store))
    return own_api_thread


def act(api: ApiThread, which: IncidentId, action: IncidentAction) -> None:
    async def now() -> None:
        incidents = api.api.store.incidents
        version = (await incidents.get(which)).version
        await incidents.act(which, action, actor="ani", version=version, reason="x")

    api.run(now())


def read(desk: httpx.Client, name: str, **query: Any) -> Any:
    answer = desk.get(f"/api/v1/reports/{name}", params=SPAN | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def table(desk: httpx.Client, name: str, **query: Any) -> list[dict[str, str]]:
    answer = desk.get(f"/api/v1/reports/{name}", params={**SPAN, "format": "csv", **query})
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_every_report_counts_reality_or_exercises_never_both(filled: ApiThread) -> None:
    act(filled, incident_id(1), IncidentAction.ACKNOWLEDGE)
    act(filled, incident_id(1), IncidentAction.VERIFY)
    act(filled, incident_id(2), IncidentAction.REJECT)
    with filled.client() as desk:
        kinds = read(desk, "kinds")
        assert (kinds["incidents"], kinds["calls"], kinds["exercise"]) == (4, 5, False)
        assert kinds["kinds"][0]["kind"] == "fire"
        assert read(desk, "kinds", exercise=True)["incidents"] == 1
        assert table(desk, "kinds")[0]["calls"] == "5"
        (alone,) = [row for row in read(desk, "false-alarms")["ledger"] if row["rejected"]]
        assert (alone["camera_id"], alone["rejected"], alone["confirmed"]) == ("", 1, 1)
        assert sum(cell["count"] for cell in read(desk, "heat", cell_m=200)["cells"]) == 4
        assert {row["fire"] for row in table(desk, "heat", cell_m=200)} == {"1"}


def test_clocks_and_alarms_follow_what_people_did(filled: ApiThread) -> None:
    act(filled, incident_id(1), IncidentAction.ACKNOWLEDGE)
    with filled.client() as desk:
        clocks = {one["step"]: one for one in read(desk, "clocks")["clocks"]}
        assert clocks["acknowledge"]["count"] == 1
        assert [row["step"] for row in table(desk, "clocks")] == list(clocks)
        month = desk.get("/api/v1/reports/alarms", params={"operators": 2}).json()
        assert month["operators"] == 2
        assert month["alarms"] == 5
        assert month["unacknowledged"] == 4


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"month": "2026-13"}, "month"),
        ({"month": "2026-11", **SPAN}, "month"),
        ({"until": SPAN["until"]}, "since"),
        ({"since": "2020-01-01T00:00:00Z"}, "until"),
        ({"since": SPAN["until"], "until": SPAN["since"]}, "until"),
        ({"since": "2026-11-22"}, "since"),
    ],
)
def test_what_is_no_span_is_refused(desk: httpx.Client, query: dict[str, str], field: str) -> None:
    answer = desk.get("/api/v1/reports/kinds", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_operators_read_no_reports(shared_api: ApiThread) -> None:
    with shared_api.client(Role.OPERATOR) as operator:
        assert operator.get("/api/v1/reports/kinds").status_code == 403
