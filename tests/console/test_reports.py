"""What a supervisor reads: the month's figures as the API tells them, and the audit trail."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from contracts import IncidentAction
from tests.api.filled import fill, incident_id
from tests.support.api import ApiThread

pytestmark = pytest.mark.timeout(300)


async def _month(api: ApiThread) -> None:
    store = api.api.store
    await fill(store)
    for action in (IncidentAction.ACKNOWLEDGE, IncidentAction.VERIFY):
        version = (await store.incidents.get(incident_id(1))).version
        await store.incidents.act(incident_id(1), action, actor="ani", version=version)
    version = (await store.incidents.get(incident_id(2))).version
    await store.incidents.act(
        incident_id(2), IncidentAction.REJECT, actor="ani", version=version, reason="a lamp"
    )


def test_a_supervisor_reads_the_month_and_the_audit_trail(console: Page, api: ApiThread) -> None:
    api.run(_month(api))
    console.get_by_test_id("screen-reports").click()
    console.get_by_test_id("reports-month").fill("2026-11")
    kinds = console.get_by_test_id("kinds-table")
    expect(kinds).to_have_attribute("data-incidents", "4")
    expect(kinds.get_by_test_id("kind-fire")).to_contain_text("100%")
    expect(console.get_by_test_id("report-clocks")).to_contain_text("verified")
    expect(console.get_by_test_id("report-ledger")).to_contain_text("calls alone")
    console.get_by_test_id("reports-exercise").check()
    expect(kinds).to_have_attribute("data-incidents", "1")
    console.get_by_test_id("reports-month").fill("2025-01")
    expect(kinds).to_have_attribute("data-incidents", "0")
    expect(console.get_by_test_id("report-ledger")).to_contain_text("Nothing in this month")

    console.get_by_test_id("reports-audit").click()
    audit = console.get_by_test_id("audit")
    expect(audit).to_contain_text("incident.acted")
    expect(audit).to_contain_text("incident-2")
    console.get_by_label("What").fill("session.")
    console.get_by_label("What").press("Enter")
    expect(audit).not_to_contain_text("incident.acted")
    expect(audit).to_contain_text("session.opened")
