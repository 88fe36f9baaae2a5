"""The partition of evidence into incidents, report by report.

A report changes one piece of evidence. A new piece joins the incident where that raises the
partition's score most, or founds one; a changed piece stays, moves, or is split off; incidents that
a report shows to be one are merged. What a person has acted on is a fact: such an incident may gain
reports, but is never merged or split here, and one that a person ended takes nothing more.

The same reports in the same order give the same incidents, whatever the restarts between: nothing
here depends on a clock, on chance, or on the order of a set.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contracts import DecisionKind, IncidentId, Report, ReportId
from geo.fusion.evidence import Evidence
from geo.fusion.hearing import Heard, Hearing
from geo.fusion.moves import (
    LEAVE_GAIN,
    TOLD_FROM,
    best_exchange,
    best_home,
    best_move,
    best_partner,
    best_pull,
    union_gain,
)
from geo.fusion.parameters import FusionParameters
from geo.fusion.scoring import Score
from geo.fusion.standing import Register, Standing

NAMESPACE = uuid.UUID("5a3de9cc-6f0e-5d0b-9f6e-0a5c2b1d7e41")
"""Of incident ids: an incident is named by the report that founded it."""

MOST_MOVES = 3
"""Parts that leave an incident at one report."""


def incident_id_of(founding: ReportId) -> IncidentId:
    """The id of the incident that a report founds."""
    return IncidentId(f"inc-{uuid.uuid5(NAMESPACE, founding).hex}")


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the partition; ``other_id`` is who was merged away, or who was split."""

    kind: DecisionKind
    incident: Standing
    other_id: IncidentId | None = None


