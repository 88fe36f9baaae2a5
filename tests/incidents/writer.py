"""A fusion writer whose decisions the test makes up."""

from __future__ import annotations

from contracts import Decision, Report, ReportBody
from incidents.fusing.application import Outcome
from incidents.fusing.drafts import Applied
from incidents.fusing.enrichment import Enrichment
from incidents.store import Store
from tests.incidents.make import PLAIN


class Writer:
    """Accepts a report and applies given decisions to it, as the fusion service would."""

    def __init__(self, store: Store, fencing: int = 1, enrichment: Enrichment = PLAIN) -> None:
        self.store = store
        self.fencing = fencing
        self.enrichment = enrichment

    async def accept(self, body: ReportBody) -> Report:
        (accepted,) = await self.store.reports.accept([body])
        return accepted.report

    async def apply(self, body: ReportBody, *decisions: Decision) -> Applied:
        return await self.apply_all([Outcome(await self.accept(body), decisions)])

    async def apply_all(self, outcomes: list[Outcome], known_seq: int | None = None) -> Applied:
        await self.store.fusion.claim(self.fencing)
        return await self.store.fusion.apply(
            outcomes,
            fencing=self.fencing,
            known_seq=await self.store.log.last_seq() if known_seq is None else known_seq,
            enrichment=self.enrichment,
        )
