"""What fusion tells, decision by decision, adds up to what it holds: the database has no more."""

from __future__ import annotations

from bench.fusion.cities import made_city
from bench.fusion.killing import assignment
from contracts import DecisionKind, IncidentId, Report, ReportId, Sequence, evidence_key
from geo.fusion import Fusion, FusionParameters
from geo.projection import LocalProjection
from simulator.reports import CityAssumptions
from simulator.reports.assumptions import sized
from simulator.reports.city import CENTRE


def test_decisions_add_up_to_what_fusion_holds() -> None:
    # In this city a caller is moved out of an incident and pulled back by the same report.
    city = made_city(sized(CityAssumptions(), side_m=3_000.0, cameras=60, hours=24.0), 3)
    fusion = Fusion(FusionParameters(), LocalProjection(CENTRE), city.poses)
    last = city.bodies[-1].received_at
    key_of: dict[ReportId, str] = {}
    told: dict[IncidentId, set[ReportId]] = {}
    stored: dict[str, IncidentId] = {}
    for number, body in enumerate(city.bodies, start=1):
        key_of[body.id] = evidence_key(body)
        for decision in fusion.add(Report(seq=Sequence(number), recorded_at=last, body=body)):
            ids = set(decision.estimate.report_ids)
            new = ids - told.get(decision.incident_id, set())
            told[decision.incident_id] = ids
            if decision.kind is DecisionKind.MERGE:
                stored = {
                    key: decision.incident_id if at == decision.other_id else at
                    for key, at in stored.items()
                }
            stored |= {key_of[report_id]: decision.incident_id for report_id in new}
    held = assignment(fusion)
    assert len(held) > 30
    assert {report_id: stored[key_of[report_id]] for report_id in held} == held