class Partition:
    """Which evidence makes which incident, and how a report changes that.

    Attributes:
        register: the incidents as they stand.
    """

    def __init__(self, parameters: FusionParameters, hearing: Hearing) -> None:
        self._parameters = parameters
        self._hearing = hearing
        self.register = Register(parameters)

    def restore(
        self,
        members: Mapping[IncidentId, list[Evidence]],
        founders: Mapping[IncidentId, int],
        touched: Collection[IncidentId],
    ) -> None:
        """Incidents as they were put together; ``founders`` are the numbers of the reports that
        founded them, ``touched`` what people have acted on.
        """
        for incident_id, pieces in members.items():
            score = Score.of(pieces, self._parameters)
            order = founders.get(incident_id, score.pieces[0].order)
            exercise = self._hearing.of(pieces[0]).is_exercise
            self.register.put(
                Standing(incident_id, order, score, exercise, touched=incident_id in touched)
            )

    def forget(self, horizon_s: float) -> None:
        """Drop the incidents that nothing has been heard of since a time, seconds since 1970."""
        for incident in list(self.register):
            heard = [self._hearing.of(piece) for piece in incident.score.pieces]
            if all(each.last_s < horizon_s for each in heard):
                self.register.drop(incident)
                for each in heard:
                    each.incident = None

    def renew(self, heard: Heard) -> dict[Standing, float]:
        """The incidents of what else has changed by a report, put together as they were, and their
        log odds before.
        """
        concerned: dict[IncidentId, Standing] = {}
        for other in self._hearing.renewed:
            incident = self.register.get(other.incident)
            if incident is not None:
                concerned[incident.id] = incident
        before = {incident: incident.score.log_z for incident in concerned.values()}
        for incident in before:
            pieces = [
                piece if piece.key == heard.key else self._hearing.of(piece).placed
                for piece in incident.score.pieces
            ]
            self._settle(incident, Score.of(pieces, self._parameters))
        return before

    def place(self, heard: Heard, report: Report) -> list[Step]:
        """Find a new piece its incident, or found one."""
        alone = Score.of([heard.placed], self._parameters)
        home = best_home(self.register, alone, heard.is_exercise)
        if home is None:
            incident, founded = self._found(alone, report, DecisionKind.FOUND, None)
            return [founded, *self._exchanged(incident), *self._pulled(incident)]
        incident, joint = home
        self._take(incident, joint)
        return self._after_change(incident, report)

    def update(self, heard: Heard, report: Report) -> list[Step]:
        """Let a changed piece stay, move or be split off; nothing where its incident has ended."""
        incident = self.register.get(heard.incident)
        if incident is None or incident.ended:
            return []
        piece = heard.placed
        others = [other for other in incident.score.pieces if other.key != heard.key]
        whole = Score.of([*others, piece], self._parameters)
        if others and not incident.touched:
            rest = Score.of(others, self._parameters)
            alone = Score.of([piece], self._parameters)
            home = best_home(self.register, alone, incident.exercise, besides=incident.id)
            stays = union_gain(rest, alone, whole)
            moves = union_gain(home[0].score, alone, home[1]) if home is not None else 0.0
            if moves > stays + LEAVE_GAIN:
                self._settle(incident, rest)
                left = _updated(incident)
                if home is None:
                    split = DecisionKind.SPLIT
                    return [left, self._found(alone, report, split, incident.id)[1]]
                self._take(*home)
                return [left, *self._after_change(home[0], report)]
        self._settle(incident, whole)
        return self._after_change(incident, report)

    def _after_change(self, incident: Standing, report: Report) -> list[Step]:
        """The incident's update; its merge with a neighbour, or its falling apart, where that
        gains.
        """
        merges: list[Step] = []
        while not incident.touched:
            partner = best_partner(self.register, incident)
            if partner is None:
                break
            other, joint = partner
            # An incident that people look at isn't lost in one that nobody is shown.
            keeper, gone = sorted(
                (incident, other),
                key=lambda each: (each.score.probability < TOLD_FROM, each.order),
            )
            self.register.drop(gone)
            self._take(keeper, joint)
            merges.append(Step(DecisionKind.MERGE, keeper, gone.id))
            incident = keeper
        moved = [] if incident.touched else self._moved_out(incident, report)
        moved += self._exchanged(incident)
        moved += self._pulled(incident)
        return [*(merges or [_updated(incident)]), *moved]

    def _moved_out(self, incident: Standing, report: Report) -> list[Step]:
        """What leaves an incident after a change, because it is better placed elsewhere."""
        steps: list[Step] = []
        for _ in range(MOST_MOVES):
            move = best_move(self.register, incident)
            if move is None:
                break
            if move.target is None:
                stays, leaves = move.rest, move.joint
                if stays.probability < TOLD_FROM < leaves.probability:
                    # An incident remains what people look at it for.
                    stays, leaves = leaves, stays
                self._settle(incident, stays)
                split = DecisionKind.SPLIT
                steps.append(self._found(leaves, report, split, incident.id)[1])
                break
            self._settle(incident, move.rest)
            self._take(move.target, move.joint)
            steps.append(_updated(move.target))
        return steps

    def _pulled(self, incident: Standing) -> list[Step]:
        """What neighbours lose to an incident of which more is known now, and what it gains."""
        losers: dict[IncidentId, Standing] = {}
        for _ in range(MOST_MOVES):
            pull = best_pull(self.register, incident)
            if pull is None:
                break
            self._settle(pull.loser, pull.rest)
            self._take(incident, pull.joint)
            losers[pull.loser.id] = pull.loser
        changed = (*losers.values(), incident) if losers else ()
        return [_updated(each) for each in changed]

    def _exchanged(self, incident: Standing) -> list[Step]:
        """Exchange what one camera saw in this incident and in a neighbour, where that gains most;
        what the neighbour comes to, and this one.
        """
        exchange = best_exchange(self.register, incident)
        if exchange is None:
            return []
        other, mine, theirs = exchange
        self._take(incident, mine)
        self._take(other, theirs)
        return [_updated(each) for each in (other, incident)]

    def _found(
        self,
        score: Score,
        report: Report,
        kind: DecisionKind,
        origin: IncidentId | None,
    ) -> tuple[Standing, Step]:
        exercise = self._hearing.of(score.pieces[0]).is_exercise
        incident = Standing(incident_id_of(report.id), report.seq, score, exercise)
        self._take(incident, score)
        return incident, Step(kind, incident, origin)

    def _take(self, incident: Standing, score: Score) -> None:
        """Settle an incident whose set has gained pieces."""
        self._settle(incident, score)
        for piece in score.pieces:
            self._hearing.of(piece).incident = incident.id

    def _settle(self, incident: Standing, score: Score) -> None:
        incident.score = score.settled()
        self.register.put(incident)


def _updated(incident: Standing) -> Step:
    return Step(DecisionKind.UPDATE, incident)
