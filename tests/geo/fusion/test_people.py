"""What a person has acted on is a fact."""

from __future__ import annotations

import pytest

from contracts import (
    DecisionKind,
)
from geo.fusion import Fusion
from tests.geo.builders import Reporter
from tests.geo.fusion.stage import (
    feed,
    pixel_of,
    two_incidents_that_turn_out_one,
)


@pytest.mark.parametrize("whose", [0, 1])
def test_after_a_person_acted_nothing_is_merged(fusion: Fusion, say: Reporter, whose: int) -> None:
    _, link = two_incidents_that_turn_out_one(fusion, say)
    fusion.note_human_action(fusion.incident_ids[whose], ended=False)
    (decision,) = fusion.add(link)
    assert decision.kind is DecisionKind.UPDATE
    assert len(fusion.incident_ids) == 2


def test_an_ended_incident_takes_nothing_more(fusion: Fusion, say: Reporter) -> None:
    foot = pixel_of("a", 0, 50)
    (founded,) = fusion.add(say.detection("a", "t", foot))
    fusion.note_human_action(founded.incident_id, ended=True)
    # The track goes on: it is of the ended incident, and neither reopens it nor founds another.
    assert fusion.add(say.detection("a", "t", foot, at_s=5, since_s=0, number=2)) == []
    (other,) = feed(fusion, say.call("k", (0, 55), at_s=60))
    assert other.kind is DecisionKind.FOUND
    fusion.note_human_action(founded.incident_id, ended=False)
    (again,) = fusion.add(say.detection("a", "t", foot, at_s=9, since_s=0, number=3))
    assert again.incident_id == founded.incident_id
