"""Decisions become true in the database: all of a batch together, or one by one until the one that
can't be stored is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from incidents.errors import ActedMeanwhile, FencedOff
from incidents.fusing.application import Outcome
from incidents.fusing.counts import FusionCounts
from incidents.fusing.drafts import Applied
from incidents.fusing.enrichment import Enrichment
from incidents.fusing.following_up import FollowingUp
from incidents.fusing.intake import DATABASE_AWAY
from incidents.store import Store
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.tracing import Stage, trace

_log = get_logger(__name__)

_Together = Callable[[list[Outcome]], Awaitable[Applied]]


class Applying:
    """For the process that leads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        enrichment: Enrichment,
        following: FollowingUp,
        counts: FusionCounts,
    ) -> None:
        self._store = store
        self._clock = clock
        self._enrichment = enrichment
        self._following = following
        self._counts = counts

    async def apply(
        self, outcomes: list[Outcome], begun: datetime, *, fencing: int, known_seq: int
    ) -> bool:
        """Apply outcomes, whose decisions were ``begun`` then; false where fusion's memory no
        longer tells what the database holds, and must be rebuilt.

        Raises:
            FencedOff: another writer has taken over.
            ActedMeanwhile: a person acted, after ``known_seq``, on an incident decided about.
        """

        together: _Together = partial(
            self._store.fusion.apply,
            fencing=fencing,
            known_seq=known_seq,
            enrichment=self._enrichment,
        )
        try:
            applied = await together(outcomes)
        except (FencedOff, ActedMeanwhile, *DATABASE_AWAY):
            raise
        except Exception:  # noqa: BLE001 - found out one by one which it is
            await self._apply_one_by_one(outcomes, begun, together)
            return False
        await self._note(outcomes, applied, begun)
        # What broke half-way may have left anything behind.
        return not any(outcome.problem for outcome in outcomes)

    async def _apply_one_by_one(
        self, outcomes: list[Outcome], begun: datetime, together: _Together
    ) -> None:
        """Find the outcome that can't be stored, and set its report aside with the reason."""
        for outcome in outcomes:
            try:
                applied = await together([outcome])
            except (FencedOff, ActedMeanwhile, *DATABASE_AWAY):
                raise
            except Exception as error:  # noqa: BLE001 - one bad report must not stop all others
                _log.exception("a decision can't be stored", report_id=outcome.report.id)
                problem = f"{type(error).__name__}: {error}"
                broken = [Outcome(outcome.report, problem=problem)]
                await self._note(broken, await together(broken), begun)
                break
            await self._note([outcome], applied, begun)

    async def _note(self, outcomes: list[Outcome], applied: Applied, begun: datetime) -> None:
        self._counts.decided_to = outcomes[-1].report.seq
        self._counts.decided += len(outcomes)
        self._counts.set_aside += sum(bool(outcome.problem) for outcome in outcomes)
        for outcome in outcomes:
            incident_ids = [decision.incident_id for decision in outcome.decisions]
            _log.debug(
                "decided",
                report_id=outcome.report.id,
                report_seq=outcome.report.seq,
                incident_ids=incident_ids,
            )
            trace(
                outcome.report.id,
                Stage.FUSE,
                begun,
                self._clock.now(),
                incident_ids=" ".join(incident_ids),
                together=len(outcomes),
            )
        await self._following.follow_up(applied)
