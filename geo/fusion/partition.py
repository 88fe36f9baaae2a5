"""The partition of evidence into incidents, report by report.

A report changes one piece of evidence. A new piece joins the incident where that raises the
partition's score most, or founds one; a changed piece stays, moves, or is split off; incidents that
a report shows to be one are merged. What a person has acted on is a fact: such an incident may gain
reports, but is never merged or split here, and one that a person ended takes nothing more.

The same reports in the same order give the same incidents, whatever the restarts between: nothing
here depends on a clock, on chance, or on the order of a set.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from contracts import (
    CameraId,
    CameraPose,
    Decision,
    DecisionKind,
    Estimate,
    IncidentId,
    LonLat,
    Report,
    ReportId,
)
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
from geo.fusion.telling import Telling
from geo.fusion.unseen import Watch
from geo.projection import LocalProjection
from geo.ptz import PtzModel

NAMESPACE = uuid.UUID("5a3de9cc-6f0e-5d0b-9f6e-0a5c2b1d7e41")
"""Of incident ids: an incident is named by the report that founded it."""

MOST_MOVES = 3
"""Parts that leave an incident at one report."""


def incident_id_of(founding: ReportId) -> IncidentId:
    """The id of the incident that a report founds."""
    return IncidentId(f"inc-{uuid.uuid5(NAMESPACE, founding).hex}")


class Fusion:
    """Reports in, decisions out; see the module. One instance a partition (real or exercise).

    ``cameras`` give poses; a camera of which only the place is known (`LonLat`) sees "around it".
    A detection of a camera that isn't there has no place and is kept without a decision, as is a
    call before its first fix.
    """

    def __init__(
        self,
        parameters: FusionParameters,
        projection: LocalProjection,
        cameras: Mapping[CameraId, CameraPose | LonLat],
    ) -> None:
        self._parameters = parameters
        self._projection = projection
        self._hearing = Hearing(parameters, projection)
        self._register = Register(parameters)
        self._swept_s = -math.inf
        self._recorded_s = self._now_s = -math.inf
        self._telling = Telling(parameters, projection, self._hearing)
        for camera_id, pose in cameras.items():
            self.set_camera(camera_id, pose)

    def set_camera(self, camera_id: CameraId, pose: CameraPose | PtzModel | LonLat | None) -> None:
        """Add, replace or remove a camera; what it already reported keeps its place."""
        self._hearing.set_camera(camera_id, pose)

    def set_watch(self, watch: Watch | None) -> None:
        """Where cameras look; without it nothing is made of what they don't see."""
        self._telling.watch = watch

    def set_live(self, cameras: Mapping[CameraId, float]) -> None:
        """The cameras that are known to look, and what share of the time. What isn't seen tells
        of the place and the probability of an incident, never of whose reports are whose, so that a
        replay is exact without it.
        """
        self._telling.live = dict(cameras)

    def refresh(self, at_s: float) -> dict[IncidentId, Estimate]:
        """The open incidents of which time has told something since their last report, at a time
        in seconds since 1970: of which cameras could have seen something, or people called.
        """
        self._now_s = max(self._now_s, at_s)
        return {
            incident.id: self._estimate(incident)
            for incident in self._register
            if not incident.ended and self._telling.has_news(incident, self._now_s)
        }

    def add(self, report: Report) -> list[Decision]:
        """Take one report in; nothing where it is known, has no place yet, or is of an ended
        incident.
        """
        heard = self._hearing.hear(report)
        # A decision speaks of its report's time, whatever was thought of since: replayed, it is the
        # same.
        self._recorded_s = max(self._recorded_s, report.recorded_at.timestamp())
        self._now_s = self._recorded_s
        if heard is None or heard.piece is None:
            return []
        renewed = self._renewed(heard)
        if heard.incident is not None:
            changed = self._update(heard, report)
        else:
            changed = self._place_new(heard, report)
        told = {decision.incident_id for decision in changed}
        changed += [
            self._updated(incident)
            for incident in renewed
            if incident.id not in told
            and self._register.get(incident.id) is incident
            and self._telling.has_changed(incident)
        ]
        changed = self._as_it_ended(changed)
        self._sweep()
        return changed

    def _renewed(self, heard: Heard) -> list[Standing]:
        """The incidents of what else has changed by a report, put together as they were."""
        concerned: dict[IncidentId, Standing] = {}
        for other in self._hearing.renewed:
            incident = self._register.get(other.incident)
            if incident is not None:
                concerned[incident.id] = incident
        for incident in concerned.values():
            pieces = [
                piece if piece.key == heard.key else self._hearing.of(piece).placed
                for piece in incident.score.pieces
            ]
            self._settle(incident, Score.of(pieces, self._parameters))
        return list(concerned.values())

    def restore(
        self,
        reports: Iterable[Report],
        assignment: Mapping[ReportId, IncidentId],
        touched: Collection[IncidentId],
    ) -> None:
        """The state after these reports, without deciding anew.

        A key (a track, a call) belongs where the newest of its reports was assigned to.
        """
        founders: dict[IncidentId, int] = {}
        for report in sorted(reports, key=lambda report: report.seq):
            founders[incident_id_of(report.id)] = report.seq
            heard = self._hearing.hear(report)
            if heard is not None and report.id in assignment:
                heard.incident = assignment[report.id]
        members: dict[IncidentId, list[Evidence]] = {}
        for heard in self._hearing:
            if heard.incident is not None and heard.piece is not None:
                members.setdefault(heard.incident, []).append(heard.piece)
        for incident_id, pieces in members.items():
            score = Score.of(pieces, self._parameters)
            order = founders.get(incident_id, score.pieces[0].order)
            exercise = self._hearing.of(pieces[0]).is_exercise
            self._register.put(
                Standing(incident_id, order, score, exercise, touched=incident_id in touched)
            )
        self._sweep()

    def note_human_action(self, incident_id: IncidentId, *, ended: bool) -> None:
        """A person acted on an incident: from now on it is theirs. ``ended`` may be taken back."""
        incident = self._register.get(incident_id)
        if incident is None:
            return
        incident.touched = True
        incident.ended = ended
        self._register.put(incident)

    def estimate(self, incident_id: IncidentId) -> Estimate | None:
        """What is thought of an incident now; None where it is not in memory."""
        incident = self._register.get(incident_id)
        return None if incident is None else self._estimate(incident)

    @property
    def incident_ids(self) -> tuple[IncidentId, ...]:
        """All incidents in memory, oldest first."""
        return tuple(incident.id for incident in self._register)

    def _as_it_ended(self, decisions: list[Decision]) -> list[Decision]:
        """The decisions of one report, each telling how its incident stands after all of them. One
        that told of a step between would leave behind what left an incident and came back.
        """
        if len(decisions) < 2:
            return decisions
        ended: dict[IncidentId, Estimate] = {}
        told: list[Decision] = []
        for decision in decisions:
            key = decision.incident_id
            if key in ended and decision.kind is DecisionKind.UPDATE:
                continue
            incident = self._register.get(key)
            if key not in ended:
                ended[key] = decision.estimate if incident is None else self._estimate(incident)
            told.append(replace(decision, estimate=ended[key]))
        return told

    def _place_new(self, heard: Heard, report: Report) -> list[Decision]:
        alone = Score.of([heard.placed], self._parameters)
        home = best_home(self._register, alone, heard.is_exercise)
        if home is None:
            incident, founded = self._found(alone, report, DecisionKind.FOUND, None)
            return [founded, *self._exchanged(incident), *self._pulled(incident)]
        incident, joint = home
        self._take(incident, joint)
        return self._after_change(incident, report)

    def _update(self, heard: Heard, report: Report) -> list[Decision]:
        incident = self._register.get(heard.incident)
        if incident is None or incident.ended:
            return []
        piece = heard.placed
        others = [other for other in incident.score.pieces if other.key != heard.key]
        whole = Score.of([*others, piece], self._parameters)
        if others and not incident.touched:
            rest = Score.of(others, self._parameters)
            alone = Score.of([piece], self._parameters)
            home = best_home(self._register, alone, incident.exercise, besides=incident.id)
            stays = union_gain(rest, alone, whole)
            moves = union_gain(home[0].score, alone, home[1]) if home is not None else 0.0
            if moves > stays + LEAVE_GAIN:
                self._settle(incident, rest)
                left = self._updated(incident)
                if home is None:
                    split = DecisionKind.SPLIT
                    return [left, self._found(alone, report, split, incident.id)[1]]
                self._take(*home)
                return [left, *self._after_change(home[0], report)]
        self._settle(incident, whole)
        return self._after_change(incident, report)

    def _after_change(self, incident: Standing, report: Report) -> list[Decision]:
        """The incident's update; its merge with a neighbour, or its falling apart, where that
        gains.
        """
        merges: list[tuple[IncidentId, IncidentId]] = []
        while not incident.touched:
            partner = best_partner(self._register, incident)
            if partner is None:
                break
            other, joint = partner
            # An incident that people look at isn't lost in one that nobody is shown.
            keeper, gone = sorted(
                (incident, other),
                key=lambda each: (each.score.probability < TOLD_FROM, each.order),
            )
            self._register.drop(gone)
            self._take(keeper, joint)
            merges.append((keeper.id, gone.id))
            incident = keeper
        moved = [] if incident.touched else self._moved_out(incident, report)
        moved += self._exchanged(incident)
        moved += self._pulled(incident)
        if not merges:
            return [self._updated(incident), *moved]
        estimate = self._estimate(incident)
        merged = [
            Decision(kind=DecisionKind.MERGE, incident_id=keeper, estimate=estimate, other_id=gone)
            for keeper, gone in merges
        ]
        return [*merged, *moved]

    def _moved_out(self, incident: Standing, report: Report) -> list[Decision]:
        """What leaves an incident after a change, because it is better placed elsewhere."""
        decisions: list[Decision] = []
        for _ in range(MOST_MOVES):
            move = best_move(self._register, incident)
            if move is None:
                break
            if move.target is None:
                stays, leaves = move.rest, move.joint
                if stays.probability < TOLD_FROM < leaves.probability:
                    # An incident remains what people look at it for.
                    stays, leaves = leaves, stays
                self._settle(incident, stays)
                split = DecisionKind.SPLIT
                decisions.append(self._found(leaves, report, split, incident.id)[1])
                break
            self._settle(incident, move.rest)
            self._take(move.target, move.joint)
            decisions.append(self._updated(move.target))
        return decisions

    def _pulled(self, incident: Standing) -> list[Decision]:
        """What neighbours lose to an incident of which more is known now, and what it gains."""
        losers: dict[IncidentId, Standing] = {}
        for _ in range(MOST_MOVES):
            pull = best_pull(self._register, incident)
            if pull is None:
                break
            self._settle(pull.loser, pull.rest)
            self._take(incident, pull.joint)
            losers[pull.loser.id] = pull.loser
        changed = (*losers.values(), incident) if losers else ()
        return [self._updated(each) for each in changed]

    def _updated(self, incident: Standing) -> Decision:
        return Decision(
            kind=DecisionKind.UPDATE,
            incident_id=incident.id,
            estimate=self._estimate(incident),
        )

    def _exchanged(self, incident: Standing) -> list[Decision]:
        """Exchange what one camera saw in this incident and in a neighbour, where that gains most;
        what the neighbour comes to, and this one.
        """
        exchange = best_exchange(self._register, incident)
        if exchange is None:
            return []
        other, mine, theirs = exchange
        self._take(incident, mine)
        self._take(other, theirs)
        return [self._updated(each) for each in (other, incident)]

    def _found(
        self,
        score: Score,
        report: Report,
        kind: DecisionKind,
        origin: IncidentId | None,
    ) -> tuple[Standing, Decision]:
        exercise = self._hearing.of(score.pieces[0]).is_exercise
        incident = Standing(incident_id_of(report.id), report.seq, score, exercise)
        self._take(incident, score)
        return incident, Decision(
            kind=kind,
            incident_id=incident.id,
            estimate=self._estimate(incident),
            other_id=origin,
        )

    def _take(self, incident: Standing, score: Score) -> None:
        """Settle an incident whose set has gained pieces."""
        self._settle(incident, score)
        for piece in score.pieces:
            self._hearing.of(piece).incident = incident.id

    def _settle(self, incident: Standing, score: Score) -> None:
        incident.score = score.settled()
        self._register.put(incident)

    def _sweep(self) -> None:
        """Drop what is long past; now and then, so that it costs nothing a report."""
        keep_s = self._parameters.forget_after.total_seconds()
        if self._hearing.newest_s - self._swept_s < keep_s / 24:
            return
        self._swept_s = self._hearing.newest_s
        horizon_s = self._hearing.newest_s - keep_s
        for incident in list(self._register):
            heard = [self._hearing.of(piece) for piece in incident.score.pieces]
            if all(each.last_s < horizon_s for each in heard):
                self._register.drop(incident)
                for each in heard:
                    each.incident = None
        self._hearing.forget(horizon_s)

    def _estimate(self, incident: Standing) -> Estimate:
        return self._telling.estimate(incident, max(self._now_s, self._hearing.newest_s))
